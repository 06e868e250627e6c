"""``toyworld.question_text``: a question is read back as what it asks, and any other text is not read.

promise                                            test
reading undoes saying                              test_reading_undoes_saying
case, punctuation and blanks do not matter         test_what_does_not_matter
a wording that no training has is not read         test_other_wordings_are_not_read
the vocabulary, the forms and the samples are all  test_every_word_is_in_a_wording, test_forms_and_samples
"""

import re

import pytest

from tests.toyworld.counting import types_unchecked
from tests.toyworld.question_reader import take_apart
from toyworld.facts import Description
from toyworld.question_text import (
    ANSWERS_IN,
    KINDS,
    PHRASES,
    Meaning,
    attributes,
    forms,
    read_question,
    samples,
    say_question,
    wordings_of_all,
)
from toyworld.questions import question_at
from toyworld.scenes import SPLITS
from toyworld.tokenizer import split_words

LANGUAGES = ("english", "korean")


@pytest.mark.parametrize("language", LANGUAGES)
def test_reading_undoes_saying(language: str) -> None:
    """And it agrees with the independent reader of the tests."""
    with types_unchecked():
        for split in SPLITS:
            for index in range(300):
                text = question_at(split, 1, index, language)[1].text
                meaning = read_question(text, language)
                assert text in [say_question(meaning, language, wording) for wording in (0, 1)]
                kind, others, named = take_apart(text, language)
                assert (meaning.kind, [meaning.word] if meaning.word else []) == (kind, others)
                assert [(noun.size, noun.colour, noun.shape) for noun in meaning.nouns] == named


def test_what_does_not_matter() -> None:
    large_red = Meaning("count", (Description("large", "red"),))
    assert read_question("How many  LARGE red objects are there", "english") == large_red
    assert read_question(" 큰 빨간색 물체는 몇 개입니까", "korean") == large_red


OTHER_WORDINGS = {
    "english": (
        "", "star", "how many star are there?", "how many stars is there?", "how many stars are in the picture?",
        "count the stars", "what color is the star?", "what colour is the large star?", "what colour is the stars?",
        "what colour is the star? what shape is the red object?", "how many objcts are there?", "is there a star",
        "is there an red star?", "are there more stars than stars?", "are there more stars than red objects?",
        "is the star left of the red circle?", "is there a large star?", "is there no star?", "별은 무슨 색입니까?",
        "how many large red stars are there?", "how many stars are there please?", "what is this?",
    ),
    "korean": (
        "", "별", "별는 무슨 색입니까?", "별은 무슨 색이야?", "별은 몇개입니까?", "별이 몇 개예요?",
        "파랑 별이 있습니까?",
        "큰 빨간색 별은 몇 개입니까?", "별이 별보다 많습니까?", "별은 무슨 색입니까? 원은 무슨 색입니까?",
        "how many stars are there?", "큰 별이 있습니까?", "별은 원의 옆에 있습니까?",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("language", "text"), [(name, text) for name in LANGUAGES for text in OTHER_WORDINGS[name]])
def test_other_wordings_are_not_read(language: str, text: str) -> None:
    if text == "is there a star":
        assert read_question(text, language) == Meaning("existence", (Description(shape="star"),))
    else:
        assert read_question(text, language) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_in_a_wording(language: str) -> None:
    words = {word for text in wordings_of_all(language) for word in split_words(text)}
    with types_unchecked():
        for split in SPLITS:
            said = {word for k in range(1000) for word in split_words(question_at(split, 2, k, language)[1].text)}
            assert said <= words
    assert all(read_question(text, language) for text in list(wordings_of_all(language))[:200])


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_and_samples(language: str) -> None:
    """One form of each kind, with both wordings and no brace left; one sample of each kind, which can be read."""
    lines = forms(language)
    assert tuple(lines) == KINDS == tuple(PHRASES[language])
    for kind, line in lines.items():
        assert line.count("?") == 2
        assert not re.search(r"[{}]", line)
        first = PHRASES[language][kind][0].replace("?", "").split()[-1]
        assert first.startswith("{") or first in line
    assert [read_question(sample, language).kind for sample in samples(language)] == list(KINDS)
    assert len(set(ANSWERS_IN[language])) == len(ANSWERS_IN["english"]) == 21


def test_a_form_by_hand() -> None:
    assert forms("english")["count"] == (
        "how many … are there? what is the number of …? (…: objects, large objects, red objects, stars, large red "
        "objects, large stars, red stars)"
    )
    assert forms("korean")["relation"] == (
        "…은/는 …의 왼쪽에/오른쪽에/위쪽에/아래쪽에 있습니까? …이/가 …의 왼쪽에/오른쪽에/위쪽에/아래쪽에 보입니까? "
        "(…: 빨간색 물체, 별, 빨간색 별)"
    )
    assert attributes(Description("large", None, "star")) == ("size", "shape")
