"""Wrong scenes and pictures that people really make. Each must fail the tests of ``toyworld.scenes`` or ``.draw``."""

import random

import torch

from toyworld import drawing
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, GAP, HELD_OUT, MOST, RADIUS, SHAPES, SHOWN, SIZES, Scene, scene_at, scene_of


def held_out_in_training_alone(split, seed, index, count=None):
    """Tempting because only training must not see the pairs; ``test`` then measures the generalisation as well."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    count = count or rng.integer(1, MOST)
    shown = SHOWN if split == "train" else tuple((c, s) for c in COLOURS for s in SHAPES)
    pairs = [rng.choice(shown) for _ in range(count)]
    if split == "compositional":
        pairs[rng.integer(0, count - 1)] = rng.choice(HELD_OUT)
    return scene_of(rng, pairs, [rng.choice(SIZES) for _ in pairs])


def compositional_by_luck(split, seed, index, count=None):
    """Tempting because all pairs may occur there; most scenes then hold nothing new, and the score says nothing."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    pairs = SHOWN + HELD_OUT if split == "compositional" else SHOWN
    shown = [rng.choice(pairs) for _ in range(count or rng.integer(1, MOST))]
    return scene_of(rng, shown, [rng.choice(SIZES) for _ in shown])


def one_generator_for_all(split, seed, index, count=None):
    """Tempting because one seed at the start makes a run repeatable; example i then depends on who asked before."""
    if index == 0:
        random.seed(seed)
    return scene_at(split, seed, random.randrange(10**9), count)


def name_by_hash(split, seed, index, count=None):
    """Tempting because ``hash`` makes a number of anything; of texts, another one in every process."""
    return scene_at(split, hash((split, seed)), index, count)


def as_many_as_fit(split, seed, index, count=None):
    """Tempting because it cannot loop for long: an object that finds no free place is left out."""
    rng = Rng(f"{split}/{seed}/{index}/scene")
    full, objects = scene_at(split, seed, index, count), []
    for o in full.objects:
        x, y = (rng.between(o.radius + GAP, 1 - o.radius - GAP) for _ in "xy")
        if all((x - p.x) ** 2 + (y - p.y) ** 2 >= (o.radius + p.radius + GAP) ** 2 for p in objects):
            objects.append(type(o)(o.shape, o.colour, o.size, x, y, o.radius, o.rgb))
    return Scene(tuple(objects), full.background, full.grain)


def distance_between_centres_in_x_or_y(split, seed, index, count=None):
    """Tempting because it compares numbers with numbers; two circles may be near along both axes and still overlap."""
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
    """Tempting because three large objects among four rarely fit; small ones then fill the crowded scenes."""
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
    """Tempting because a point is (x, y); a picture is indexed [row, column], which is [y, x]."""
    return drawing.cover(scenes, size).mT


def without_antialiasing(scenes, size):
    """Tempting because inside is inside; edges turn to stairs, and areas jump with every pixel."""
    return (drawing.cover(scenes, size) >= 0.5).float()


def edge_of_two_pixels(scenes, size):
    """Tempting because a softer edge looks better; a pixel well outside the shape is then said to be covered."""
    alpha = drawing.cover(scenes, 2 * size)  # the ramp of a pixel of twice the resolution, used for each
    return torch.nn.functional.avg_pool2d(alpha, 3, stride=2, padding=1)


def corners_instead_of_centres(scenes, size):
    """Tempting because pixel i is at i / size; that is its edge, and the whole picture shifts by half a pixel."""
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
    """Tempting because objects of one shape are computed together; each must go back to its own place in the order."""
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
