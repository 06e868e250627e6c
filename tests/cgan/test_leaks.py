"""What is random says nothing: neither a sentence's wording whether it is true, nor an object's place what it is."""

import re

import pytest

from cgan.datasets import two
from cgan.datasets.toy import RADII, captioned, named_attributes, right_facts, toy_scene, wrong_facts
from tests.toyworld.counting import types_unchecked
from tests.toyworld.test_leaks import check_independent, groups_of
from toyworld.captions import say
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, SHAPES, SHOWN, SIZES, Object

ATTRIBUTES = "|".join((*COLOURS, *SHAPES, *SIZES))


@pytest.fixture(scope="module")
def objects() -> list[Object]:
    with types_unchecked():
        return [toy_scene("close", "train", 0, index).objects[0] for index in range(2000)]


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("attribute", ["colour", "shape", "size"])
def test_the_place_close_up_says_nothing_of_the_object(objects, attribute: str, axis: str) -> None:
    groups = groups_of([getattr(o, axis) for o in objects])
    check_independent(groups, [getattr(o, attribute) for o in objects], f"{axis} and {attribute}")


@pytest.mark.parametrize("attribute", ["colour", "shape"])
def test_the_exact_radius_close_up_says_the_size_and_no_more(objects, attribute: str) -> None:
    groups = groups_of([o.radius - sum(RADII[o.size]) / 2 for o in objects])
    check_independent(groups, [getattr(o, attribute) for o in objects], f"radius and {attribute}")


def test_the_wording_does_not_tell_right_from_wrong() -> None:
    """A discriminator that reads only the form of a sentence, not what it says, would otherwise find the false ones."""
    wordings, true = [], []
    with types_unchecked():
        scenes = [toy_scene("close", "train", 0, index) for index in range(1500)]
        for index, scene in enumerate(scenes):
            rng = Rng(f"leaks/{index}")
            for facts in (right_facts(scene, rng), wrong_facts(scene, rng.choice(scenes), rng)):
                wordings.append(re.sub(rf"\ban? \b|{ATTRIBUTES}", "…", say(facts, "english", rng)))
                true.append(len(true) % 2 == 0)  # first the right one, then the wrong one
    check_independent(wordings, true, "wording and truth")


def test_the_wording_of_a_relation_does_not_tell_right_from_wrong() -> None:
    wordings, true = [], []
    with types_unchecked():
        scenes = [two.two_scene("train", 0, index) for index in range(1500)]
        for index, scene in enumerate(scenes):
            rng = Rng(f"leaks/{index}")
            fact = two.true_relation(scene, rng)
            for one in (fact, two.wrong_relation(fact, scene, scenes, rng)):
                said = re.sub(rf"\ban? \b|{'|'.join((*COLOURS, *SHAPES))}", "…", two.say_in_order(one, "english", rng))
                wordings.append(said.replace("large", "small"))
                true.append(len(true) % 2 == 0)
    check_independent(wordings, true, "wording, relation and truth")


def test_no_training_sentence_names_a_pair_that_is_never_shown() -> None:
    """It would always be wrong, so a discriminator would refuse the pairs of the compositional split."""
    named = named_attributes(captioned("close", "english", "train", 0, 1500).facts)[:, :2].unique(dim=0).tolist()
    assert [(COLOURS[colour], SHAPES[shape]) for colour, shape in named] == sorted(
        SHOWN, key=lambda pair: (COLOURS.index(pair[0]), SHAPES.index(pair[1]))
    )
