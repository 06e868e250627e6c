r"""Images of scenes, drawn from signed distance functions, for a whole batch at once.

A shape is the set of points where its signed distance :math:`d` is negative. With :math:`d` in pixels, the shape covers
:math:`\alpha = \mathrm{clip}(1/2 - d,\, 0,\, 1)` of a pixel: the edge is blended over one pixel (antialiasing).

A shape has its own coordinates: the origin is its centre, the circle around it has radius 1, and y points down.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from toyworld.scenes import MOST, SHAPES, Object, Scene

CIRCLE = 0.88  # radius; the unit of all these lengths is the radius of the circle around the shape
SQUARE = 0.7  # half a side
DIAMOND = (0.72, 1.0)  # half its width, half its height
CROSS = (0.94, 0.3)  # length and half the width of an arm
TRIANGLE = 0.5  # radius of the inscribed circle
STAR = (1.0, 0.42)  # radius of the tips, radius of the notches
NOISE = 0.02  # every channel of every pixel varies by up to this much, of 1


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
    r"""The union of two bars: :math:`d = \min(d_1, d_2)`."""
    length, width = CROSS
    far, near = torch.maximum(x.abs(), y.abs()), torch.minimum(x.abs(), y.abs())
    return torch.maximum(far - length, near - width)  # of the bar along the longer coordinate, which is the minimum


def star(x: Tensor, y: Tensor) -> Tensor:
    r"""Five tips. By symmetry a tenth of the plane is enough: there the edge is one line, from a tip to a notch."""
    radius, angle = torch.hypot(x, y), torch.atan2(x, -y)  # angle 0 is upwards; one tip is there
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
    """Images with values from 0 to 1.

    Args:
        scenes: one image is drawn of each.
        size: height and width in pixels, at least 8.
        noise: every channel of every pixel varies by up to this much.

    Raises:
        ValueError: if ``size`` is below 8, or the scenes hold no object.
    """
    n = len(scenes)
    alpha = cover(scenes, size).view(n, MOST, size * size)
    background = torch.tensor([scene.background for scene in scenes]).view(n, 3, 1)
    colours = torch.zeros(n, MOST, 3)
    b, k = object_indices(scenes)
    colours[b, k] = torch.tensor([o.rgb for scene in scenes for o in scene.objects])
    # objects never overlap: image = background + sum_k (colour_k - background) alpha_k
    image = torch.baddbmm(background, (colours - background.mT).mT, alpha)  # (n, 3, pixels)
    grain = torch.stack([noise_from(scene.grain, 3 * size * size) for scene in scenes]).view(n, 3, size * size)
    return image.add_(grain, alpha=noise).clamp_(0, 1).view(n, 3, size, size)


def masks(scenes: Sequence[Scene], size: int = 64) -> Bool[Tensor, "n 4 size size"]:
    """The pixels of each object, in the scene's order: True where it covers at least half of the pixel.

    Four masks for each scene: after its last object they are empty. Below 16 pixels a small object may get one too.
    """
    return cover(scenes, size) >= 0.5


def box(o: Object) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of an object, in image widths."""
    left, up, right, down = (o.radius * reach for reach in EXTENTS[o.shape])
    return o.x - left, o.y - up, o.x + right, o.y + down


def cover(scenes: Sequence[Scene], size: int) -> Float[Tensor, "n 4 size size"]:
    """How much of each pixel each object covers, 0 to 1; computed only in a window around each object."""
    if size < 8:
        raise ValueError(f"size must be at least 8 pixels, got {size}")
    objects = [o for scene in scenes for o in scene.objects]
    if not objects:
        raise ValueError(f"scenes must hold at least one object, got {len(scenes)} scenes with none")
    x, y, radius = torch.tensor([(o.x, o.y, o.radius) for o in objects], dtype=torch.float64).view(-1, 3).T * size
    window = math.ceil(2 * radius.max().item()) + 3  # a blended tip of a star reaches 1.43 pixels beyond the circle
    left, top = ((centre - window / 2).round().long().clamp(0, max(size - window, 0)) for centre in (x, y))
    columns, rows = (start[:, None] + torch.arange(window) for start in (left, top))  # (objects, window), in pixels
    u = ((columns + 0.5 - x[:, None]) / radius[:, None]).float()  # (objects, window), in radii
    v = ((rows + 0.5 - y[:, None]) / radius[:, None]).float()
    distance = torch.empty(len(objects), window, window)
    for shape in SHAPES:
        same = torch.tensor([k for k, o in enumerate(objects) if o.shape == shape], dtype=torch.long)
        if len(same):
            distance[same] = DISTANCES[shape](u[same][:, None, :], v[same][:, :, None])
    alpha = (0.5 - distance * radius.float()[:, None, None]).clamp_(0, 1)
    out = torch.zeros(len(scenes), MOST, size, size)
    b, k = object_indices(scenes)
    out[b[:, None, None], k[:, None, None], rows[:, :, None], columns[:, None, :]] = alpha
    return out


def object_indices(scenes: Sequence[Scene]) -> tuple[Tensor, Tensor]:
    """For every object of the batch: the index of its scene, and its own index in that scene."""
    pairs = [(b, k) for b, scene in enumerate(scenes) for k in range(len(scene.objects))]
    return tuple(torch.tensor(pairs).T)


@lru_cache(maxsize=1)
def noise_table() -> Tensor:
    """Four million numbers from -1 to 1, the same on every platform; each image reads its own part of them."""
    return torch.from_numpy(np.random.Generator(np.random.PCG64(0)).random(1 << 22, dtype=np.float32) * 2 - 1)


def noise_from(start: float, count: int) -> Tensor:
    """``count`` consecutive numbers of the table; ``start`` from 0 to 1 says where they begin."""
    table = noise_table()
    if count > len(table) // 2:
        return table.repeat(2 + count // len(table))[int(start * len(table)) :][:count]
    return table[int(start * (len(table) - count)) :][:count]
