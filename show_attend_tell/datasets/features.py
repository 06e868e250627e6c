"""The annotation vectors of photographs: from a frozen network, computed once, or from a folder of files.

``grid_features`` runs EfficientNet-Lite in the place of the paper's VGGNet. Its grid of 7 by 7 places gives L = 49
vectors of D = 1,280 numbers. They are kept in one file in float16, ``runs/features/…/KEY.npy`` of shape (images, L, D),
which is mapped into memory: a batch reads its own rows alone. KEY depends on the name, the size and the time of the
last change of every image. When images change, come or go, only they are computed, and the other rows are copied.

Beside it, ``KEY.json`` says how many rows are on the disk. It is replaced atomically, after the rows. So computing that
was stopped or killed goes on where it was.

A training can see each image in several *views*, ``image_in_view``: parts of it, and mirror images of parts. Each view
has a file of its own. Where captions are written, the model sees the image and its mirror image together, as
``WithMirrorImages``: twice as many places that it can look at.

``FeatureFolder`` reads any other network's features, one file an image.
"""

import hashlib
import io
import json
import math
import random
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from tqdm import tqdm

from lab.checkpoint import naming, write_text
from lab.images import load_image
from show_attend_tell.datasets.captioned import name_left_out

CACHE = Path("runs/features")
FLUSH = 50  # images, a few seconds of work: as many are lost at most
MIRRORED = -1  # the view that is the mirror image of the whole image
LEAST_AREA = 0.6  # share of an image that is in a view
GREY = 127  # brightness of a blank image, 0 to 255
SOME = 200  # files whose mean stands for a blank image where no network is known


@runtime_checkable
class Encoder(Protocol):
    """A frozen network. ``name`` says which weights and which preprocessing: it names the cache."""

    name: str
    size: int  # pixels, height and width
    rows: int  # of the grid, and columns
    channels: int

    def grid(self, image: UInt8[Tensor, "3 {self.size} {self.size}"]) -> Float[Tensor, "channels rows columns"]:
        """The features of one image with values from 0 to 255."""


@runtime_checkable
class Vectors(Protocol):
    """The annotation vectors of many images, by name."""

    places: int  # L
    channels: int  # D

    def __contains__(self, name: str) -> bool:
        """Whether the image could be read."""

    def __call__(self, names: Sequence[str]) -> Float[Tensor, "n L D"]:
        """Of these images."""

    def blank(self) -> Float[Tensor, "L D"]:
        """Of an image that shows nothing."""


def vectors_of(encoder: Encoder, image: UInt8[Tensor, "3 h w"]) -> Float[Tensor, "L D"]:
    """One image's annotation vectors, row by row from the upper left."""
    return encoder.grid(image).flatten(1).mT  # (rows * columns, channels)


def image_in_view(path: Path, size: int, view: int) -> UInt8[Tensor, "3 {size} {size}"]:
    """View 0 is the whole image, and ``MIRRORED`` is its mirror image. The others are a part of it, 60% to 100% of the
    area; odd views are mirrored. The same name and view give the same part.

    Raises:
        ValueError: if the image cannot be read.
    """
    if view in (0, MIRRORED):
        image = load_image(path, size)
        return image.flip(2) if view == MIRRORED else image
    rng = random.Random(f"{path.name}/{view}")
    whole = round(size / math.sqrt(rng.uniform(LEAST_AREA, 1)))  # pixels of a side, when the part has ``size``
    x, y = rng.randint(0, whole - size), rng.randint(0, whole - size)
    part = load_image(path, whole)[:, y : y + size, x : x + size]
    return part.flip(2) if view % 2 else part


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


class WithMirrorImages:
    """``Vectors`` of each image, and then those of its mirror image.

    Args:
        mirrored: of the mirror images, by the same names.
    """

    def __init__(self, vectors: Vectors, mirrored: Vectors) -> None:
        self.vectors, self.mirrored = vectors, mirrored
        self.places, self.channels = 2 * vectors.places, vectors.channels

    def __contains__(self, name: str) -> bool:
        return name in self.vectors and name in self.mirrored

    def __call__(self, names: Sequence[str]) -> Float[Tensor, "n {self.places} D"]:
        return torch.cat([self.vectors(names), self.mirrored(names)], dim=1)

    def blank(self) -> Float[Tensor, "{self.places} D"]:
        return self.vectors.blank().repeat(2, 1)


def on_image(weights: Float[Tensor, "t both"]) -> Float[Tensor, "t L"]:
    """Attention over L places of an image and L of its mirror image, added up at those of the image; L is a square."""
    rows = math.isqrt(weights.shape[1] // 2)
    image, mirrored = weights.unflatten(1, (2, rows, rows)).unbind(dim=1)  # (t, rows, columns)
    return (image + mirrored.flip(-1)).flatten(1)


class FeatureFolder:
    """``Vectors`` in a folder: ``NAME.npy`` or, without the suffix, ``STEM.npy`` has those of one image, (L, D).

    Args:
        names: of the images that are needed.

    Raises:
        ValueError: if there is no file for any of them, or a file has another shape than the first.
    """

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        if not folder.is_dir():
            raise ValueError(f"{folder}: there is no such folder")
        there = {path.name: path for path in folder.glob("*.npy")}
        files = {name: there.get(f"{name}.npy", there.get(f"{Path(name).stem}.npy")) for name in names}
        self.files = {name: path for name, path in files.items() if path is not None}
        if not self.files:
            raise ValueError(f"{folder}: there is no {next(iter(files), 'NAME')}.npy, nor one of any other image")
        lost = [f"{folder / name}.npy: there is no such file" for name, path in files.items() if path is None]
        name_left_out(lost, f"of {len(files)} images have no features")
        shapes = {path: shape_of(path) for path in self.files.values()}
        first, (self.places, self.channels) = next(iter(shapes.items()))
        for path, shape in shapes.items():
            if shape != (self.places, self.channels):
                raise ValueError(f"{path}: must be {(self.places, self.channels)} as {first.name} is, got {shape}")

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def __call__(self, names: Sequence[str]) -> Float[Tensor, "n L D"]:
        return torch.stack([torch.from_numpy(np.load(self.files[name])).float() for name in names])

    def blank(self) -> Float[Tensor, "L D"]:
        """The network is not known: the mean of some files, at all places."""
        return self(list(self.files)[:SOME]).mean(dim=(0, 1)).expand(self.places, -1)


def shape_of(path: Path) -> tuple[int, int]:
    """The shape of one image's features.

    Raises:
        ValueError: if the file is damaged, or does not hold a matrix of numbers.
    """
    try:
        features = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path}: not a NumPy file, or damaged ({error})") from None
    if features.ndim != 2 or features.dtype.kind != "f" or 0 in features.shape:
        raise ValueError(
            f"{path}: must have the shape (L, D) in floating point, got {features.shape} in {features.dtype}"
        )
    return features.shape


def check_width(vectors: Vectors, width: int, what: str) -> None:
    """Raises ValueError unless the vectors have ``width`` numbers, those that ``what`` reads."""
    if vectors.channels != width:
        raise ValueError(f"{what} reads annotation vectors of {width} numbers, got features of {vectors.channels}")


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
