"""What lies exactly on a threshold counts, and what lies just beyond it does not."""

import math

import pytest
import torch

from show_attend_tell.datasets.sources import tokenizer_of
from show_attend_tell.evaluate import is_near, pointing
from toyworld.scenes import Object, Scene

STAR = Object("star", "red", "small", 0.5, 0.5, 1 / 16, (0.9, 0.1, 0.1))


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_point_on_the_larger_box_is_near(axis: int, sign: int) -> None:
    """The box reaches 1/16 + 1/8 = 3/16 from the middle. Powers of two have no rounding."""
    point = [0.5, 0.5]
    point[axis] = 0.5 + sign * 3 / 16
    assert is_near(tuple(point), STAR, 1 / 8)
    point[axis] = math.nextafter(point[axis], sign * math.inf)
    assert not is_near(tuple(point), STAR, 1 / 8)


def test_the_margin_is_one_cell() -> None:
    """8×8 cells of 1/8, with middles at 1/16, 3/16, …: four of them in a row are at most 3/16 from the middle at 1/2.
    With half a cell more it would be two."""
    scene = Scene((STAR,), (0.9, 0.9, 0.9), 0.0)
    ((_, chance),) = pointing(torch.full((3, 64), 1 / 64), ["a", "red", "star"], scene, "english")
    assert chance == 16 / 64


def test_a_word_that_comes_just_often_enough_is_known() -> None:
    assert tokenizer_of([["a", "dog"], ["a", "cat"], ["a", "dog"]], 2).words == ("a", "dog")
