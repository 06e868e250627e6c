"""What lies exactly on a threshold counts, and what lies just beyond it does not; and what a baseline is made of."""

import math

import pytest
import torch

from show_attend_tell.data import toy_caption, toy_scene, toy_words
from show_attend_tell.datasets.sources import tokenizer_of
from show_attend_tell.evaluate import Examples, is_near, measure, pointing, shares
from tests.show_attend_tell.test_evaluate import NUMBERS, Speaker
from toyworld.cursor import split
from toyworld.drawing import draw
from toyworld.rng import Rng
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


def test_what_the_model_says_of_a_blank_image_and_chance_in_the_game() -> None:
    """Here the blank image looks like image 7. Chance is the mean over all nouns of all captions."""
    scenes = tuple(toy_scene("test", 0, k) for k in NUMBERS)
    captions = [toy_caption(scene, "english", Rng(f"{k}")) for k, scene in enumerate(scenes)]
    examples = Examples(scenes, draw(scenes, 16), torch.arange(8.0).view(8, 1, 1).expand(8, 64, 1))
    model, words = Speaker(captions, "english"), toy_words("english")
    found = measure(model, words, "english", lambda blank: torch.full((1, 64, 1), 7.0), [examples], captions[3])
    assert found["blank images"] == shares(captions[7:] * 8, scenes, "english")
    assert found["blank images"]["right"] == 1 / 8
    pairs = zip(captions, scenes, strict=True)
    played = [pointing(torch.ones(24, 64), split(caption), scene, "english") for caption, scene in pairs]
    chances = [chance for game in played for _, chance in game]
    assert found["chance"]["pointing"] == pytest.approx(sum(chances) / len(chances))
    assert min(chances) < max(chances)


def test_captions_without_a_noun_hit_nothing() -> None:
    scenes = tuple(toy_scene("test", 0, k) for k in (1, 1))
    examples = Examples(scenes, draw(scenes, 16), torch.arange(2.0).view(2, 1, 1).expand(2, 64, 1))
    model, words = Speaker(["two objects."] * 2, "english"), toy_words("english")
    found = measure(model, words, "english", lambda blank: torch.zeros(1, 64, 1), [examples], "two objects.")
    assert (found["reached"]["pointing"], found["chance"]["pointing"]) == (0, 0)
