"""Tar shards of images and captions, as webdataset writes them: ``KEY.jpg`` with ``KEY.txt`` or ``KEY.json``.

The headers of all shards are read once, with the captions. Images stay in the shards: each is read when its batch needs
it. So a batch is a pure function of its step, and a run that was killed goes on where it was. A stream without an index
cannot do that: its shuffle buffer depends on how much was read before. The price is random access, so the shards should
be on a local disk. The index and all captions are in memory.

A batch is the same for any number of processes; ``part_at`` reads one process's part of it alone.
"""

import glob
import json
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import UInt8
from torch import Tensor

from clip_mini.data import Batch
from clip_mini.datasets.folder import Captions, by_hash
from clip_mini.evaluate import Examples
from clip_mini.train import Config
from lab.distributed import processes
from lab.images import load_image
from toyworld.tokenizer import padded, split_words

IMAGES = ("jpg", "jpeg", "png", "webp", "bmp", "gif", "tif", "tiff")  # extensions
HELD_OUT = 20  # one image in this many is for validation, and one for testing
JUDGED = 5000  # images of a split at most
BLOCK = tarfile.BLOCKSIZE  # bytes


class Stored(NamedTuple):
    """Where an image's bytes are."""

    shard: Path
    offset: int
    size: int
    extension: str

    def read(self) -> bytes:
        with self.shard.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)

    def path(self, name: str) -> Path:
        """What messages call the image ``SHARD/KEY``."""
        return self.shard.parent / f"{name}.{self.extension}"


class ShardsSource(Captions):
    """Tar shards as a ``Source``: the model reads pixels. A damaged shard or image is named and left out.

    Args:
        pattern: of the shards' names, such as ``"DIR/*.tar"``.

    Raises:
        ValueError: if no shard matches, or there is no usable pair in them.
    """

    def __init__(self, config: Config, pattern: str) -> None:
        self.stored, captions = read_shards(pattern)
        self.damaged: set[str] = set()
        keys = list(dict.fromkeys(name.partition("/")[2] for name in captions))  # a key in two shards: in one part
        training, test = by_hash(keys, HELD_OUT, "test")
        training, validation = by_hash(training, HELD_OUT, "validation")
        keys_of = {"train": set(training), "validation": set(validation), "test": set(test)}
        parts = {
            part: [name for name in captions if name.partition("/")[2] in chosen] for part, chosen in keys_of.items()
        }
        super().__init__(config, captions, parts)

    def check(self) -> None:
        self.check_batches(len(self.parts["train"]))
        for part in ("validation", *self.splits):
            self.test(part)

    def image_encoder(self) -> None:
        """The configuration's own."""

    def picture(self, name: str, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
        """An image's pixels.

        Raises:
            ValueError: if it is damaged.
        """
        stored = self.stored[name]
        return load_image(stored.path(name), size, stored.read())

    def picture_or_none(self, name: str) -> UInt8[Tensor, "3 h w"] | None:
        """The image as the model reads it; None, and once a line on stderr, if it is damaged."""
        try:
            return self.picture(name, self.config.image_size)
        except (ValueError, OSError) as error:
            if name not in self.damaged:
                print(f"left out: {error}", file=sys.stderr)
            self.damaged.add(name)
            return None

    def batch_at(self, step: int) -> Batch:
        """The whole batch."""
        return self.rows_at(step, range(self.config.pairs))

    def part_at(self, step: int) -> Batch:
        """This process's part of the batch, as ``lab.distributed.share`` would cut it; only its images are read.

        Raises:
            ValueError: if the number of processes does not divide the number of pairs.
        """
        rank, count = processes().rank, processes().count
        if self.config.pairs % count:
            raise ValueError(f"--pairs must be a multiple of {count}, the number of processes, got {self.config.pairs}")
        size = self.config.pairs // count
        return self.rows_at(step, range(rank * size, (rank + 1) * size))

    def rows_at(self, step: int, rows: Sequence[int]) -> Batch:
        """These rows of a batch. A damaged image's place is taken by another pair, which no other place can take."""
        names = self.drawn(step, self.parts["train"], 2 * self.config.pairs)
        images, texts = [], []
        for row in rows:
            for name in names[row :: self.config.pairs]:
                if (image := self.picture_or_none(name)) is not None:
                    images.append(image)
                    texts.append(self.text_at(step, name))
                    break
            else:
                raise ValueError(f"too many damaged images for a batch, such as {self.stored[name].path(name)}")
        return Batch(torch.stack(images).float() / 255, padded(texts))

    def validation(self) -> Examples:
        return self.test("validation")

    def test(self, split: str) -> Examples:
        """The first ``JUDGED`` images of a split: they are in memory at once."""
        pictures = {name: self.picture_or_none(name) for name in self.parts[split][:JUDGED]}
        names = [name for name, picture in pictures.items() if picture is not None]
        if not names:
            raise ValueError(f"no image for {split} can be read")
        return self.examples(names, torch.stack([pictures[name] for name in names]).float() / 255)


def read_shards(pattern: str) -> tuple[dict[str, Stored], dict[str, list[str]]]:
    """Where each image is, and its captions, by ``SHARD/KEY``, of all shards that can be read.

    Raises:
        ValueError: if no file matches, or there is no usable pair.
    """
    paths = sorted(Path(name) for name in glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
    if not paths:
        raise ValueError(f"--path {pattern}: there is no such file")
    stored: dict[str, Stored] = {}
    captions: dict[str, list[str]] = {}
    for path in paths:
        try:
            pairs, faults = read_shard(path)
        except (tarfile.TarError, OSError, EOFError) as error:
            print(f"left out: {path}: not a tar file, or damaged ({error})", file=sys.stderr)
            continue
        if faults:
            key, fault = next(iter(faults.items()))
            print(f"left out: {len(faults)} of {path}, such as {key}: {fault}", file=sys.stderr)
        for key, (image, texts) in pairs.items():
            stored[f"{path.name}/{key}"], captions[f"{path.name}/{key}"] = image, texts
    if not captions:
        raise ValueError(f"--path {pattern}: {len(paths)} files, and no image with a caption in them")
    return stored, captions


def read_shard(path: Path) -> tuple[dict[str, tuple[Stored, list[str]]], dict[str, str]]:
    """By key, the pairs of a shard; and the keys that are no pair, with the reason.

    Raises:
        tarfile.TarError, OSError: if it is damaged. A shard that is cut short counts as damaged.
    """
    groups: dict[str, dict[str, tarfile.TarInfo]] = {}
    pairs, faults = {}, {}
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as shard:
        for member in shard:
            folder, _, name = member.name.rpartition("/")
            stem, _, extension = name.partition(".")  # webdataset's rule: the first dot of the name
            if member.isreg() and stem and extension:
                groups.setdefault(f"{folder}/{stem}" if folder else stem, {})[extension.lower()] = member
        file.seek(shard.offset)
        if file.read(BLOCK) != bytes(BLOCK):  # tarfile takes a damaged header for the end
            raise tarfile.ReadError(f"no end of archive at byte {shard.offset}")
        for key, members in groups.items():
            extension = next((extension for extension in IMAGES if extension in members), None)
            try:
                if extension is None:
                    raise ValueError("no image")
                texts = captions_of(shard, members)
            except ValueError as error:
                faults[key] = str(error)
            else:
                image = members[extension]
                pairs[key] = Stored(path, image.offset_data, image.size, extension), texts
    return pairs, faults


def captions_of(shard: tarfile.TarFile, members: Mapping[str, tarfile.TarInfo]) -> list[str]:
    """The text in ``.txt``, or in ``.json`` the string ``caption`` or the list of strings ``captions``.

    Raises:
        ValueError: if there is none.
    """
    if "txt" in members:
        texts = [shard.extractfile(members["txt"]).read().decode()]
    elif "json" in members:
        content = json.loads(shard.extractfile(members["json"]).read())
        content = content if isinstance(content, dict) else {}
        texts = content.get("captions", [content.get("caption")])
    else:
        raise ValueError("no .txt and no .json")
    texts = [" ".join(text.split()) for text in texts if isinstance(text, str) and split_words(text)]
    if not texts:
        raise ValueError("no caption")
    return texts
