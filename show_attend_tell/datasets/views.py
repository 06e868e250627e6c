"""Views of an image: its parts, its mirror image, and the image together with its mirror image.

A training can see each image in several views, ``image_in_view``. Where captions are written, the model sees the image
and its mirror image together, as ``WithMirrorImages``: twice as many places that it can look at.
"""

import math
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from lab.images import load_image
from show_attend_tell.datasets.features import Vectors

MIRRORED = -1  # the view that is the mirror image of the whole image
LEAST_AREA = 0.6  # share of an image that is in a view


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
