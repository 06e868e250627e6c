"""Scenes of the toy world with the place, the radius and the attributes of each object. Batches are pure functions of
their step."""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from toyworld.drawing import draw
from toyworld.scenes import COLOURS, MOST, SHAPES, SIZES, Scene, scene_at

ATTRIBUTES = MappingProxyType({"colour": COLOURS, "shape": SHAPES, "size": SIZES})  # in the order of the logits


class Batch(NamedTuple):
    """m square images with n objects; object k is in image ``image_of[k]``. Lengths are in image widths."""

    images: Float[Tensor, "m 3 h w"]
    image_of: Int[Tensor, " n"]
    centres: Float[Tensor, "n 2"]  # x and y
    radii: Float[Tensor, " n"]
    labels: Int[Tensor, "n 3"]  # colour, shape and size


def batch_of(scenes: Sequence[Scene], image_size: int) -> Batch:
    """The images of these scenes, and all their objects."""
    objects = [(k, o) for k, scene in enumerate(scenes) for o in scene.objects]
    labels = [[values.index(getattr(o, name)) for name, values in ATTRIBUTES.items()] for _, o in objects]
    return Batch(
        draw(scenes, image_size),
        torch.tensor([k for k, _ in objects]),
        torch.tensor([(o.x, o.y) for _, o in objects]),
        torch.tensor([o.radius for _, o in objects]),
        torch.tensor(labels),
    )


def toy_batches(seed: int, images: int, image_size: int) -> Callable[[int], Batch]:
    """``batch_at`` for the training split: ``images`` scenes a batch, each with as many objects as a scene may have."""

    def batch_at(step: int) -> Batch:
        indices = range(step * images, (step + 1) * images)
        return batch_of([scene_at("train", seed, k, MOST) for k in indices], image_size)

    return batch_at
