"""What pictures of two objects are judged by: the detector reads the objects back, and the sentence's facts are tested.

The detector is trained anew, on real pictures that are enlarged to twice their height and width: one of its cells has
4×4 pixels, and a small object has only 6×6. An object too many or too few is a mistake.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, interpolate

from cgan.extensions.two import OBJECTS
from detector.data import Batch, batch_of
from detector.decode import Detection, detect
from detector.model import Detector
from toyworld.facts import Relation, holds
from toyworld.scenes import Object, Scene

FEATURE_PLACES = 4  # of the features, height and width


def enlarged(images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 3 height width"]:
    """Twice the height and width."""
    return interpolate(images, scale_factor=2, mode="bilinear", align_corners=False)


def pair_batches(scene_at: Callable[[int], Scene], images: int, side: int) -> Callable[[int], Batch]:
    """``batch_at`` for the detector: ``images`` scenes a batch, drawn with this many pixels, then enlarged."""

    def batch_at(step: int) -> Batch:
        batch = batch_of([scene_at(index) for index in range(step * images, (step + 1) * images)], side)
        return batch._replace(images=enlarged(batch.images))

    return batch_at


def found_in(detector: Detector, images: Float[Tensor, "n 3 h w"], chunk: int = 250) -> list[list[Detection]]:
    """The objects of each picture from −1 to 1."""
    device, found = next(detector.parameters()).device, []
    for part in images.split(chunk):
        found += detect(detector, enlarged((part.to(device) + 1) / 2))
    return found


def read_pairs(detector: Detector, images: Float[Tensor, "n 3 h w"], chunk: int = 250) -> list[Scene]:
    """The same as scenes, on which the toy world's facts can be tested."""
    return [scene_of(objects) for objects in found_in(detector, images, chunk)]


def scene_of(objects: Sequence[Detection]) -> Scene:
    """What was found. No radius and no exact colour is read: these are 0."""
    shown = (Object(one.shape, one.colour, one.size, one.x, one.y, 0.0, (0.0, 0.0, 0.0)) for one in objects)
    return Scene(tuple(shown), (0.0, 0.0, 0.0), 0.0)


@torch.no_grad()
def pair_features(
    detector: Detector, images: Float[Tensor, "n 3 h w"], chunk: int = 250
) -> Float[Tensor, "n features"]:
    """All that the detector says of each cell, as logits; their means in 4×4 parts of the picture."""
    device, found = next(detector.parameters()).device, []
    for part in images.split(chunk):
        logits = detector(enlarged((part.to(device) + 1) / 2))
        found.append(adaptive_avg_pool2d(logits, FEATURE_PLACES).flatten(1).cpu())
    return torch.cat(found)


def relation_obedience(read: Sequence[Scene], facts: Sequence[Relation]) -> dict[str, float]:
    """Shares of pictures: there are two objects; both are as named; the relation holds, too.

    Args:
        facts: what the sentence of each picture states.
    """
    rows = []
    for one, fact in zip(read, facts, strict=True):
        two = len(one.objects) == OBJECTS
        named = two and len(fact.a.matching(one)) == len(fact.b.matching(one)) == 1
        rows.append((two, named, named and holds(fact, one)))
    shares = torch.tensor(rows).double().mean(dim=0).tolist()
    return dict(zip(("two objects", "both as named", "all named"), shares, strict=True))
