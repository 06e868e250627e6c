"""What the authors' code says → function → test

how an answer is written               normalize_answer                          test_normalized
both sides where people disagree       vqa_accuracy                              test_accuracy
the older form                         vqa_accuracy_before_2021                  test_accuracy
"""

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vqa.misconceptions import metric as misconceptions
from vqa.answer_text import (
    APOSTROPHES,
    normalize_answer,
    strip_marks,
    strip_periods,
    strip_punctuation,
    vqa_accuracy,
    vqa_accuracy_before_2021,
)

ACCURACY = {  # the rule: a prediction, the annotators' answers, the accuracy since 2021, and the one before
    "nobody": ("cat", ["dog"] * 10, 0, 0),
    "three of ten": ("cat", ["cat"] * 3 + ["dog"] * 7, 0.9, 0.9),
    "four of ten": ("cat", ["cat"] * 4 + ["dog"] * 6, 1, 1),
    "the others may differ": ("cat", ["cat", "dog", "cow", "cat", "hen", "pig", "cat", "rat", "owl", "bee"], 0.9, 0.9),
    "case and article of the prediction": ("The Cat", ["cat"] * 2 + ["dog"] * 8, 0.6, 0.6),
    "number word of the prediction": ("two", ["2"] + ["3"] * 9, 0.3, 0.3),
    "none is zero": ("none", ["0"] * 3 + ["1"] * 7, 0.9, 0.9),
    "contraction of the prediction": ("dont", ["don't"] * 3 + ["no"] * 7, 0.9, 0.9),
    "possessive of the prediction": ("girl's", ["girl's"] * 3 + ["boy"] * 7, 0.9, 0.9),
    "decimals differ from whole numbers": ("2.5", ["25"] * 5 + ["3"] * 5, 0, 0),
    "decimals": ("2.5", ["2.5"] * 2 + ["3"] * 8, 0.6, 0.6),
    "hyphens go on both sides": ("t-shirt", ["t-shirt"] * 2 + ["t shirt"] + ["shirt"] * 7, 0.9, 0.9),
    "commas in numbers go on both sides": ("1,000", ["1,000", "1000"] + ["10"] * 8, 0.6, 0.6),
    "case of an answer": ("dog", ["Dog"] * 3 + ["cat"] * 7, 0.9, 0),
    "article of an answer": ("the dog", ["the dog"] * 3 + ["cat"] * 7, 0.9, 0),
    "number word of an answer": ("two", ["two"] * 3 + ["3"] * 7, 0.9, 0),
    "contraction of an answer": ("don't", ["dont"] * 3 + ["no"] * 7, 0.9, 0),
    "white space of an answer": ("yes", ["yes!"] * 3 + ["no"] * 7, 0.9, 0),
    "different spellings are one answer": ("2", ["2", "two", "Two", "the two"] + ["3"] * 6, 1, 0.3),
    "they disagree in spelling alone": ("2", ["two"] * 9 + ["2"], 1, 0.3),
    "they disagree in white space alone": ("the dog", ["the dog"] * 9 + ["the dog "], 1, 0),
    "all agree, so the hyphen stays": ("t-shirt", ["t-shirt"] * 10, 1, 0),
    "all agree, so the number word stays": ("two", ["two"] * 10, 1, 0),
    "all agree, so a capital is wrong": ("Cat", ["cat"] * 10, 0, 1),
    "all agree, so an article is wrong": ("the cat", ["cat"] * 10, 0, 1),
    "all agree, so a digit is wrong": ("2", ["two"] * 10, 0, 0),
    "all agree, and ends are trimmed": (" cat\n", ["cat"] * 10, 1, 1),
    "one answer, equal": ("t-shirt", ["t-shirt"], 1, 1),
    "one answer, a number word": ("two", ["two"], 1, 1),
    "one answer, another": ("cat", ["dog"], 0, 0),
    "one answer, a capital": ("Cat", ["cat"], 0, 0),
}

NORMALIZED = {  # the rule: an answer, and how it is compared
    "lower case": ("Yes", "yes"),
    "ends are trimmed": ("  yes \n", "yes"),
    "a line break is a space": ("hot\ndog", "hot dog"),
    "a tab is a space": ("hot\tdog", "hot dog"),
    "spaces collapse": ("hot   dog", "hot dog"),
    "nothing stays nothing": ("", ""),
    "a mark at the end": ("yes!", "yes"),
    "a mark between words is a space": ("black/white", "black white"),
    "a hyphen is a mark": ("t-shirt", "t shirt"),
    "a comma without spaces is a space": ("red,white", "red white"),
    "a comma before a space is nothing": ("red, white", "red white"),
    "a mark after a space is nothing": ("left -right", "left right"),
    "and so are all others like it": ("left -right t-shirt", "left right tshirt"),
    "ends are trimmed before marks": ("t-shirt-\n", "t shirt"),
    "one that touches a space decides for all": ("t-shirt - red", "tshirt red"),
    "each mark decides for itself": ("t-shirt, red", "t shirt red"),
    "parentheses and quotes": ('("stop")', "stop"),
    "every mark": ('a;b/c[d]e"f{g}h(i)j=k+l\\m_n-o>p<q@r`s,t?u!v', "b c d e f g h i j k l m n o p q r s t u v"),
    "a comma between digits is nothing": ("1,000", "1000"),
    "and then so is every mark": ("1,000-2,000", "10002000"),
    "also a mark elsewhere": ("1,000 t-shirts", "1000 tshirts"),
    "the apostrophe stays": ("girl's", "girl's"),
    "the colon stays": ("10:30", "10:30"),
    "other signs stay": ("$5 & 50% #1 *", "$5 & 50% #1 *"),
    "a decimal stays": ("2.5", "2.5"),
    "a period before a digit stays": (".5 no.1", ".5 no.1"),
    "a period after a word goes": ("st. paul", "st paul"),
    "a period after a digit goes too": ("3.", "3"),
    "periods go without a space": ("u.s.a.", "usa"),
    "at most 32 periods go": (33 * ".", "."),
    "an article goes": ("the dog", "dog"),
    "articles go anywhere": ("A man with an apple", "man with apple"),
    "an article within a word stays": ("theater", "theater"),
    "an article alone": ("a", ""),
    "punctuation goes before articles": ("the-dog", "dog"),
    "number words from zero": ("zero", "0"),
    "to ten": ("Ten", "10"),
    "and no further": ("eleven", "eleven"),
    "each word by itself": ("two dogs, one cat", "2 dogs 1 cat"),
    "a part is a word when its hyphen is gone": ("twenty-one", "twenty 1"),
    "a number within a word stays": ("someone", "someone"),
    "none is zero": ("None", "0"),
    "no is not": ("no", "no"),
    "a contraction gets its apostrophe": ("dont", "don't"),
    "one that has it keeps it": ("Don't", "don't"),
    "a first apostrophe": ("twas", "'twas"),
    "the second of two": ("couldn'tve", "couldn't've"),
    "the first of two": ("couldnt've", "couldn't've"),
    "not both at once": ("couldntve", "couldntve"),
    "two of three are left": ("y'all'dve", "y'all'd've"),
    "after the article": ("the oclock", "o'clock"),
    "im is in the table as Im": ("Im", "im"),
    "its is a word of its own": ("its", "its"),
    "somebody's slip": ("somebody'd", "somebodyd"),
    "all together": ("The T-shirts,\ntwo of them.", "t shirts 2 of them"),
}

CAUGHT_BY = {
    misconceptions.normalized_even_if_all_agree: "all agree, so a capital is wrong",
    misconceptions.only_the_prediction_normalized: "number word of an answer",
    misconceptions.decimals_lost: "decimals differ from whole numbers",
    misconceptions.all_punctuation_removed: "hyphens go on both sides",
    misconceptions.apostrophes_left_out: "contraction of the prediction",
}

BOTH = pytest.mark.parametrize("function", [vqa_accuracy, vqa_accuracy_before_2021], ids=["since 2021", "before"])
WORDS = st.sampled_from(["cat", "dog", "2", "t-shirt", "Two", "the dog", "dont"])


def check_accuracy(function: Callable, case: str, column: int) -> None:
    """``column`` 0: the official form since 2021; 1: the one before."""
    prediction, answers, *columns = ACCURACY[case]
    got = function(prediction, answers)
    where = "both sides are normalised" if len({*answers}) > 1 else "all annotators agree, so neither is normalised"
    assert got == pytest.approx(columns[column], abs=1e-12), (
        f"{case}: {prediction!r} for {dict(Counter(answers))} ({('since 2021: ' + where, 'before 2021')[column]}). "
        f"Expected {columns[column]}, got {got}. Normalised, the prediction is {normalize_answer(prediction)!r}"
    )


@pytest.mark.parametrize("case", ACCURACY)
@pytest.mark.parametrize(
    ("function", "column"), [(vqa_accuracy, 0), (vqa_accuracy_before_2021, 1)], ids=["since 2021", "before"]
)
def test_accuracy(function: Callable, column: int, case: str) -> None:
    check_accuracy(function, case, column)


@pytest.mark.parametrize("wrong", CAUGHT_BY, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    check_accuracy(wrong, "nobody", 0)  # it is wrong in one point, not broken
    with pytest.raises(AssertionError, match=CAUGHT_BY[wrong]):
        check_accuracy(wrong, CAUGHT_BY[wrong], 0)


@pytest.mark.parametrize("rule", NORMALIZED)
def test_normalized(rule: str) -> None:
    text, expected = NORMALIZED[rule]
    assert normalize_answer(text) == expected


def test_punctuation_alone_keeps_case_articles_and_spaces() -> None:
    assert strip_marks("The T-shirt, two!") == "The T shirt two "
    assert strip_periods("St. 2.5.") == "St 2.5"
    assert strip_punctuation("St. Paul's/The U.S. ") == "St Paul's The US "


@BOTH
@given(prediction=WORDS, answers=st.lists(WORDS, min_size=1, max_size=12), data=st.data())
def test_the_order_of_annotators_does_not_matter(function, prediction: str, answers: list[str], data) -> None:
    shuffled = data.draw(st.permutations(answers))
    assert function(prediction, shuffled) == function(prediction, answers)


@BOTH
@pytest.mark.parametrize("answers", [[], (), "yes"])
def test_answers_must_be_a_sequence_of_answers(function: Callable, answers: object) -> None:
    function = getattr(function, "__wrapped__", function)  # without the check of its annotations
    with pytest.raises(ValueError, match="answers must be a sequence of at least one string, got"):
        function("yes", answers)


def test_the_table_of_apostrophes() -> None:
    """114 entries of the authors' 120: "Im", "Ive", "Id've", "I'dve" never match, "let's", "she's" change nothing."""
    assert len(APOSTROPHES) == 114
    assert all(key == key.lower() and key != word for key, word in APOSTROPHES.items())
    lost = Counter(word.count("'") - key.count("'") for key, word in APOSTROPHES.items())
    assert lost == {1: 113, -1: 1}  # all but somebody'd
    assert not {"im", "ive", "lets", "shes", "its", "were", "well", "ill", "wed", "shed"} & APOSTROPHES.keys()
