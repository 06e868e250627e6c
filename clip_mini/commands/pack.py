"""``python -m clip_mini pack DIR --out DIR``: tar shards from a folder of images with captions."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from clip_mini.datasets.folder import image_path, read_captions
from lab import cli
from lab.checkpoint import replacing
from lab.images import check_image

OutFolder = Annotated[Path, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed)")]


@dataclass(frozen=True, kw_only=True)
class Pack(cli.Threads):
    """Pack a folder of images with captions into tar shards, to be trained on with --data shards."""

    root: tyro.conf.Positional[Path]  # the folder, with captions.csv
    out: OutFolder  # where the shards will be; a new folder
    images: int = 1000  # in a shard

    def execute(self, command: str) -> None:
        written = pack(self.root, self.out, self.images)
        print(f"{len(written)} shards, to be read with --data shards --path '{self.out}/*.tar'", *written, sep="\n")


def pack(root: Path, out: Path, images: int) -> list[Path]:
    """The shards that were written. Each image is ``KEY.jpg`` (its own extension) with ``KEY.json``; KEY is a number.

    The JSON file has the list ``captions``. A damaged image is named on stderr and left out.

    Raises:
        ValueError: if the folder cannot be read, ``images`` is not positive, or ``out`` holds shards already.
        OSError: if a shard cannot be written.
    """
    import webdataset  # takes a second

    if images < 1:
        raise ValueError(f"--images must be at least 1, got {images}")
    if any(out.glob("*.tar")):
        raise ValueError(f"--out {out}: there are shards already; choose a new folder")
    captions = {}
    for name, texts in read_captions(root).items():
        try:
            check_image(image_path(root, name))
        except ValueError as error:
            print(f"left out: {error}", file=sys.stderr)
        else:
            captions[name] = texts
    names, written = list(captions), []
    for start in range(0, len(names), images):
        path = out / f"{len(written):06d}.tar"
        with replacing(path) as file:
            writer = webdataset.TarWriter(file, encoder=False, mtime=0)  # the same folder gives the same bytes
            for k, name in enumerate(names[start : start + images], start):
                image = image_path(root, name)
                text = json.dumps({"name": name, "captions": captions[name]}, ensure_ascii=False)
                extension = image.suffix.lstrip(".").lower()
                writer.write({"__key__": f"{k:08d}", extension: image.read_bytes(), "json": text.encode()})
            writer.close()
        written.append(path)
    return written
