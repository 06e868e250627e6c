"""Scenes: one to four objects on a square background. Each object has a shape, a colour, a size and a place.

A scene is a pure function of (split, seed, index). Lengths are in image widths: ``x`` runs from 0 at the left to 1 at
the right, ``y`` from 0 at the top to 1 at the bottom.

There are three splits. ``train`` and ``test`` have the same distribution. In ``compositional``, every scene shows one
pair of colour and shape from ``HELD_OUT``. The two other splits never show these pairs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from toyworld.rng import Rng

SHAPES = ("circle", "square", "triangle", "diamond", "cross", "star")
COLOURS = ("red", "orange", "yellow", "green", "cyan", "blue", "purple", "black")
SIZES = ("small", "large")
RELATIONS = ("left of", "right of", "above", "below")
SPLITS = ("train", "test", "compositional")

RADIUS = {"small": 0.09, "large": 0.15}  # of the circle around an object, in image widths; varies by up to 5%
GAP = 0.02  # least distance between the circles around two objects, and from a circle to the image's edge
MARGIN = 0.1  # "left of": the centres differ by at least this much in x; closer, neither "left of" nor "right of" holds
MOST = 4  # objects in a scene, at most

RGB = {
    "red": (0.86, 0.13, 0.15),
    "orange": (0.98, 0.55, 0.08),
    "yellow": (0.97, 0.87, 0.18),
    "green": (0.13, 0.60, 0.25),
    "cyan": (0.30, 0.78, 0.93),
    "blue": (0.12, 0.28, 0.78),
    "purple": (0.58, 0.22, 0.68),
    "black": (0.12, 0.12, 0.12),
}
BACKGROUND = (0.93, 0.93, 0.92)
JITTER = 0.05  # an object's colour channels and the background's brightness vary by up to this much, of 1

Pair = tuple[str, str]  # (colour, shape)
HELD_OUT: tuple[Pair, ...] = (
    ("red", "circle"),
    ("orange", "triangle"),
    ("yellow", "square"),
    ("green", "star"),
    ("cyan", "diamond"),
    ("blue", "cross"),
    ("purple", "circle"),
    ("black", "triangle"),
)
SHOWN: tuple[Pair, ...] = tuple((c, s) for c in COLOURS for s in SHAPES if (c, s) not in HELD_OUT)


@dataclass(frozen=True, slots=True)
class Object:
    """One object: ``radius`` is that of the circle around it; ``rgb`` is its jittered colour, from 0 to 1."""

    shape: str
    colour: str
    size: str
    x: float
    y: float
    radius: float
    rgb: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    """Objects, the background's colour, and ``grain``: from 0 to 1, where its noise begins in the noise table."""

    objects: tuple[Object, ...]
    background: tuple[float, float, float]
    grain: float


def related(relation: str, a: Object, b: Object) -> bool | None:
    """Whether ``a`` is left of, right of, above or below ``b``; None if they are closer than ``MARGIN``.

    Raises:
        ValueError: if ``relation`` is not one of ``RELATIONS``.
    """
    if relation not in RELATIONS:
        raise ValueError(f"relation must be one of {', '.join(RELATIONS)}, got {relation!r}")
    forward = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[relation]
    return None if abs(forward) < MARGIN else forward > 0


def scene_at(split: str, seed: int, index: int, count: int | None = None) -> Scene:
    """Scene ``index`` of a split, with ``count`` objects; by default the count is uniform from 1 to 4.

    Raises:
        ValueError: if the split is not one of ``SPLITS``, or ``count`` is not from 1 to 4.
    """
    check_split(split)
    if count is not None and not 1 <= count <= MOST:
        raise ValueError(f"count must be from 1 to {MOST}, got {count}")
    rng = Rng(f"{split}/{seed}/{index}/scene")
    count = count or rng.integer(1, MOST)
    pairs = [rng.choice(SHOWN) for _ in range(count)]
    if split == "compositional":
        pairs[rng.integer(0, count - 1)] = rng.choice(HELD_OUT)
    return scene_of(rng, pairs, [rng.choice(SIZES) for _ in pairs])


def check_split(split: str) -> None:
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")


def scene_of(rng: Rng, pairs: Sequence[Pair], sizes: Sequence[str]) -> Scene:
    """A scene with these pairs and sizes, in this order; places and jitter are random."""
    radii = [RADIUS[size] * rng.between(0.95, 1.05) for size in sizes]
    places = free_places(rng, radii)
    objects = tuple(
        Object(shape, colour, size, x, y, radius, jittered(rng, RGB[colour]))
        for (colour, shape), size, radius, (x, y) in zip(pairs, sizes, radii, places, strict=True)
    )
    shade = rng.between(-JITTER, JITTER)
    return Scene(objects, tuple(channel + shade for channel in BACKGROUND), rng.random())


def free_places(rng: Rng, radii: Sequence[float]) -> list[tuple[float, float]]:
    """A centre for each radius, uniform over all arrangements in which circles keep a distance of ``GAP``.

    This is rejection sampling: if one centre does not fit, all are drawn again. (To draw only that one again would be
    faster, but not uniform.)
    """
    while True:
        places = []
        for radius in radii:
            low, high = radius + GAP, 1 - radius - GAP
            x, y = rng.between(low, high), rng.between(low, high)
            if any(
                (x - u) ** 2 + (y - v) ** 2 < (radius + r + GAP) ** 2 for (u, v), r in zip(places, radii, strict=False)
            ):
                break
            places.append((x, y))
        else:
            return places


def jittered(rng: Rng, rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    return tuple(min(1.0, max(0.0, channel + rng.between(-JITTER, JITTER))) for channel in rgb)
