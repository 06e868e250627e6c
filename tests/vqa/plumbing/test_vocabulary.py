"""Token ids of questions, with padding at the end; ids of answers; every word of the toy world is known."""

import re
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toyworld.question_text import ANSWERS, ANSWERS_IN, PHRASES
from toyworld.questions import more_questions, question_at
from toyworld.scenes import COLOURS, RELATIONS, SHAPES, SIZES, SPLITS
from toyworld.tokenizer import PAD, SPECIAL, split_words
from vqa.extensions.vocabulary import LONGEST, QuestionVocabulary, toy_vocabulary

FIRST = len(SPECIAL)  # the id of the first word


@pytest.fixture(scope="module")
def vocabulary() -> QuestionVocabulary:
    return toy_vocabulary("english")


def test_encode_by_hand() -> None:
    """Unknown words are left out: the model was trained without them."""
    vocabulary = QuestionVocabulary.of(["Is it red?", "it is a cat"], ["yes", "no"])
    assert vocabulary.tokenizer.words == ("a", "cat", "is", "it", "red")
    a, cat, is_, it, red = range(FIRST, FIRST + 5)
    expected = [[is_, it, a, cat], [a, red, PAD, PAD], [red, PAD, PAD, PAD]]
    assert vocabulary.encode(["IS it a cat?", "a red dog", "red"]).tolist() == expected
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
    assert [vocabulary.tokenizer.decode(row.tolist()) for row in rows] == texts
    for row in rows:
        assert row[: (row != PAD).sum()].all(), "padding is at the end, and only there"


@given(words=st.lists(st.text("abcé가", min_size=1), unique=True, max_size=6), answers=st.lists(st.text(), max_size=4))
def test_json_gives_the_vocabulary_back(words: list[str], answers: list[str]) -> None:
    vocabulary = QuestionVocabulary(words, answers)
    again = QuestionVocabulary.from_json(vocabulary.to_json())
    assert (again.tokenizer.words, again.answers) == (tuple(words), tuple(answers))


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
    wordings = (wording for both in PHRASES["english"].values() for wording in both)
    spoken |= {word for wording in wordings for word in split_words(re.sub(r"{.*?}", "", wording))}
    assert set(vocabulary.tokenizer.words) == spoken
    for split, k in product(SPLITS, range(300)):
        scene, first = question_at(split, 7, k)
        more = more_questions(split, 7, k, scene, 1) if split != "compositional" else []
        for question in (first, *more):
            assert vocabulary.unknown(question.text) == []
            assert torch.tensor([ANSWERS.index(question.answer)]) == vocabulary.answer_ids([question.answer])


def test_a_language_has_its_own_words_and_answers() -> None:
    korean = toy_vocabulary("korean")
    assert korean.answers == ANSWERS_IN["korean"]
    assert {"별은", "별이", "별의", "별보다", "원은", "큰", "몇"} <= set(korean.tokenizer.words)
    assert not any(word.isascii() for word in korean.tokenizer.words)
