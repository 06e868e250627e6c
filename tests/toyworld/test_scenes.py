"""``toyworld.scenes``: relations, distributions, held-out pairs, distances, and the same scene for the same index."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.counting import check_uniform, types_unchecked
from tests.toyworld.elsewhere import digest
from tests.toyworld.misconceptions import scenes as misconceptions
from toyworld.scenes import COLOURS, HELD_OUT, RELATIONS, SHAPES, SHOWN, SPLITS, Object, Scene, related, scene_at

GAP = 0.02  # image widths, between two circles and from a circle to the edge
INVERSE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


def at(x: int, y: int) -> Object:
    """In hundredths of the image's width."""
    return Object("circle", "red", "small", x / 100, y / 100, 0.09, (0.0, 0.0, 0.0))


def test_relations_by_hand() -> None:
    """x grows to the right, y grows downwards, and 0.1 is needed."""
    a, b = at(20, 50), at(31, 41)
    assert related("left of", a, b) is True
    assert related("right of", a, b) is False
    assert related("above", b, a) is None, "they differ by 0.09 in y, less than the margin of 0.1"
    assert related("below", a, b) is None, "they differ by 0.09 in y, less than the margin of 0.1"
    assert related("above", at(50, 20), at(50, 80)) is True, "y = 0.2 is above y = 0.8: y grows downwards"


def test_held_out_pairs_leave_every_colour_and_shape_in_training() -> None:
    assert len(set(HELD_OUT)) == 8
    assert len(SHOWN) == len(COLOURS) * len(SHAPES) - 8
    assert not set(SHOWN) & set(HELD_OUT)
    assert {c for c, _ in HELD_OUT} <= set(COLOURS)
    assert {s for _, s in HELD_OUT} <= set(SHAPES)
    assert max(Counter(c for c, _ in HELD_OUT).values()) <= 2
    assert max(Counter(s for _, s in HELD_OUT).values()) <= 2


def check_distributions(candidate, split: str) -> None:
    with types_unchecked():
        scenes = [candidate(split, 7, index) for index in range(1000)]
    check_uniform(Counter(len(scene.objects) for scene in scenes), [1, 2, 3, 4], "number of objects")
    for crowded in (False, True):  # large objects fit less easily in a crowded scene, but must be as frequent there
        sizes = Counter(o.size for scene in scenes for o in scene.objects if (len(scene.objects) == 4) == crowded)
        check_uniform(sizes, ["small", "large"], f"sizes in scenes with {'4' if crowded else '1 to 3'} objects")
    pairs = Counter((o.colour, o.shape) for scene in scenes for o in scene.objects)
    if split != "compositional":
        check_uniform(pairs, SHOWN, f"pairs of colour and shape in {split}")
        return
    held_out = [[k for k, o in enumerate(scene.objects) if (o.colour, o.shape) in HELD_OUT] for scene in scenes]
    for index, positions in enumerate(held_out):
        assert len(positions) == 1, f"scene {index} of {split} has {len(positions)} held-out pairs, not 1"
    check_uniform(Counter({pair: pairs[pair] for pair in HELD_OUT}), HELD_OUT, "held-out pairs")
    where = Counter(k for (k,), scene in zip(held_out, scenes, strict=True) if len(scene.objects) == 4)
    check_uniform(where, [0, 1, 2, 3], "position of the held-out pair among four objects")


def check_room(scene: Scene, count: int) -> None:
    assert len(scene.objects) == count, f"{len(scene.objects)} objects, not {count}"
    for k, a in enumerate(scene.objects):
        edge = a.radius + GAP
        assert edge <= min(a.x, a.y), f"{a} is too close to the left or the top edge"
        assert max(a.x, a.y) <= 1 - edge, f"{a} is too close to the right or the bottom edge"
        assert abs(a.radius / {"small": 0.09, "large": 0.15}[a.size] - 1) <= 0.05, f"the radius of {a}"
        for b in scene.objects[:k]:
            distance, least = math.hypot(a.x - b.x, a.y - b.y), edge + b.radius
            assert distance >= least - 1e-12, f"{a} and {b} are {distance:.3f} apart, less than {least:.3f}"


def check_order_of_access(candidate) -> None:
    indices = [5, 0, 3, 11]
    forward = {index: candidate("test", 1, index) for index in indices}
    backward = {index: candidate("test", 1, index) for index in reversed(indices)}
    for index in indices:
        assert forward[index] == backward[index], f"example {index} depends on the order of access"


def check_other_process(candidate, elsewhere: dict) -> None:
    there = elsewhere["digests"][candidate.__name__]
    assert there == digest(candidate), f"{candidate.__name__} makes other scenes in another process"


@pytest.mark.parametrize("split", SPLITS)
def test_attributes_are_uniform_and_held_out_pairs_stay_out(split: str) -> None:
    check_distributions(scene_at, split)


@given(split=st.sampled_from(SPLITS), seed=st.integers(0, 9), index=st.integers(0, 10**9), count=st.integers(1, 4))
def test_count_is_kept_and_nothing_touches(split: str, seed: int, index: int, count: int) -> None:
    check_room(scene_at(split, seed, index, count), count)


@given(index=st.integers(0, 10**9))
def test_colours_stay_between_0_and_1(index: int) -> None:
    scene = scene_at("train", 0, index)
    for channel in (*scene.background, *(channel for o in scene.objects for channel in o.rgb), scene.grain):
        assert 0 <= channel <= 1


def test_splits_seeds_and_indices_are_different_scenes() -> None:
    with types_unchecked():
        scenes = [scene_at(split, seed, index) for split in SPLITS for seed in range(3) for index in range(50)]
    assert len(set(scenes)) == len(scenes)


def test_an_index_is_enough(elsewhere) -> None:
    check_order_of_access(scene_at)
    check_other_process(scene_at, elsewhere)


@pytest.mark.parametrize("count", [0, -1, 5])
def test_a_wrong_count_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match=f"count must be from 1 to 4, got {count}"):
        scene_at("train", 0, 0, count)


def test_a_wrong_split_is_refused() -> None:
    with pytest.raises(ValueError, match="one of train, test, compositional, got 'valid'"):
        scene_at("valid", 0, 0)


PLACES = st.builds(at, st.integers(10, 90), st.integers(10, 90))


@given(a=PLACES, b=PLACES, relation=st.sampled_from(RELATIONS))
def test_the_opposite_relation_swaps_the_objects(a: Object, b: Object, relation: str) -> None:
    assert related(relation, a, b) == related(INVERSE[relation], b, a)
    there, back = related(relation, a, b), related(relation, b, a)
    assert (there is None) == (back is None)
    assert there is None or there != back


@pytest.mark.parametrize("wrong", misconceptions.SCENES, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong, elsewhere) -> None:
    def folder_tests() -> None:
        check_order_of_access(wrong)
        for index in range(40):
            check_room(wrong("train", 0, index, 4), 4)
        for split in ("compositional", "test"):
            check_distributions(wrong, split)
        check_other_process(wrong, elsewhere)

    with pytest.raises(AssertionError):
        folder_tests()
