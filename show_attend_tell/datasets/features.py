"""The annotation vectors of photographs: what a network gives, and what a folder of files holds.

``Vectors`` are those of many images, by name: of a frozen network, kept on the disk (``cache.py``), of an image and its
mirror image together (``views.py``), or, with ``FeatureFolder``, of any other network, one file an image.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from show_attend_tell.datasets.captioned import name_left_out

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
