"""Words from 1, answers from 0, padding at the end; every word of the toy world is known."""

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toyworld.questions import ANSWERS, PHRASES, more_questions, question_at
from toyworld.scenes import COLOURS, RELATIONS, SHAPES, SIZES, SPLITS
from vqa.extensions.vocabulary import LONGEST, QuestionVocabulary, split_words, toy_vocabulary


@pytest.fixture(scope="module")
def vocabulary() -> QuestionVocabulary:
    return toy_vocabulary()


def decoded(vocabulary: QuestionVocabulary, row: torch.Tensor) -> str:
    return " ".join(vocabulary.words[number - 1] for number in row.tolist() if number) + "?"


def test_words_are_split() -> None:
    assert split_words("What's on the T-shirt, 2 cats?") == ["what's", "on", "the", "t", "shirt", "2", "cats"]
    assert split_words(" ?! ") == []


def test_encode_by_hand() -> None:
    vocabulary = QuestionVocabulary.of(["Is it red?", "it is a cat"], ["yes", "no"])
    assert vocabulary.words == ("a", "cat", "is", "it", "red")
    assert vocabulary.answers == ("yes", "no")
    assert vocabulary.encode(["IS it a cat?", "a red dog", "red"]).tolist() == [
        [3, 4, 1, 2],
        [1, 5, 0, 0],
        [5, 0, 0, 0],
    ]
    assert vocabulary.unknown("Is a green dog red?") == ["green", "dog"]
    assert vocabulary.unknown("Is it red?") == []
    assert vocabulary.answer_ids(["no", "yes", "no"]).tolist() == [1, 0, 1]


@given(
    texts=st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=7).map(" ".join), min_size=1, max_size=4)
)
def test_decoding_gives_the_words_back(texts: list[str]) -> None:
    vocabulary = QuestionVocabulary.of(texts, [])
    rows = vocabulary.encode(texts)
    assert rows.shape == (len(texts), max(len(text.split()) for text in texts))
    assert [decoded(vocabulary, row) for row in rows] == [f"{text}?" for text in texts]
    for row in rows:
        assert (row.diff()[row[1:] == 0] <= 0).all(), "filled up behind"
        assert row[: (row != 0).sum()].all(), "filled up in front or in the middle"


@pytest.mark.parametrize("text", ["", "  ?", "dog cat"])
def test_a_question_without_a_known_word_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"at least one known word, got {text!r}".replace("?", r"\?")):
        QuestionVocabulary(("red",), ()).encode(["red", text])


def test_a_question_may_have_forty_words_and_no_more() -> None:
    vocabulary = QuestionVocabulary(("red",), ())
    assert vocabulary.encode(["red " * LONGEST]).shape == (1, LONGEST)
    with pytest.raises(ValueError, match=f"at most {LONGEST} words, got {LONGEST + 1}: 'red red"):
        vocabulary.encode(["red", "red " * (LONGEST + 1)])


def test_every_word_of_the_toy_world_is_known(vocabulary) -> None:
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
            assert ANSWERS[int(vocabulary.answer_ids([question.answer]))] == question.answer
