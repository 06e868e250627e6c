r"""How unlike an image is to the toy world: what the detector read in it is drawn again, and the two are compared.

A model answers for any image, and its probabilities do not say that it has never seen such a thing. So the detector
explains the image first: the objects that it read, with the usual radii and colours, on a plain background. The score
is what this leaves unexplained, in the worst place: the largest mean of :math:`|\text{image} - \text{drawn}|` over a
window of 2×2 cells, in the worst channel of each pixel. It lies between 0 and 1, and is 1 if no object was read.

The limit lies a little above nearly all scores of training scenes that the detector has not seen. It is measured after
each training, and kept in the run's ``results.json``.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import avg_pool2d

from detector.decode import Detection, detect
from detector.model import CELL, Detector
from toyworld.drawing import draw
from toyworld.scenes import BACKGROUND, JITTER, MOST, RADIUS, RGB, Object, Scene, scene_at

WINDOW = 2 * CELL  # pixels, height and width: wider than the blended edge of an object, narrower than an object
NEARLY_ALL, ROOM = 0.99, 1.25  # the limit is this much times the score that this share of scenes does not exceed
SCENES = 2000  # scenes that the limit is measured on, and of each test split; a tenth for each kind of other images
CHUNK = 200  # images that are read at once
FALSE_ALARMS, CAUGHT = 0.01, 0.99  # promised: of test scenes at most, of noise and inverted scenes at least

OTHERS: Mapping[str, Callable[[Tensor], Tensor]] = MappingProxyType(  # images that are made from scenes
    {
        "greyscale": lambda scenes: scenes.mean(dim=1, keepdim=True).expand_as(scenes),
        "inverted": lambda scenes: 1 - scenes,
        "one colour": lambda scenes: scenes.mean(dim=(2, 3), keepdim=True).expand_as(scenes),
        "noise": lambda scenes: torch.rand(scenes.shape, generator=torch.Generator().manual_seed(0)),
    }
)


def unlikeness(model: Detector, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, " m"]:
    """The score of each image, with values from 0 to 1; ``images`` are square."""
    return unexplained(images, detect(model, images))


def unexplained(images: Float[Tensor, "m 3 h w"], found: Sequence[Sequence[Detection]]) -> Float[Tensor, " m"]:
    """What the objects that were found in each image leave unexplained; 1 where none was found."""
    scores = images.new_ones(len(images))
    some = [k for k, objects in enumerate(found) if objects]
    if some:
        drawn = draw([scene_read(images[k], found[k]) for k in some], images.shape[-1], noise=0.0)
        rest = (images[some] - drawn.to(images)).abs().amax(dim=1, keepdim=True)  # (m, 1, h, w), the worst channel
        scores[some] = avg_pool2d(rest, WINDOW, stride=1).amax(dim=(1, 2, 3))
    return scores


def scene_read(image: Float[Tensor, "3 h w"], found: Sequence[Detection]) -> Scene:
    """The most confident objects, each with the usual radius and colour, on a background as bright as the image's."""
    objects = tuple(Object(o.shape, o.colour, o.size, o.x, o.y, RADIUS[o.size], RGB[o.colour]) for o in found[:MOST])
    middle = image.flatten(1).median(dim=1).values.cpu()  # most pixels of a scene are background
    shade = (middle - torch.tensor(BACKGROUND)).mean().clamp(-JITTER, JITTER).item()
    return Scene(objects, tuple(channel + shade for channel in BACKGROUND), 0.0)


def scores_of(
    model: Detector,
    split: str,
    seed: int,
    image_size: int,
    count: int,
    change: Callable[[Tensor], Tensor] = lambda scenes: scenes,
) -> Float[Tensor, " count"]:
    """The scores of the first ``count`` scenes of a split, each changed first."""
    parts = []
    for start in range(0, count, CHUNK):
        scenes = [scene_at(split, seed, k) for k in range(start, min(count, start + CHUNK))]
        parts.append(unlikeness(model, change(draw(scenes, image_size))))
    return torch.cat(parts)


def measure(
    model: Detector, validation_seed: int, image_size: int, count: int = SCENES
) -> tuple[float, dict[str, float]]:
    """The limit, and the share of images above it: scenes of both test splits (false alarms), then ``OTHERS``."""
    limit = scores_of(model, "train", validation_seed, image_size, count).quantile(NEARLY_ALL).item() * ROOM
    scores = {split: scores_of(model, split, 0, image_size, count) for split in ("test", "compositional")}
    scores |= {name: scores_of(model, "test", 0, image_size, count // 10, change) for name, change in OTHERS.items()}
    return limit, {name: (values > limit).float().mean().item() for name, values in scores.items()}
