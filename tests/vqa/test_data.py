"""What is promised → function → test

words from 1, answers from 0, 0 behind   Vocabulary     test_encode_by_hand, test_decoding_gives_the_words_back
each word of the toy world is known      toy_vocabulary test_every_word_that_the_toy_world_can_say_is_known
a batch is a function of its step        toy_batches    test_a_batch_is_a_function_of_its_step
a question is about its picture          toy_batches    test_a_reader_agrees_with_every_answer
the questions of a split, in stretches   toy_examples   test_examples_are_the_questions_of_the_split
"""

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from tests.toyworld.question_reader import read, take_apart
from toyworld.drawing import draw
from toyworld.questions import ANSWERS, PHRASES, more_questions, question_at
from toyworld.scenes import COLOURS, HELD_OUT, RELATIONS, SHAPES, SIZES, SPLITS, Scene
from vqa.data import (
    LONGEST,
    Vocabulary,
    split_words,
    toy_batches,
    toy_examples,
    toy_vocabulary,
)

PIXEL = {"rtol": 0, "atol": 1 / 255}
SIDE = 16  # pixels


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    return toy_vocabulary()


def decoded(vocabulary: Vocabulary, row: torch.Tensor) -> str:
    return " ".join(vocabulary.words[number - 1] for number in row.tolist() if number) + "?"


def test_words_are_split() -> None:
    assert split_words("What's on the T-shirt, 2 cats?") == ["what's", "on", "the", "t", "shirt", "2", "cats"]
    assert split_words(" ?! ") == []


def test_encode_by_hand() -> None:
    vocabulary = Vocabulary.of(["Is it red?", "it is a cat"], ["yes", "no"])
    assert vocabulary.words == ("a", "cat", "is", "it", "red")
    assert vocabulary.answers == ("yes", "no")
    assert vocabulary.encode(["IS it a cat?", "a red dog", "red"]).tolist() == [
        [3, 4, 1, 2],
        [1, 5, 0, 0],
        [5, 0, 0, 0],
    ]
    assert vocabulary.unknown("Is a green dog red?") == ["green", "dog"]
    assert vocabulary.unknown("Is it red?") == []
    assert vocabulary.number_of(["no", "yes", "no"]).tolist() == [1, 0, 1]


@given(
    texts=st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=7).map(" ".join), min_size=1, max_size=4)
)
def test_decoding_gives_the_words_back(texts: list[str]) -> None:
    vocabulary = Vocabulary.of(texts, [])
    rows = vocabulary.encode(texts)
    assert rows.shape == (len(texts), max(len(text.split()) for text in texts))
    assert [decoded(vocabulary, row) for row in rows] == [f"{text}?" for text in texts]
    for row in rows:
        assert (row.diff()[row[1:] == 0] <= 0).all(), "filled up behind"
        assert row[: (row != 0).sum()].all(), "filled up in front or in the middle"


@pytest.mark.parametrize("text", ["", "  ?", "dog cat"])
def test_a_question_without_a_known_word_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"at least one known word, got {text!r}".replace("?", r"\?")):
        Vocabulary(("red",), ()).encode(["red", text])


def test_a_question_may_have_forty_words_and_no_more() -> None:
    vocabulary = Vocabulary(("red",), ())
    assert vocabulary.encode(["red " * LONGEST]).shape == (1, LONGEST)
    with pytest.raises(ValueError, match=f"at most {LONGEST} words, got {LONGEST + 1}: 'red red"):
        vocabulary.encode(["red", "red " * (LONGEST + 1)])


def test_every_word_that_the_toy_world_can_say_is_known(vocabulary) -> None:
    """All phrases with all nouns, whether drawn or not; and what the three splits do ask."""
    nouns = [*SHAPES, "object"]
    plurals = [noun + ("es" if noun.endswith("s") else "s") for noun in nouns]
    spoken = {*nouns, *plurals, *COLOURS, *SIZES, *" ".join(RELATIONS).split(), "more", "fewer", "a", "an"}
    spoken |= {word for phrases in PHRASES.values() for phrase in phrases for word in split_words(phrase)}
    assert spoken <= set(vocabulary.words)
    assert set(vocabulary.words) <= spoken, "a word that is never said"
    for split, k in product(SPLITS, range(300)):
        scene, first = question_at(split, 7, k)
        more = more_questions(split, 7, k, scene, 1) if split != "compositional" else []
        for question in (first, *more):
            assert vocabulary.unknown(question.text) == []
            assert ANSWERS[int(vocabulary.number_of([question.answer]))] == question.answer


def check_a_reader_agrees(candidate, vocabulary, step: int, pictures: int, questions: int, seed: int) -> None:
    """The scenes are made anew; each question is put back into words, and read by the tests' own reader."""
    images, words, answers = candidate(vocabulary, seed, pictures, questions, SIDE)(step)
    scenes = [question_at("train", seed, k)[0] for k in range(step * pictures, (step + 1) * pictures)]
    assert images.shape == (pictures, 3, SIDE, SIDE)
    assert len(words) == len(answers) == pictures * questions
    assert_close(images, draw(scenes, SIDE), **PIXEL)
    for row, (question, answer) in enumerate(zip(words, answers, strict=True)):
        text, scene = decoded(vocabulary, question), scenes[row // questions]
        assert read(text, scene)[1] == vocabulary.answers[answer], f"question {row}: {text} {scene}"
        check_nothing_held_out(scene, text)
        if row % questions == 0:
            first = question_at("train", seed, step * pictures + row // questions)[1]
            assert (text, vocabulary.answers[answer]) == (first.text, first.answer)


def check_nothing_held_out(scene: Scene, text: str = "how many objects are there?") -> None:
    shown = {(o.colour, o.shape) for o in scene.objects}
    named = {(colour, shape) for _, colour, shape in take_apart(text)[2]}
    assert not (shown | named) & set(HELD_OUT), f"a held-out pair: {text} {scene}"


@given(step=st.integers(0, 200), seed=st.integers(0, 3), pictures=st.integers(1, 5), questions=st.integers(1, 4))
@settings(max_examples=15)
def test_a_reader_agrees_with_every_answer(vocabulary, step: int, seed: int, pictures: int, questions: int) -> None:
    check_a_reader_agrees(toy_batches, vocabulary, step, pictures, questions, seed)


def tiled(vocabulary, seed, pictures, questions, image_size):
    """Tempting because all first questions, then all second ones is how two lists are put together."""

    def batch_at(step: int):
        images, words, answers = toy_batches(vocabulary, seed, pictures, questions, image_size)(step)
        order = torch.arange(len(words)).view(pictures, questions).T.flatten()
        return images, words[order], answers[order]

    return batch_at


def off_by_one_batch(vocabulary, seed, pictures, questions, image_size):
    """Tempting because ``step + k`` looks like an index; neighbouring batches then share all pictures but one."""
    return lambda step: toy_batches(vocabulary, seed, 1, questions, image_size)(step)


@pytest.mark.parametrize("wrong", [tiled, off_by_one_batch], ids=lambda function: function.__name__)
def test_wrong_batches_are_caught(wrong, vocabulary) -> None:
    with pytest.raises(AssertionError):
        check_a_reader_agrees(wrong, vocabulary, 3, 4, 3, seed=0)


def test_a_batch_is_a_function_of_its_step(vocabulary) -> None:
    one, other = (toy_batches(vocabulary, 1, 3, 2, SIDE) for _ in range(2))
    forwards, backwards = [one(step) for step in range(4)], [other(step) for step in (3, 2, 1, 0)][::-1]
    for here, there in zip(forwards, backwards, strict=True):
        assert all(torch.equal(*pair) for pair in zip(here, there, strict=True))
    images = torch.cat([batch[0] for batch in forwards]).flatten(1)
    assert len(images.unique(dim=0)) == 12, "two pictures are the same"


def test_another_seed_gives_other_pictures_and_questions(vocabulary) -> None:
    batches = [toy_batches(vocabulary, seed, 4, 3, SIDE)(0) for seed in (0, 1)]
    assert not torch.equal(batches[0][0], batches[1][0])
    texts = [[decoded(vocabulary, row) for row in words] for _, words, _ in batches]
    assert texts[0] != texts[1]


@pytest.mark.parametrize(("count", "lengths"), [(7, [3, 3, 1]), (6, [3, 3]), (2, [2]), (0, [])])
@pytest.mark.parametrize("split", SPLITS)
def test_examples_are_the_questions_of_the_split(split: str, count: int, lengths: list[int]) -> None:
    stretches = list(toy_examples(split, 5, count, SIDE, stretch=3))
    assert [len(examples.texts) for examples in stretches] == lengths
    index = 0
    for examples in stretches:
        columns = (examples.picture, examples.texts, examples.answers, examples.kinds)
        for picture, text, answers, kind in zip(*columns, strict=True):
            scene, question = question_at(split, 5, index)
            assert_close(examples.images[picture], draw([scene], SIDE)[0], **PIXEL)
            assert (text, answers, kind) == (question.text, (question.answer,), question.kind)
            assert read(text, scene) == (kind, answers[0])
            index += 1
    assert index == count
