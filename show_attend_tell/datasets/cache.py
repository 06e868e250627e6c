"""The annotation vectors that a frozen network gives, computed once and kept on the disk.

``grid_features`` runs EfficientNet-Lite in the place of the paper's VGGNet. Its grid of 7 by 7 places gives L = 49
vectors of D = 1,280 numbers. They are kept in one file in float16, ``runs/features/…/KEY.npy`` of shape (images, L, D),
which is mapped into memory: a batch reads its own rows alone. KEY depends on the name, the size and the time of the
last change of every image. When images change, come or go, only they are computed, and the other rows are copied.

Beside it, ``KEY.json`` says how many rows are on the disk. It is replaced atomically, after the rows. So computing that
was stopped or killed goes on where it was. Each view of the images (``views.py``) has a file of its own.
"""

import hashlib
import io
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from lab.checkpoint import naming, write_text
from show_attend_tell.datasets.captioned import name_left_out
from show_attend_tell.datasets.features import Encoder, vectors_of
from show_attend_tell.datasets.views import MIRRORED, image_in_view

CACHE = Path("runs/features")
FLUSH = 50  # images, a few seconds of work: as many are lost at most
GREY = 127  # brightness of a blank image, 0 to 255


class GridFeatures:
    """``Vectors`` in one file, mapped into memory; made by ``grid_features``."""

    def __init__(self, rows: Mapping[str, int], features: Float[np.ndarray, "images L D"], encoder: Encoder) -> None:
        self.rows, self.features, self.encoder = rows, features, encoder
        _, self.places, self.channels = features.shape

    def __contains__(self, name: str) -> bool:
        return name in self.rows

    def __call__(self, names: Sequence[str]) -> Float[Tensor, "n L D"]:
        return torch.from_numpy(self.features[[self.rows[name] for name in names]]).float()

    def blank(self) -> Float[Tensor, "L D"]:
        return vectors_of(self.encoder, torch.full((3, self.encoder.size, self.encoder.size), GREY, dtype=torch.uint8))


def grid_features(paths: Mapping[str, Path], encoder: Encoder, cache: Path = CACHE, view: int = 0) -> GridFeatures:
    """The annotation vectors of image files in a view, by name. What is not in the cache is computed now.

    An image that cannot be read is named on stderr, counted and left out.

    Raises:
        ValueError: if none can be read.
        OSError: if the cache cannot be written.
    """
    folder, names = cache / f"{encoder.name}-grid{suffix(view)}", list(paths)
    stamps = [stamp(name, path) for name, path in paths.items()]
    file = folder / f"{hashlib.sha256(json.dumps(stamps).encode()).hexdigest()[:16]}.npy"
    unreadable = compute(file, stamps, paths, encoder, view)
    name_left_out(list(unreadable.values()), f"of {len(names)} images cannot be read")
    rows = {name: row for row, name in enumerate(names) if str(row) not in unreadable}
    if not rows:
        raise ValueError(f"none of the {len(names)} images can be read")
    return GridFeatures(rows, np.load(file, mmap_mode="r"), encoder)


def suffix(view: int) -> str:
    """Of the cache's name."""
    return "-mirrored" if view == MIRRORED else f"-view-{view}" if view else ""


def stamp(name: str, path: Path) -> str:
    """Another one whenever the file has changed: its name, its size, and the time of its last change."""
    try:
        found = path.stat()
    except OSError:
        return f"{name}/missing"
    return f"{name}/{found.st_size}/{found.st_mtime_ns}"


def compute(
    file: Path, stamps: Sequence[str], paths: Mapping[str, Path], encoder: Encoder, view: int
) -> dict[str, str]:
    """Writes the rows that ``file`` does not have yet. Returns the unreadable images: row (as JSON has it) and why."""
    shape = (len(stamps), encoder.rows**2, encoder.channels)
    header = header_of(shape)
    bytes_of_row = 2 * shape[1] * shape[2]  # float16
    state = read_state(file, len(header), bytes_of_row)
    done, unreadable = state["done"], state["unreadable"]
    if done == len(stamps):
        return unreadable
    known = known_rows(file, shape)
    title = f"features{suffix(view).replace('-', ' ')}"
    bar = tqdm(total=len(stamps), initial=done, desc=title, unit="image", dynamic_ncols=True)
    written = done  # rows that KEY.json knows
    with naming(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        if not done:
            file.write_bytes(header)

    def save() -> None:
        nonlocal written
        stream.flush()
        write_text(
            file.with_suffix(".json"), json.dumps({"stamps": list(stamps), "done": done, "unreadable": unreadable})
        )
        written = done

    with naming(file), file.open("r+b") as stream, bar:
        stream.seek(len(header) + done * bytes_of_row)
        stream.truncate()  # what was written after the last save
        try:
            for row, (mark, path) in enumerate(list(zip(stamps, paths.values(), strict=True))[done:], start=done):
                features = known.get(mark)
                if features is None:
                    try:
                        features = vectors_of(encoder, image_in_view(path, encoder.size, view)).half().numpy()
                    except ValueError as error:
                        unreadable[str(row)], features = str(error), np.zeros(shape[1:], np.float16)
                stream.write(np.ascontiguousarray(features).tobytes())
                done = row + 1
                bar.update()
                if done - written == FLUSH:
                    save()
        finally:
            if done > written:  # also after Ctrl-C
                save()
    return unreadable


def header_of(shape: tuple[int, int, int]) -> bytes:
    """The first bytes of a .npy file of this shape in float16."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f2", "fortran_order": False, "shape": shape})
    return stream.getvalue()


def read_state(file: Path, header: int, bytes_of_row: int) -> dict:
    """How far computing came: {"done": rows, "unreadable": {row: why}}. Damaged files are computed again."""
    nothing = {"done": 0, "unreadable": {}}
    if not file.with_suffix(".json").exists():
        return nothing
    try:
        state = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
        if file.stat().st_size >= header + state["done"] * bytes_of_row and isinstance(state["unreadable"], dict):
            return state
    except (OSError, ValueError, KeyError, TypeError):
        pass
    print(f"computed again: {file} is damaged", file=sys.stderr)
    return nothing


def known_rows(file: Path, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """The rows of all other finished files of this network, by stamp: images that have not changed."""
    known: dict[str, np.ndarray] = {}
    for path in sorted(file.parent.glob("*.json")):
        if path.stem == file.stem:
            continue
        with suppress(OSError, ValueError, KeyError, TypeError):  # unfinished or damaged: nothing is reused
            state = json.loads(path.read_text(encoding="utf-8"))
            features = np.load(path.with_suffix(".npy"), mmap_mode="r")
            if features.shape[1:] == shape[1:]:
                known |= {
                    mark: features[row]
                    for row, mark in enumerate(state["stamps"][: state["done"]])
                    if str(row) not in state["unreadable"]
                }
    return known
