"""``toyworld.scenes``: what is drawn how often, what is held out, what never touches, and that an index is enough."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.misconceptions import scenes as misconceptions
from tests.toyworld.test_rng import chi_square, limit
from toyworld.scenes import COLOURS, HELD_OUT, RELATIONS, SHAPES, SHOWN, SPLITS, Object, Scene, related, scene_at

GAP = 0.02  # picture widths, between two circles and from there to the edge
INVERSE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


def check_distributions(candidate, split: str) -> None:
    scenes = [candidate(split, 7, index) for index in range(1000)]
    counts = Counter(len(scene.objects) for scene in scenes)
    assert chi_square(counts, [1, 2, 3, 4]) <= limit(4), counts
    objects = [o for scene in scenes for o in scene.objects]
    sizes = Counter((len(scene.objects) == 4, o.size) for scene in scenes for o in scene.objects)
    for full in (False, True):  # also where room is scarce
        of_these = Counter({size: n for (was_full, size), n in sizes.items() if was_full == full})
        assert chi_square(of_these, ["small", "large"]) <= limit(2), of_these
    pairs = Counter((o.colour, o.shape) for o in objects)
    if split != "compositional":
        assert chi_square(pairs, list(SHOWN)) <= limit(len(SHOWN))
        return
    new = [[k for k, o in enumerate(scene.objects) if (o.colour, o.shape) in HELD_OUT] for scene in scenes]
    assert [len(places) for places in new] == [1] * len(scenes), "not every scene turns on one held-out pair"
    assert chi_square(Counter({pair: pairs[pair] for pair in HELD_OUT}), list(HELD_OUT)) <= limit(len(HELD_OUT))
    where = Counter(places[0] for places, scene in zip(new, scenes, strict=True) if len(scene.objects) == 4)
    assert chi_square(where, [0, 1, 2, 3]) <= limit(4), where


def check_room(scene: Scene, count: int) -> None:
    assert len(scene.objects) == count
    for k, a in enumerate(scene.objects):
        edge = a.radius + GAP
        assert edge <= a.x <= 1 - edge, a
        assert edge <= a.y <= 1 - edge, a
        assert abs(a.radius / {"small": 0.09, "large": 0.15}[a.size] - 1) <= 0.05, a
        for b in scene.objects[:k]:
            assert (a.x - b.x) ** 2 + (a.y - b.y) ** 2 >= (edge + b.radius) ** 2 - 1e-12, (a, b)


def check_order_of_access(candidate) -> None:
    indices = [5, 0, 3, 11]
    forward = {index: candidate("test", 1, index) for index in indices}
    backward = {index: candidate("test", 1, index) for index in reversed(indices)}
    assert forward == backward


def digest(candidate) -> str:
    """Of every attribute of 200 scenes, floats to their last bit."""
    scenes = [candidate(SPLITS[index % 3], 2, index) for index in range(200)]
    return hashlib.sha256(repr(scenes).encode()).hexdigest()


def check_other_process(candidate) -> None:
    """Another process, which hashes texts in another way, makes the same scenes."""
    script = (
        "from tests.toyworld.test_scenes import digest\n"
        f"from {candidate.__module__} import {candidate.__name__}\n"
        f"print(digest({candidate.__name__}))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4321"}
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], env=environment, cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == digest(candidate), done.stderr


@pytest.mark.parametrize("split", SPLITS)
def test_attributes_are_uniform_and_held_out_pairs_stay_out(split: str) -> None:
    check_distributions(scene_at, split)


def test_held_out_pairs_leave_every_colour_and_shape_in_training() -> None:
    assert len(set(HELD_OUT)) == 8
    assert len(SHOWN) == len(COLOURS) * len(SHAPES) - 8
    assert not set(SHOWN) & set(HELD_OUT)
    assert {c for c, _ in HELD_OUT} <= set(COLOURS)
    assert {s for _, s in HELD_OUT} <= set(SHAPES)
    assert max(Counter(c for c, _ in HELD_OUT).values()) <= 2
    assert max(Counter(s for _, s in HELD_OUT).values()) <= 2


@given(split=st.sampled_from(SPLITS), seed=st.integers(0, 9), index=st.integers(0, 10**9), count=st.integers(1, 4))
def test_count_is_kept_and_nothing_touches(split: str, seed: int, index: int, count: int) -> None:
    check_room(scene_at(split, seed, index, count), count)


@given(index=st.integers(0, 10**9))
def test_colours_stay_between_0_and_1(index: int) -> None:
    scene = scene_at("train", 0, index)
    for channel in (*scene.background, *(channel for o in scene.objects for channel in o.rgb), scene.grain):
        assert 0 <= channel <= 1


def test_splits_seeds_and_indices_are_different_scenes() -> None:
    scenes = [scene_at(split, seed, index) for split in SPLITS for seed in range(3) for index in range(50)]
    assert len(set(scenes)) == len(scenes)


def test_an_index_is_enough() -> None:
    check_order_of_access(scene_at)
    check_other_process(scene_at)


@pytest.mark.parametrize("count", [0, -1, 5])
def test_a_wrong_count_is_named(count: int) -> None:
    with pytest.raises(ValueError, match=f"count must be from 1 to 4, got {count}"):
        scene_at("train", 0, 0, count)


def test_a_wrong_split_is_named() -> None:
    with pytest.raises(ValueError, match="one of train, test, compositional, got 'valid'"):
        scene_at("valid", 0, 0)


def at(x: int, y: int) -> Object:
    """In hundredths of the picture's width."""
    return Object("circle", "red", "small", x / 100, y / 100, 0.09, (0.0, 0.0, 0.0))


PLACES = st.builds(at, st.integers(10, 90), st.integers(10, 90))


@given(a=PLACES, b=PLACES, relation=st.sampled_from(RELATIONS))
def test_relations_turn_around(a: Object, b: Object, relation: str) -> None:
    assert related(relation, a, b) == related(INVERSE[relation], b, a)
    there, back = related(relation, a, b), related(relation, b, a)
    assert (there is None) == (back is None)
    assert there is None or there != back


def test_left_is_small_x_above_is_small_y_and_a_tenth_is_needed() -> None:
    a, b = at(20, 50), at(31, 41)
    assert related("left of", a, b) is True
    assert related("right of", a, b) is False
    assert related("above", b, a) is None  # 0.09 apart
    assert related("below", a, b) is None
    assert related("above", at(50, 20), at(50, 80)) is True


@pytest.mark.parametrize("wrong", misconceptions.SCENES, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_order_of_access(wrong)
        for index in range(40):
            check_room(wrong("train", 0, index, 4), 4)
        for split in ("compositional", "test"):
            check_distributions(wrong, split)
        check_other_process(wrong)

    with pytest.raises(AssertionError):
        folder_tests()
