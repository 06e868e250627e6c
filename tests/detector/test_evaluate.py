"""What is promised → function → test

hit: all attributes, one cell      fits       test_a_hit_by_hand
precision, recall, all right       score      test_scores_by_hand
a hit is at most one cell away     evaluate   test_a_hit_is_at_most_one_cell_away
no object hides behind another     detect     test_objects_are_never_in_neighbouring_cells
"""

from dataclasses import replace

import pytest
import torch

from detector.data import ATTRIBUTES
from detector.decode import Detection
from detector.evaluate import evaluate, fits, score
from detector.model import CELL, Detector
from toyworld.scenes import Object, Scene, scene_at

RED_STAR = Object("star", "red", "large", 0.5, 0.25, 0.15, (0.9, 0.1, 0.1))
BLUE_CROSS = Object("cross", "blue", "small", 0.8, 0.75, 0.09, (0.1, 0.1, 0.9))
FOUND_STAR = Detection("red", "star", "large", 0.5, 0.25, 0.9)
FOUND_CROSS = Detection("blue", "cross", "small", 0.8, 0.75, 0.7)


def check_hit(candidate) -> None:
    assert candidate(FOUND_STAR, RED_STAR, 0.05)
    assert candidate(replace(FOUND_STAR, x=0.54, y=0.21), RED_STAR, 0.05), "near enough in x and in y"
    assert not candidate(replace(FOUND_STAR, x=0.56), RED_STAR, 0.05), "too far in x"
    assert not candidate(replace(FOUND_STAR, y=0.19), RED_STAR, 0.05), "too far in y"
    for name, wrong in (("colour", "blue"), ("shape", "cross"), ("size", "small")):
        assert not candidate(replace(FOUND_STAR, **{name: wrong}), RED_STAR, 0.05), f"the {name} is wrong"


def test_a_hit_by_hand() -> None:
    check_hit(fits)


def check_scores(candidate) -> None:
    """Four scenes: all right; one of two missed; one too many; the same object twice."""
    scenes = [Scene(objects, (0.9,) * 3, 0.0) for objects in ((RED_STAR, BLUE_CROSS),) * 2 + ((RED_STAR,),) * 2]
    found = [[FOUND_CROSS, FOUND_STAR], [FOUND_STAR], [FOUND_STAR, FOUND_CROSS], [FOUND_STAR, FOUND_STAR]]
    got = candidate(found, scenes, 0.05)
    assert got == pytest.approx({"precision": 5 / 7, "recall": 5 / 6, "all_right": 1 / 4})


def test_scores_by_hand() -> None:
    check_scores(score)


def test_nothing_found_is_no_division_by_zero() -> None:
    assert score([[]], [Scene((RED_STAR,), (0.9,) * 3, 0.0)], 0.05) == {"precision": 0, "recall": 0, "all_right": 0}


class Knows(Detector):
    """A detector that finds all objects of the first scenes of the test split, each ``error`` cells too far right."""

    def __init__(self, error: float) -> None:
        super().__init__()
        self.error = error

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        rows, columns = (side // CELL for side in images.shape[2:])
        logits = torch.zeros(len(images), 19, rows, columns)
        logits[:, 0] = -9
        for k in range(len(images)):
            for o in scene_at("test", 5, k).objects:
                x, y = o.x * columns, o.y * rows
                cell = logits[k, :, int(y), int(x)]
                cell[:3] = torch.tensor([9, x - int(x) + self.error, y - int(y)])
                for start, (name, values) in zip((3, 11, 17), ATTRIBUTES.items(), strict=True):
                    cell[start + values.index(getattr(o, name))] = 9
        return logits


@pytest.mark.parametrize(("error", "expected"), [(-1.1, 0), (-0.9, 1), (0.0, 1), (0.9, 1), (1.1, 0)])
def test_a_hit_is_at_most_one_cell_away(error: float, expected: float) -> None:
    got = evaluate(Knows(error), "test", seed=5, image_size=64, count=6)
    assert got == dict.fromkeys(("precision", "recall", "all_right"), expected), f"{error} cells too far right: {got}"


def colour_and_place_are_enough(detection, o, tolerance):
    """Tempting because a scene seldom has two red objects; then nobody notices that shapes are wrong."""
    return detection.colour == o.colour and max(abs(detection.x - o.x), abs(detection.y - o.y)) <= tolerance


def near_in_one_direction(detection, o, tolerance):
    """Tempting because ``min`` and ``max`` look alike."""
    right = (detection.colour, detection.shape, detection.size) == (o.colour, o.shape, o.size)
    return right and min(abs(detection.x - o.x), abs(detection.y - o.y)) <= tolerance


def detections_counted_as_hits(found, scenes, tolerance):
    """Tempting because it is the other way round; an object that is found twice then counts twice."""
    found, scenes = list(found), list(scenes)
    hits = sum(any(fits(d, o, tolerance) for o in s.objects) for ds, s in zip(found, scenes, strict=True) for d in ds)
    objects = sum(len(s.objects) for s in scenes)
    return score(found, scenes, tolerance) | {"precision": hits / sum(map(len, found)), "recall": hits / objects}


@pytest.mark.parametrize("wrong", [colour_and_place_are_enough, near_in_one_direction], ids=lambda f: f.__name__)
def test_wrong_hit_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_hit(wrong)


def test_wrong_score_is_caught() -> None:
    with pytest.raises(AssertionError):
        check_scores(detections_counted_as_hits)


def test_objects_are_never_in_neighbouring_cells() -> None:
    """3×3 max-pooling would keep only one of them. (In images of 64 pixels.)"""
    cells = 64 // CELL
    for k in range(500):
        places = [(int(o.x * cells), int(o.y * cells)) for o in scene_at("test", 0, k).objects]
        for i, (x, y) in enumerate(places):
            assert all(max(abs(x - u), abs(y - v)) > 1 for u, v in places[:i]), (k, places)
