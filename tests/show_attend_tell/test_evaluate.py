"""What is claimed → function → test

right: true and complete, as the parser reads it    judge_caption          test_captions_by_hand
the mean over captions                              shares                 test_shares_by_hand
which word names which object                       mentions               test_mentions_by_hand
a hit: the middle of the cell is near the object    pointing               test_pointing_by_hand
chance: the share of places that would be hits      pointing               test_chance_is_the_mean_over_all_places
the most frequent caption                           most_frequent_caption  test_the_most_frequent_caption
blank and exchanged images                          measure                test_a_model_that_sees_and_one_that_does_not
no attention, no pointing game                      measure                test_a_model_without_attention_does_not_point
"""

from collections import Counter

import pytest
import torch
from torch import nn

from show_attend_tell.data import encode, toy_caption, toy_scene, toy_words
from show_attend_tell.encoders import with_places
from show_attend_tell.evaluate import (
    LONGEST,
    Examples,
    captions_of,
    judge_caption,
    measure,
    mentions,
    most_frequent_caption,
    pointing,
    shares,
    toy_examples,
)
from show_attend_tell.model import Annotations, Captioner, State
from tests.show_attend_tell.misconceptions import evaluate as misconceptions
from tests.show_attend_tell.tiny import random_annotations, random_captioner
from tests.teach import check_close
from toyworld.captions import LANGUAGES
from toyworld.cursor import split
from toyworld.drawing import draw
from toyworld.facts import Description
from toyworld.rng import Rng
from toyworld.scenes import BACKGROUND, Object, Scene


def an_object(words: str, x: float, y: float, radius: float = 0.1) -> Object:
    size, colour, shape = words.split()
    return Object(shape, colour, size, x, y, radius, (0.5, 0.5, 0.5))


def a_scene(*objects: Object) -> Scene:
    return Scene(objects, BACKGROUND, 0.5)


SCENE = a_scene(an_object("small red star", 0.2, 0.6), an_object("large blue circle", 0.8, 0.6))
CAPTIONS = {  # readable, true, complete
    "two objects: a small red star and a large blue circle.": (True, True, True),
    "there are two objects: a large blue circle and a small red star.": (True, True, True),
    "two objects: a small red star and a large blue circle. the red star is to the left of the circle.": (True,) * 3,
    "a small red star and a large blue circle.": (True, True, False),  # there may be more
    "two objects.": (True, True, False),
    "a red star.": (True, True, False),
    "three objects: a small red star, a large blue circle and a small black star.": (True, False, False),
    "two objects: a small red star and a large blue circle. a green star.": (True, False, True),
    "two objects: a small red circle and a large blue star.": (True, False, False),
    "two objects: a small red star and a large circle blue.": (False, False, False),
    "": (False, False, False),
}


@pytest.mark.parametrize("caption", CAPTIONS)
def test_captions_by_hand(caption: str) -> None:
    readable, true, complete = CAPTIONS[caption]
    expected = {"readable": readable, "true": true, "complete": complete, "right": true and complete}
    assert judge_caption(caption, SCENE, "english") == expected


def check_right(candidate) -> None:
    for caption, (readable, true, complete) in CAPTIONS.items():
        if readable:
            assert candidate(caption, SCENE, "english") == (true and complete), f"is it right: {caption!r}"


def test_shares_by_hand() -> None:
    captions, scenes = ["two objects.", "broken", *list(CAPTIONS)[:2]], [SCENE] * 4
    assert shares(captions, scenes, "english") == {"readable": 3 / 4, "true": 3 / 4, "complete": 1 / 2, "right": 1 / 2}
    with pytest.raises(ValueError, match="at least one caption"):
        shares([], [], "english")


MENTIONS = {
    ("english", "two objects: a small red star and a large blue circle."): [
        (6, Description("small", "red", "star")),
        (11, Description("large", "blue", "circle")),
    ],
    ("english", "two large red crosses and a star"): [
        (3, Description("large", "red", "cross")),
        (6, Description(shape="star")),
    ],
    ("english", "one object: a large"): [],
    ("english", ""): [],
    ("korean", "물체 두 개: 작은 초록색 원과 큰 노란색 십자 모양."): [
        (6, Description("small", "green", "circle")),
        (9, Description("large", "yellow", "cross")),
    ],
    ("korean", "큰 빨간색 별 두 개가 있다."): [(2, Description("large", "red", "star"))],
}  # fmt: skip


@pytest.mark.parametrize(("language", "caption"), MENTIONS)
def test_mentions_by_hand(language: str, caption: str) -> None:
    assert mentions(split(caption), language) == MENTIONS[language, caption]


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_objects_of_a_scene_are_mentioned(language: str) -> None:
    for k in range(40):
        scene = toy_scene("test", 0, k)
        found = [d for _, d in mentions(split(toy_caption(scene, language, Rng(f"{k}"))), language)]
        assert {Description(o.size, o.colour, o.shape) for o in scene.objects} == set(found)


WORDS = ["a", "small", "red", "star", "and", "a", "large", "blue", "circle"]


def look_at(star: tuple[int, int], circle: tuple[int, int], side: int = 10) -> torch.Tensor:
    """All attention on one cell at each of the two nouns, (column, row); on the image's first cell at other words."""
    weights = torch.zeros(len(WORDS), side * side)
    weights[:, 0] = 1
    for t, (column, row) in ((3, star), (8, circle)):
        weights[t] = 0.1 / (side * side)
        weights[t, row * side + column] = 0.9
    return weights


def check_pointing(candidate) -> None:
    """10×10 cells. The star's box, made larger by a cell, is x from 0 to 0.4 and y from 0.4 to 0.8: 16 middles."""
    for star, circle, hits in (
        ((1, 5), (8, 5), (True, True)),
        ((3, 7), (6, 4), (True, True)),  # in the extra cell
        ((4, 5), (5, 5), (False, False)),
        ((2, 8), (8, 3), (False, False)),
        ((5, 2), (8, 5), (False, True)),
        ((8, 5), (1, 5), (False, False)),  # each at the other object
    ):
        got = candidate(look_at(star, circle), WORDS, SCENE, "english")
        assert [hit for hit, _ in got] == list(hits), f"looks at {star} for the star, and at {circle} for the circle"
        assert [chance for _, chance in got] == pytest.approx([0.16, 0.16])


def test_pointing_by_hand() -> None:
    check_pointing(pointing)


def test_what_is_not_there_is_a_miss() -> None:
    got = pointing(look_at((1, 5), (8, 5)), [*WORDS[:-2], "green", "circle"], SCENE, "english")
    assert got == [(True, pytest.approx(0.16)), (False, 0.0)]


def test_two_objects_of_a_kind() -> None:
    scene = a_scene(an_object("small red star", 0.2, 0.2), an_object("small red star", 0.8, 0.8))
    for cell, hit in (((1, 1), True), ((8, 8), True), ((1, 8), False)):
        ((got, chance),) = pointing(look_at(cell, (0, 0)), ["two", "small", "red", "stars"], scene, "english")
        assert (got, chance) == (hit, pytest.approx(0.32))


def test_chance_is_the_mean_over_all_places() -> None:
    scene = toy_scene("test", 0, 1)
    words = split(toy_caption(scene, "english", Rng("0")))
    each = [pointing(torch.eye(64)[i].expand(len(words), 64), words, scene, "english") for i in range(64)]
    for k, (_, chance) in enumerate(each[0]):
        assert sum(hits[k][0] for hits in each) / 64 == pytest.approx(chance)


class Speaker(Captioner):
    """Says the right caption of the image that it sees, and looks at the first place; of others, the first caption.

    The first annotation of image k is k; that of a blank image is −1. For evaluation only.
    """

    def __init__(self, captions: list[str], language: str, has_attention: bool = True) -> None:
        nn.Module.__init__(self)  # it has no layers
        self.has_attention = has_attention
        self.ids = encode(toy_words(language), captions)
        self.size = nn.Parameter(torch.tensor(float(len(toy_words(language)))))

    def project(self, annotations):
        assert not self.training
        return Annotations(annotations, annotations[..., :0])

    def start(self, annotations):
        zeros = annotations.vectors[:, 0, :1] * 0
        return State(zeros, zeros)

    def step(self, words, state, annotations):
        image, t = annotations.vectors[:, 0, 0].clamp(min=0).long(), (state.h[:, 0] + 1).long()
        logits = nn.functional.one_hot(self.ids[image, t], int(self.size)) * 9.0
        weights = torch.eye(annotations.vectors.shape[1])[0].expand(len(words), -1)
        return logits, State(state.h + 1, state.c), weights


NUMBERS = (0, 1, 0, 3, 2, 3, 2, 5)  # of the scenes: three images have the scene of the image two places further


def measured(language: str, has_attention: bool = True) -> tuple[dict[str, dict[str, float]], list[str], list[Scene]]:
    """What is measured of a ``Speaker`` on the scenes ``NUMBERS``; their captions, and the scenes."""
    scenes = tuple(toy_scene("test", 0, k) for k in NUMBERS)
    captions = [toy_caption(scene, language, Rng(f"{k}")) for k, scene in enumerate(scenes)]
    annotations = torch.arange(8.0).view(8, 1, 1).expand(8, 64, 1)
    examples = Examples(scenes, draw(scenes, 16), annotations)
    model = Speaker(captions, language, has_attention)

    def annotations_of(blank: torch.Tensor) -> torch.Tensor:
        check_close("the blank image", blank, torch.tensor(BACKGROUND)[None, :, None, None].expand(1, 3, 16, 16))
        return -torch.ones(1, 64, 1)

    found = measure(model, toy_words(language), language, annotations_of, [examples], captions[3])
    assert model.training, "the mode is put back"
    return found, captions, list(scenes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_sees_and_one_that_does_not(language: str) -> None:
    """Exchanged are images with as many objects: here each gets the caption of the image two places further."""
    found, captions, scenes = measured(language)
    assert found["reached"]["right"] == 1
    assert found["exchanged images"]["right"] == 3 / 8
    assert found["exchanged images"] == shares(captions[2:] + captions[:2], scenes, language)
    assert found["blank images"] == shares(captions[:1] * 8, scenes, language)
    assert found["most frequent"] == shares(captions[3:4] * 8, scenes, language)
    assert 0 <= found["reached"]["pointing"] < 0.5, "the first place is empty"
    assert 0.05 < found["chance"]["pointing"] < 0.5


def test_a_model_without_attention_does_not_point() -> None:
    expected, (found, *_) = measured("english")[0], measured("english", has_attention=False)
    del expected["reached"]["pointing"], expected["chance"]
    assert found == expected


def test_no_scenes() -> None:
    with pytest.raises(ValueError, match="at least one caption"):
        measure(Speaker(["a star."], "english"), toy_words("english"), "english", lambda blank: blank, [], "a star.")


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back(training: bool) -> None:
    """Also when the model fails."""
    model = random_captioner(9, 4, 0).train(training)
    one, other = captions_of(model, random_annotations(2, 5, 4, 0))
    assert len(one.ids) <= LONGEST
    assert len(other.weights) == len(other.ids)
    assert model.training is training
    with pytest.raises(RuntimeError):
        captions_of(model, random_annotations(2, 5, 3, 0))
    assert model.training is training


def test_the_longest_caption_fits() -> None:
    """17 words and marks, <end> included, are the most."""
    lengths = [
        len(split(toy_caption(toy_scene("train", 0, k), language, Rng(f"{k}")))) + 1
        for language in LANGUAGES
        for k in range(300)
    ]
    assert max(lengths) == 17 < LONGEST


def test_the_most_frequent_caption() -> None:
    captions = [
        toy_caption(toy_scene("train", 3, k), "english", Rng(f"train/3/{k}/caption/0/english")) for k in range(60)
    ]
    counts = Counter(captions)
    assert counts[most_frequent_caption("english", 3, 60)] == max(counts.values())


def test_examples_are_the_scenes_of_the_split() -> None:
    chunks = list(toy_examples(with_places, "compositional", 5, 7, 16, chunk=3))
    assert [len(examples.scenes) for examples in chunks] == [3, 3, 1]
    assert [scene for examples in chunks for scene in examples.scenes] == [
        toy_scene("compositional", 5, k) for k in range(7)
    ]
    for examples in chunks:
        assert torch.equal(examples.annotations, with_places(examples.pixels))
        assert torch.allclose(examples.pixels, draw(examples.scenes, 16), atol=1 / 255)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.RIGHT)
def test_wrong_judge_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_right(wrong)


def test_the_game_of_the_misconceptions_is_right_without_one() -> None:
    check_pointing(misconceptions._game)


@each(misconceptions.GAMES)
def test_wrong_game_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_pointing(wrong)
