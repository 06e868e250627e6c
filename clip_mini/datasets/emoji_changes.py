"""Training images of emoji: random place, form and colours; and the images to be tested.

A training image is one of three versions of a drawing (plain, with outlines, outlines alone), or a mixture of them. A
test image is the drawing in the middle of a white background.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Generator, Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate, pad

from toyworld.rng import Rng

MARGIN = 1 / 16  # around a drawing, of the image's width, in the images to be tested
CHANCES = (2.0, 5.0, 2.0, 1.0)  # of plain, outlined, outlines, and a mixture of the three


def on_white(drawing: Float[Tensor, "n 4 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Colours are stored times alpha, so white shows through by what alpha lacks to 1."""
    return (drawing[:, :3] + 1 - drawing[:, 3:]).clamp(0, 1)


def plain_images(drawings: UInt8[Tensor, "n 4 s s"], size: int) -> Float[Tensor, "n 3 {size} {size}"]:
    """Drawings as they are tested: in the middle, with a margin, on white."""
    drawn = drawings.shape[-1]
    margin = round(MARGIN * drawn)
    padded = pad(drawings.float() / 255, (margin,) * 4)
    return on_white(interpolate(padded, size=(size, size), mode="bilinear", align_corners=False, antialias=True))


def generator_of(name: str) -> Generator:
    """Random numbers that depend on ``name`` alone."""
    return torch.Generator().manual_seed(Rng(name).integer(0, 2**32 - 1))


def uniform(low: float, high: float, n: int, generator: Generator) -> Float[Tensor, " n"]:
    return low + (high - low) * torch.rand(n, generator=generator)


def mixed_versions(
    drawings: UInt8[Tensor, "n v 4 s s"], generator: Generator, chances: Sequence[float] = CHANCES
) -> Float[Tensor, "n 4 s s"]:
    """One of the v versions of each drawing, or a mixture of all with random weights."""
    n, v = drawings.shape[:2]
    kind = torch.multinomial(torch.tensor(chances), n, replacement=True, generator=generator)  # v is the mixture
    weights = torch.rand(n, v, 1, 1, 1, generator=generator)
    weights = weights / weights.sum(dim=1, keepdim=True)
    chosen = drawings[torch.arange(n), kind.clamp(max=v - 1)].float() / 255
    mixture = (kind == v).nonzero()[:, 0]
    chosen[mixture] = (weights[mixture] * drawings[mixture].float() / 255).sum(dim=1)
    return chosen


def random_grid(n: int, size: int, generator: Generator) -> Float[Tensor, "n {size} {size} 2"]:
    """Where each pixel of a moved and bent image comes from: an affine map and a smooth random field."""
    angle, shear = 0.17 * torch.randn(n, generator=generator), 0.08 * torch.randn(n, generator=generator)  # radians
    scale = uniform(math.log(0.75), math.log(1.05), n, generator).exp()
    stretch = (0.12 * torch.randn(n, generator=generator)).exp()  # of height against width
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    rotation = torch.stack([cos, -sin, sin, cos], dim=1).view(n, 2, 2)
    form = torch.stack([1 / stretch, shear, zero, stretch], dim=1).view(n, 2, 2)
    shift = 0.24 * torch.rand(n, 2, 1, generator=generator) - 0.12  # of half the image's width
    affine = torch.cat([form @ rotation / scale[:, None, None], shift], dim=2)  # (n, 2, 3)
    field = 0.06 * torch.randn(n, 2, 4, 4, generator=generator)
    field = interpolate(field, size=(size, size), mode="bicubic", align_corners=True)
    return affine_grid(affine, [n, 4, size, size], align_corners=False) + field.permute(0, 2, 3, 1)


def hue_rotation(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """Rotations of the colours about the axis of greys."""
    cos, sin = angle.cos(), angle.sin() / math.sqrt(3)
    same, next_, last = cos + (1 - cos) / 3, (1 - cos) / 3 - sin, (1 - cos) / 3 + sin
    return torch.stack([same, next_, last, last, same, next_, next_, last, same], dim=1).view(-1, 3, 3)


def random_colours(images: Float[Tensor, "n 4 h w"], generator: Generator) -> Float[Tensor, "n 4 h w"]:
    """Random hue, saturation, contrast and brightness; the background stays transparent."""
    n = len(images)
    hue = hue_rotation(0.1 * torch.randn(n, generator=generator))  # radians
    saturation, contrast = uniform(0.7, 1.3, n, generator), uniform(0.85, 1.15, n, generator)
    brightness = uniform(-0.1, 0.1, n, generator)[:, None] + 0.03 * torch.randn(n, 3, generator=generator)
    saturation = saturation[:, None, None]
    matrix = contrast[:, None, None] * (saturation * torch.eye(3) + (1 - saturation) / 3) @ hue
    offset = brightness + 0.5 * (1 - contrast)[:, None]  # contrast changes about the middle grey
    colours, alpha = images[:, :3], images[:, 3:]
    colours = (matrix @ colours.flatten(2)).view_as(colours) + offset[:, :, None, None] * alpha
    return torch.cat([colours, alpha], dim=1)


def augmented(
    drawings: UInt8[Tensor, "n v 4 s s"], size: int, generator: Generator
) -> Float[Tensor, "n 3 {size} {size}"]:
    """Training images of these drawings."""
    n = len(drawings)
    images = mixed_versions(drawings, generator)
    images = grid_sample(images, random_grid(n, size, generator), mode="bilinear", align_corners=False)
    images = on_white(random_colours(images, generator))
    gamma = (0.25 * torch.randn(n, 1, 1, 1, generator=generator)).exp()
    return images.clamp(min=1e-4) ** gamma
