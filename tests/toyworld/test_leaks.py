"""What is random says nothing: no attribute and no answer can be read from the exact colour, the exact radius, the
background, the noise, the place, or the order of the objects. A model could learn such a leak instead of its task.

Each number is sorted into five groups of equal size, and chi-square compares the groups: an attribute must come equally
often in each of them.
"""

import functools
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest

from tests.toyworld.counting import check_uniform, types_unchecked
from tests.toyworld.question_reader import matching, take_apart
from toyworld.questions import KINDS, question_at
from toyworld.scenes import BACKGROUND, HELD_OUT, RADIUS, RGB, Object, Scene, scene_at

GROUPS = 5
JITTER = 0.05


def groups_of(numbers: Sequence[float]) -> list[int]:
    """For each number its group, 0 for the smallest fifth."""
    order = sorted(range(len(numbers)), key=numbers.__getitem__)
    found = [0] * len(numbers)
    for rank, k in enumerate(order):
        found[k] = GROUPS * rank // len(numbers)
    return found


def check_independent(one: Sequence[Hashable], other: Sequence[Hashable], what: str) -> None:
    """Pearson's chi-square of the table of both stays below its mean plus six standard deviations."""
    n, both, rows, columns = len(one), Counter(zip(one, other, strict=True)), Counter(one), Counter(other)
    expected = {(row, column): rows[row] * columns[column] / n for row in rows for column in columns}
    statistic = sum((both[cell] - count) ** 2 / count for cell, count in expected.items())
    freedom = (len(rows) - 1) * (len(columns) - 1)
    limit = freedom + 6 * (2 * freedom) ** 0.5
    worst = max(expected, key=lambda cell: abs(both[cell] - expected[cell]))
    assert statistic <= limit, (
        f"{what}: {worst} comes {both[worst]} times, and {expected[worst]:.1f} times if one says nothing of the other\n"
        f"(chi-square {statistic:.1f}, limit {limit:.1f})"
    )


def exact_colour(channel: int) -> Callable[[Scene, Object, int], float | None]:
    """How far a channel is from the middle of its colour. None where it is cut at 0 or 1 (the red of orange, 0.98)."""

    def of(scene: Scene, o: Object, k: int) -> float | None:
        middle = RGB[o.colour][channel]
        return o.rgb[channel] - middle if JITTER <= middle <= 1 - JITTER else None

    return of


RANDOM: dict[str, Callable[[Scene, Object, int], float | None]] = {  # of object k of a scene
    "exact red": exact_colour(0),
    "exact green": exact_colour(1),
    "exact blue": exact_colour(2),
    "exact radius": lambda scene, o, k: o.radius / RADIUS[o.size],
    "background": lambda scene, o, k: scene.background[0],
    "grain": lambda scene, o, k: scene.grain,
    "x": lambda scene, o, k: o.x,
    "y": lambda scene, o, k: o.y,
}
ATTRIBUTES: dict[str, Callable[[Scene, Object, int], Hashable]] = {
    "colour": lambda scene, o, k: o.colour,
    "shape": lambda scene, o, k: o.shape,
    "held out": lambda scene, o, k: (o.colour, o.shape) in HELD_OUT,
    "size": lambda scene, o, k: o.size,
    "number of objects": lambda scene, o, k: len(scene.objects),
    "place in the list": lambda scene, o, k: k,
}
BY_GEOMETRY = {"size", "number of objects", "place in the list"}  # a large object has less room, and a fourth one too
ALIKE = {"x", "y"}


@functools.cache
def objects_of(split: str, count: int) -> list[tuple[Scene, Object, int]]:
    with types_unchecked():
        scenes = [scene_at(split, 5, index) for index in range(count)]
    return [(scene, o, k) for scene in scenes for k, o in enumerate(scene.objects)]


@pytest.fixture(scope="module", params=["train", "compositional"])
def objects(request) -> list[tuple[Scene, Object, int]]:
    return objects_of(request.param, 1500)


def check_scenes(objects: Sequence[tuple[Scene, Object, int]], random: str) -> None:
    known = [(number, one) for one in objects if (number := RANDOM[random](*one)) is not None]
    groups = groups_of([number for number, _ in known])
    for attribute, of in ATTRIBUTES.items():
        if random in ALIKE and attribute in BY_GEOMETRY:
            continue
        check_independent(groups, [of(*one) for _, one in known], f"{random} and {attribute}")


@pytest.mark.parametrize("random", RANDOM)
def test_no_attribute_can_be_read_from_what_is_random(objects, random: str) -> None:
    check_scenes(objects, random)


def test_the_order_of_the_objects_says_nothing(objects) -> None:
    """Neither of their attributes, nor of their places: of two objects of one size, each is at the left as often."""
    for attribute in ("colour", "shape", "size"):
        of = ATTRIBUTES[attribute]
        check_independent([k for *_, k in objects], [of(*one) for one in objects], f"order and {attribute}")
    pairs = [scene.objects[:2] for scene, o, k in objects if k == 1 and o.size == scene.objects[0].size]
    for axis in ("x", "y"):
        first = Counter(getattr(a, axis) < getattr(b, axis) for a, b in pairs)
        check_uniform(first, [True, False], f"the first object has the smaller {axis}")


@pytest.fixture(scope="module")
def asked() -> list[tuple[Scene, Any]]:
    with types_unchecked():
        return [question_at("train", 5, index) for index in range(3000)]


@pytest.mark.parametrize("kind", KINDS)
def test_no_answer_can_be_read_from_what_is_random(asked, kind: str) -> None:
    own = [(scene, question.answer) for scene, question in asked if question.kind == kind]
    for random in ("exact green", "exact radius", "background", "grain"):
        groups = groups_of([RANDOM[random](scene, scene.objects[0], 0) for scene, _ in own])
        check_independent(groups, [answer for _, answer in own], f"{random} and the answers to {kind}")


def test_the_object_that_is_asked_for_is_anywhere_in_the_list(asked) -> None:
    places, first = Counter(), []
    for scene, question in asked:
        kind, _, named = take_apart(question.text)
        found = [[scene.objects.index(o) for o in matching(one, scene)] for one in named]
        if kind in ("colour", "shape") and len(scene.objects) == 4:
            places.update(found[0])
        if kind == "relation":
            first.append((found[0] < found[1], question.answer))
    check_uniform(places, [0, 1, 2, 3], "the place of the object that is asked for, of four")
    check_uniform(Counter(is_first for is_first, _ in first), [True, False], "the first one named is first in the list")
    check_independent(*zip(*first, strict=True), "order in the list and the answers to relation")


def changed(scene: Scene, o: Object, **changes: Any) -> tuple[Scene, Object]:
    values = {name: getattr(o, name) for name in Object.__dataclass_fields__}
    return scene, Object(**values | changes)


LEAKS: dict[str, Callable[[Scene, Object], tuple[Scene, Object]]] = {  # what is read → a world in which it leaks
    "exact green": lambda scene, o: changed(
        scene, o, rgb=(o.rgb[0], o.rgb[1] + 0.02 * (o.size == "large"), o.rgb[2])
    ),
    "exact radius": lambda scene, o: changed(scene, o, radius=o.radius * (1.01 if o.shape == "star" else 1)),
    "background": lambda scene, o: (
        Scene(scene.objects, tuple(c + 0.01 * len(scene.objects) for c in BACKGROUND), scene.grain), o
    ),
    "grain": lambda scene, o: (Scene(scene.objects, scene.background, scene.grain / len(scene.objects)), o),
    "x": lambda scene, o: changed(scene, o, x=o.x + 0.1 * (o.colour == "red")),
}  # fmt: skip


@pytest.mark.parametrize("random", LEAKS)
def test_a_leak_is_caught(random: str) -> None:
    leaking = [(*LEAKS[random](scene, o), k) for scene, o, k in objects_of("train", 1500)]
    with pytest.raises(AssertionError, match=f"{random} and "):
        check_scenes(leaking, random)


def test_half_of_the_other_objects_are_near_misses(asked) -> None:
    """Where no red star is: half of the objects are drawn from what is red or a star, and a quarter of the others are,
    too. So 1/2 + 1/2 · 1/4, about 0.63; if all were, "nothing is red" would never be the reason."""
    near = []
    for scene, question in asked:
        kind, _, ((_, colour, shape), *_) = take_apart(question.text)
        if kind == "existence" and question.answer == "no" and colour and shape:
            near += [o.colour == colour or o.shape == shape for o in scene.objects]
    assert len(near) > 200
    assert 0.53 < sum(near) / len(near) < 0.74


def test_the_held_out_pair_of_a_relation_is_named_first_or_last() -> None:
    with types_unchecked():
        questions = [question_at("compositional", 5, index)[1] for index in range(1500)]
    first = Counter()
    for question in questions:
        kind, _, ((_, colour, shape), *_) = take_apart(question.text)
        if kind == "relation":
            first[(colour, shape) in HELD_OUT] += 1
    check_uniform(first, [True, False], "the held-out pair is named first")
