r"""Pictures of scenes, drawn from signed distance functions in one vectorised computation.

A shape is the set of points where its signed distance :math:`d` is negative. Measured in pixels, :math:`d` also says
how much of the pixel the shape covers: :math:`\alpha = \mathrm{clip}(1/2 - d,\, 0,\, 1)` blends the edge over a pixel.

A shape's own coordinates have their origin in its centre, the circle around it has radius 1, and y points down.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from toyworld.scenes import MOST, SHAPES, Object, Scene

CIRCLE = 0.88  # radius
SQUARE = 0.7  # half a side
DIAMOND = (0.72, 1.0)  # half its width, half its height
CROSS = (0.94, 0.3)  # length and half the width of an arm
TRIANGLE = 0.5  # radius of the circle inside
STAR = (1.0, 0.42)  # radius of the points, of the notches
NOISE = 0.02  # every channel of every pixel varies by that much, of 1


def circle(x: Tensor, y: Tensor) -> Tensor:
    r""":math:`d = \lVert p\rVert - r`."""
    return torch.hypot(x, y) - CIRCLE


def square(x: Tensor, y: Tensor) -> Tensor:
    r""":math:`d = \max(|x|, |y|) - a`, the distance to the nearest side."""
    return torch.maximum(x.abs(), y.abs()) - SQUARE


def triangle(x: Tensor, y: Tensor) -> Tensor:
    r"""Three half planes, normals at 90°, 210° and 330°: :math:`d = \max_k n_k\cdot p - r`, one side at the bottom."""
    return torch.maximum(y, math.sqrt(0.75) * x.abs() - y / 2) - TRIANGLE


def diamond(x: Tensor, y: Tensor) -> Tensor:
    r"""A rhombus: :math:`d = (h|x| + w|y| - wh)/\sqrt{w^2+h^2}`."""
    width, height = DIAMOND
    return (height * x.abs() + width * y.abs() - width * height) / math.hypot(width, height)


def cross(x: Tensor, y: Tensor) -> Tensor:
    r"""Two bars: a point is as deep as in the one where it is deeper, :math:`d = \min(d_1, d_2)`."""
    length, width = CROSS
    far, near = torch.maximum(x.abs(), y.abs()), torch.minimum(x.abs(), y.abs())
    return torch.maximum(far - length, near - width)


def star(x: Tensor, y: Tensor) -> Tensor:
    r"""Five points: fold the plane into a tenth, where the edge is one line from a point's tip to the next notch."""
    radius, angle = torch.hypot(x, y), torch.atan2(x, -y)  # the angle is 0 upwards, where one tip is
    fifth = 2 * math.pi / 5
    folded = (torch.remainder(angle + fifth / 2, fifth) - fifth / 2).abs()  # 0 at a tip, pi/5 at a notch
    across, along = radius * folded.sin(), radius * folded.cos()
    outer, inner = STAR
    notch_x, notch_y = inner * math.sin(math.pi / 5), inner * math.cos(math.pi / 5)
    edge_x, edge_y = notch_x, notch_y - outer  # from the tip (0, outer) to the notch
    return (edge_x * (along - outer) - edge_y * across) / math.hypot(edge_x, edge_y)


DISTANCES = {
    "circle": circle,
    "square": square,
    "triangle": triangle,
    "diamond": diamond,
    "cross": cross,
    "star": star,
}
EXTENTS = {  # how far a shape reaches from its centre: left, up, right, down, in radii
    "circle": (CIRCLE,) * 4,
    "square": (SQUARE,) * 4,
    "triangle": (math.sqrt(3) * TRIANGLE, 2 * TRIANGLE, math.sqrt(3) * TRIANGLE, TRIANGLE),
    "diamond": (DIAMOND[0], DIAMOND[1]) * 2,
    "cross": (CROSS[0],) * 4,
    "star": (math.sin(2 * math.pi / 5), 1.0, math.sin(2 * math.pi / 5), math.cos(math.pi / 5)),
}


def draw(scenes: Sequence[Scene], size: int = 64, noise: float = NOISE) -> Float[Tensor, "n 3 size size"]:
    """Pictures with values from 0 to 1; ``size`` in pixels, at least 8.

    Raises:
        ValueError: if ``size`` is below 8, or there is nothing to draw.
    """
    n = len(scenes)
    coverage = cover(scenes, size).view(n, MOST, size * size)
    background = torch.tensor([scene.background for scene in scenes]).view(n, 3, 1)
    colours = torch.zeros(n, MOST, 3)
    b, k = slots(scenes)
    colours[b, k] = torch.tensor([o.rgb for scene in scenes for o in scene.objects])
    # objects never overlap: a pixel is its background plus, for each object, (its colour - background) x coverage
    image = torch.baddbmm(background, (colours - background.mT).mT, coverage)  # (n, 3, pixels)
    grain = torch.stack([grains(scene.grain, 3 * size * size) for scene in scenes]).view(n, 3, size * size)
    return image.add_(grain, alpha=noise).clamp_(0, 1).view(n, 3, size, size)


def masks(scenes: Sequence[Scene], size: int = 64) -> Bool[Tensor, "n 4 size size"]:
    """Where each object is seen (at least half of the pixel), in the scene's order; empty for objects that are not,
    and perhaps for small ones below 16 pixels."""
    return cover(scenes, size) >= 0.5


def box(o: Object) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of an object, in picture widths."""
    left, up, right, down = (o.radius * reach for reach in EXTENTS[o.shape])
    return o.x - left, o.y - up, o.x + right, o.y + down


def cover(scenes: Sequence[Scene], size: int) -> Float[Tensor, "n 4 size size"]:
    """How much of each pixel each object covers, 0 to 1. Each object is computed in a window around it alone."""
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, got {size}")
    objects = [o for scene in scenes for o in scene.objects]
    if not objects:
        raise ValueError(f"scenes must hold at least one object, got {len(scenes)} scenes with none")
    x, y, radius = torch.tensor([(o.x, o.y, o.radius) for o in objects], dtype=torch.float64).view(-1, 3).T * size
    window = math.ceil(2 * radius.max().item()) + 3  # the blended tip of a star reaches 1.43 pixels further
    left, top = ((centre - window / 2).round().long().clamp(0, max(size - window, 0)) for centre in (x, y))
    columns, rows = (start[:, None] + torch.arange(window) for start in (left, top))  # (objects, window), in pixels
    u, v = (
        ((columns + 0.5 - x[:, None]) / radius[:, None]).float(),
        ((rows + 0.5 - y[:, None]) / radius[:, None]).float(),
    )
    distance = torch.empty(len(objects), window, window)
    for shape in SHAPES:
        those = torch.tensor([k for k, o in enumerate(objects) if o.shape == shape], dtype=torch.long)
        if len(those):
            distance[those] = DISTANCES[shape](u[those][:, None, :], v[those][:, :, None])
    alpha = (0.5 - distance * radius.float()[:, None, None]).clamp_(0, 1)
    out = torch.zeros(len(scenes), MOST, size, size)
    b, k = slots(scenes)
    out[b[:, None, None], k[:, None, None], rows[:, :, None], columns[:, None, :]] = alpha
    return out


def slots(scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """For every object of the batch, which scene it is in, and its place in that scene's order."""
    pairs = [(b, k) for b, scene in enumerate(scenes) for k in range(len(scene.objects))]
    return tuple(torch.tensor(pairs).T)


@lru_cache(maxsize=1)
def grain_table() -> Tensor:
    """Four million numbers from -1 to 1, the same on every platform; each picture reads its own stretch of them."""
    return torch.from_numpy(np.random.Generator(np.random.PCG64(0)).random(1 << 22, dtype=np.float32) * 2 - 1)


def grains(start: float, count: int) -> Tensor:
    """``count`` numbers of the table, in a stretch that begins at the share ``start`` of it."""
    table = grain_table()
    if count > len(table) // 2:
        return table.repeat(2 + count // len(table))[int(start * len(table)) :][:count]
    return table[int(start * (len(table) - count)) :][:count]
