"""Common mistakes in drawing scenes and images. Each must fail the tests of ``toyworld.scenes`` or ``.drawing``."""

import random

import torch

from toyworld import drawing
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, GAP, HELD_OUT, MOST, RADIUS, SHAPES, SHOWN, SIZES, Scene, scene_at, scene_of


def held_out_in_training_alone(split, seed, index, count=None):
    """Tempting because only training must not see the pairs. But ``test`` then mixes two kinds of generalisation."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    count = count or rng.integer(1, MOST)
    shown = SHOWN if split == "train" else tuple((c, s) for c in COLOURS for s in SHAPES)
    pairs = [rng.choice(shown) for _ in range(count)]
    if split == "compositional":
        pairs[rng.integer(0, count - 1)] = rng.choice(HELD_OUT)
    return scene_of(rng, pairs, [rng.choice(SIZES) for _ in pairs])


def compositional_by_luck(split, seed, index, count=None):
    """Tempting because all pairs may occur there. But most scenes then show nothing new, so the score means little."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    pairs = SHOWN + HELD_OUT if split == "compositional" else SHOWN
    shown = [rng.choice(pairs) for _ in range(count or rng.integer(1, MOST))]
    return scene_of(rng, shown, [rng.choice(SIZES) for _ in shown])


def one_generator_for_all(split, seed, index, count=None):
    """Tempting because one seed makes a run repeatable. But example i then depends on the calls before it."""
    if index == 0:
        random.seed(seed)
    return scene_at(split, seed, random.randrange(10**9), count)


def name_by_hash(split, seed, index, count=None):
    """Tempting because ``hash`` gives a number for anything. But for texts it differs between processes."""
    return scene_at(split, hash((split, seed)), index, count)


def as_many_as_fit(split, seed, index, count=None):
    """Tempting because it never loops for long. But an object without a free place is then missing."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    full, objects = scene_at(split, seed, index, count), []
    for o in full.objects:
        x, y = (rng.between(o.radius + GAP, 1 - o.radius - GAP) for _ in "xy")
        if all((x - p.x) ** 2 + (y - p.y) ** 2 >= (o.radius + p.radius + GAP) ** 2 for p in objects):
            objects.append(type(o)(o.shape, o.colour, o.size, x, y, o.radius, o.rgb))
    return Scene(tuple(objects), full.background, full.grain)


def distance_between_centres_in_x_or_y(split, seed, index, count=None):
    """Tempting because two comparisons are easy. But circles a radius apart along an axis can overlap."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    pairs = [rng.choice(HELD_OUT if split == "compositional" else SHOWN) for _ in range(count or 4)]
    while True:
        scene, centres = scene_of(rng, pairs, [rng.choice(SIZES) for _ in pairs]), []
        for _ in pairs:
            low, high = RADIUS["large"] + GAP, 1 - RADIUS["large"] - GAP
            centres.append((rng.between(low, high), rng.between(low, high)))
        near = (max(abs(x - u), abs(y - v)) for k, (x, y) in enumerate(centres) for u, v in centres[:k])
        if all(distance > RADIUS["large"] for distance in near):
            objects = zip(scene.objects, centres, strict=True)
            moved = (type(o)(o.shape, o.colour, o.size, x, y, o.radius, o.rgb) for o, (x, y) in objects)
            return Scene(tuple(moved), scene.background, scene.grain)


def crowded_scenes_drawn_again(split, seed, index, count=None):
    """Tempting because three large objects among four rarely fit. But crowded scenes then have more small objects."""
    scene = scene_at(split, seed, index, count)
    if len(scene.objects) == MOST and sum(o.size == "large" for o in scene.objects) >= 3:
        return crowded_scenes_drawn_again(split, seed, index + 10**6, count)
    return scene


SCENES = (
    held_out_in_training_alone,
    compositional_by_luck,
    one_generator_for_all,
    name_by_hash,
    as_many_as_fit,
    distance_between_centres_in_x_or_y,
    crowded_scenes_drawn_again,
)


def rows_and_columns_swapped(scenes, size):
    """Tempting because a point is (x, y). But an image has the index [row, column], that is [y, x]."""
    return drawing.cover(scenes, size).mT


def without_antialiasing(scenes, size):
    """Tempting because a point is inside or outside. But edges become stairs, and areas jump with every pixel."""
    return (drawing.cover(scenes, size) >= 0.5).float()


def edge_of_two_pixels(scenes, size):
    """Tempting because a softer edge looks better. But a pixel outside the shape then counts as covered."""
    alpha = drawing.cover(scenes, 2 * size)  # the edge at twice the resolution, averaged
    return torch.nn.functional.avg_pool2d(alpha, 3, stride=2, padding=1)


def corners_instead_of_centres(scenes, size):
    """Tempting because pixel i begins at i / size. But its centre is half a pixel further, so the image shifts."""
    moved = [
        Scene(
            tuple(
                type(o)(o.shape, o.colour, o.size, o.x + 0.5 / size, o.y + 0.5 / size, o.radius, o.rgb)
                for o in scene.objects
            ),
            scene.background,
            scene.grain,
        )
        for scene in scenes
    ]
    return drawing.cover(moved, size)


def order_of_shapes(scenes, size):
    """Tempting because objects of one shape are computed together. But each keeps its own index in the scene."""
    ordered = [
        Scene(tuple(sorted(scene.objects, key=lambda o: SHAPES.index(o.shape))), scene.background, scene.grain)
        for scene in scenes
    ]
    return drawing.cover(ordered, size)


COVERS = (
    rows_and_columns_swapped,
    without_antialiasing,
    edge_of_two_pixels,
    corners_instead_of_centres,
    order_of_shapes,
)
