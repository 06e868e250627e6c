"""What the metric says → function → test

how a prediction is written    normalize_answer         test_normalized
min(n/3, 1), one left out      vqa_accuracy             test_accuracy, test_equals_the_spec, test_equals_all_subsets
the answer vocabulary          most_frequent_answers    test_vocabulary
the best that it can reach     ceiling                  test_ceiling_equals_the_best_prediction
"""

from collections import Counter
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vqa.misconceptions import metric as misconceptions
from vqa.data import Record
from vqa.metric import (
    APOSTROPHES,
    ceiling,
    most_frequent_answers,
    normalize_answer,
    strip_marks,
    strip_periods,
    strip_punctuation,
    vqa_accuracy,
    vqa_accuracy_spec,
)

NORMALIZED = {  # the rule: a prediction, and how it is compared
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
    "and so do all others like it": ("left -right t-shirt", "left right tshirt"),
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
    "a part is a word after its hyphen went": ("twenty-one", "twenty 1"),
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

ACCURACY = {  # the rule: a prediction, ten people's answers (or fewer), and the accuracy
    "nobody": ("cat", ["dog"] * 10, 0.0),
    "one of ten": ("cat", ["cat"] + ["dog"] * 9, 0.3),  # (1 · 0 + 9 · 1/3) / 10
    "two of ten": ("cat", ["cat"] * 2 + ["dog"] * 8, 0.6),  # (2 · 1/3 + 8 · 2/3) / 10
    "three of ten": ("cat", ["cat"] * 3 + ["dog"] * 7, 0.9),  # (3 · 2/3 + 7 · 1) / 10
    "four of ten": ("cat", ["cat"] * 4 + ["dog"] * 6, 1.0),  # (4 · 1 + 6 · 1) / 10
    "ten of ten": ("cat", ["cat"] * 10, 1.0),
    "a minority is right too": ("dog", ["cat"] * 6 + ["dog"] * 4, 1.0),
    "the others may differ": ("cat", ["cat", "dog", "cow", "cat", "hen", "pig", "cat", "rat", "owl", "bee"], 0.9),
    "case and article of the prediction": ("The Cat", ["cat"] * 2 + ["dog"] * 8, 0.6),
    "number word of the prediction": ("two", ["2"] + ["3"] * 9, 0.3),
    "none is zero": ("none", ["0"] * 3 + ["1"] * 7, 0.9),
    "contraction of the prediction": ("dont", ["don't"] * 3 + ["no"] * 7, 0.9),
    "possessive of the prediction": ("girl's", ["girl's"] * 3 + ["boy"] * 7, 0.9),
    "decimals differ from whole numbers": ("2.5", ["25"] * 5 + ["3"] * 5, 0.0),
    "decimals": ("2.5", ["2.5"] * 2 + ["3"] * 8, 0.6),
    "hyphens go on both sides": ("t-shirt", ["t-shirt"] * 2 + ["t shirt"] + ["shirt"] * 7, 0.9),
    "commas in numbers go on both sides": ("1,000", ["1,000", "1000"] + ["10"] * 8, 0.6),
    "a truth keeps its case": ("dog", ["Dog"] * 3 + ["cat"] * 7, 0.0),
    "a truth keeps its article": ("the dog", ["the dog"] * 3 + ["cat"] * 7, 0.0),
    "a truth keeps its number word": ("two", ["two"] * 9 + ["3"], 0.0),
    "a truth is not trimmed": ("yes", ["yes!"] * 3 + ["no"] * 7, 0.0),
    "all agree, so the hyphen stays": ("t-shirt", ["t-shirt"] * 10, 0.0),
    "all agree on what no prediction is": ("t shirt", ["t-shirt"] * 10, 0.0),
    "two people, both": ("cat", ["cat"] * 2, 1 / 3),  # each leaves one
    "three people, two of them": ("cat", ["cat", "cat", "dog"], 4 / 9),  # (2 · 1/3 + 1 · 2/3) / 3
    "four people, all": ("cat", ["cat"] * 4, 1.0),
    "one answer, equal": ("t-shirt", ["t-shirt"], 1.0),
    "one answer, a number word": ("two", ["two"], 1.0),
    "one answer, other": ("cat", ["dog"], 0.0),
    "one answer is compared as it is": ("Cat", ["cat"], 0.0),
}

CAUGHT_BY = {
    misconceptions.nobody_left_out: "three of ten",
    misconceptions.fraction_of_annotators: "four of ten",
    misconceptions.majority_only: "a minority is right too",
    misconceptions.truths_normalized_in_full: "a truth keeps its number word",
    misconceptions.truths_stripped_always: "all agree on what no prediction is",
    misconceptions.decimals_lost: "decimals differ from whole numbers",
    misconceptions.all_punctuation_removed: "hyphens go on both sides",
    misconceptions.apostrophes_left_out: "contraction of the prediction",
}

WORDS = st.sampled_from(["cat", "dog", "2", "t-shirt", "Two", "the dog", "dont"])


def check_accuracy(candidate, case: str) -> None:
    prediction, answers, expected = ACCURACY[case]
    got = candidate(prediction, answers)
    assert got == pytest.approx(expected, abs=1e-12), f"{case}: {prediction!r} for {answers}: {got}, not {expected}"


@pytest.mark.parametrize("rule", NORMALIZED)
def test_normalized(rule: str) -> None:
    text, expected = NORMALIZED[rule]
    assert normalize_answer(text) == expected


@pytest.mark.parametrize("case", ACCURACY)
@pytest.mark.parametrize("function", [vqa_accuracy, vqa_accuracy_spec], ids=lambda function: function.__name__)
def test_accuracy(function, case: str) -> None:
    check_accuracy(function, case)


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    check_accuracy(wrong, "nobody")  # it is wrong in one point, not broken
    with pytest.raises(AssertionError, match=CAUGHT_BY[wrong]):
        check_accuracy(wrong, CAUGHT_BY[wrong])


@given(prediction=WORDS, answers=st.lists(WORDS, min_size=1, max_size=12))
def test_equals_the_spec(prediction: str, answers: list[str]) -> None:
    assert vqa_accuracy(prediction, answers) == pytest.approx(vqa_accuracy_spec(prediction, answers), abs=1e-12)


@given(annotators=st.integers(2, 12), data=st.data())
@pytest.mark.parametrize("function", [vqa_accuracy, vqa_accuracy_spec], ids=lambda function: function.__name__)
def test_equals_all_subsets(function, annotators: int, data) -> None:
    """In exact fractions, over all sets of N − 1 people."""
    agrees = data.draw(st.lists(st.booleans(), min_size=annotators, max_size=annotators))
    subsets = list(combinations(agrees, annotators - 1))
    expected = sum(min(Fraction(sum(subset), 3), Fraction(1)) for subset in subsets) / len(subsets)
    got = function("cat", ["cat" if agree else "dog" for agree in agrees])
    assert got == pytest.approx(float(expected), abs=1e-12)


@given(prediction=WORDS, answers=st.lists(WORDS, min_size=2, max_size=12), data=st.data())
def test_the_order_of_annotators_does_not_matter(prediction: str, answers: list[str], data) -> None:
    shuffled = data.draw(st.permutations(answers))
    assert vqa_accuracy(prediction, shuffled) == vqa_accuracy(prediction, answers)


@given(answers=st.lists(WORDS, min_size=1, max_size=12), data=st.data())
def test_one_more_who_agrees_never_lowers_it(answers: list[str], data) -> None:
    i = data.draw(st.integers(0, len(answers) - 1))
    before, after = vqa_accuracy("cat", answers), vqa_accuracy("cat", [*answers[:i], "cat", *answers[i + 1 :]])
    assert 0 <= before <= after <= 1
    gains = answers[i] != "cat" and answers.count("cat") < 4  # from four on it is 1
    assert (after > before) == gains


@pytest.mark.parametrize("function", [vqa_accuracy, vqa_accuracy_spec], ids=lambda function: function.__name__)
@pytest.mark.parametrize("answers", [[], (), "yes"])
def test_answers_must_be_a_sequence_of_answers(function, answers) -> None:
    with pytest.raises(ValueError, match="answers must be a sequence of at least one string, got"):
        function("yes", answers)


def test_punctuation_alone_keeps_case_articles_and_spaces() -> None:
    assert strip_marks("The T-shirt, two!") == "The T shirt two "
    assert strip_periods("St. 2.5.") == "St 2.5"
    assert strip_punctuation("St. Paul's/The U.S. ") == "St Paul's The US "


def test_the_table_of_apostrophes() -> None:
    """114 entries of the authors' 120: "Im", "Ive", "Id've", "I'dve" never match, "let's", "she's" change nothing."""
    assert len(APOSTROPHES) == 114
    assert all(key == key.lower() and key != word for key, word in APOSTROPHES.items())
    lost = Counter(word.count("'") - key.count("'") for key, word in APOSTROPHES.items())
    assert lost == {1: 113, -1: 1}  # all but somebody'd
    assert not {"im", "ive", "lets", "shes", "its", "were", "well", "ill", "wed", "shed"} & APOSTROPHES.keys()


@pytest.mark.parametrize(
    ("answer_lists", "count", "expected"),
    [
        ([["no"], ["yes"], ["yes"]], 2, ("yes", "no")),
        ([["no"], ["yes"], ["yes"]], 1, ("yes",)),
        ([["no"], ["yes"], ["yes"]], 9, ("yes", "no")),
        (
            [["cat"] * 6 + ["dog"] * 4] * 2 + [["cow"]],
            9,
            ("cat", "cow"),
        ),  # "dog", said eight times, was never a majority
        ([["dog", "cat"], ["cat", "dog"]], 9, ("cat",)),  # a tie within a question: the alphabet
        ([["dog"], ["cat"], ["cow"]], 2, ("cat", "cow")),  # a tie between answers: the alphabet
        ([["The Dog"]], 1, ("The Dog",)),
        ([], 3, ()),
    ],
)
def test_vocabulary(answer_lists, count: int, expected) -> None:
    assert most_frequent_answers(answer_lists, count) == expected


def test_vocabulary_of_wrong_input() -> None:
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        most_frequent_answers([["yes"]], 0)
    with pytest.raises(ValueError, match="question 1 has none"):
        most_frequent_answers([["yes"], []], 1)


def records(answer_lists) -> list[Record]:
    return [Record(Path("none.png"), "?", tuple(answers), "other") for answers in answer_lists]


@given(answer_lists=st.lists(st.lists(WORDS, min_size=1, max_size=10), min_size=1, max_size=4), words=st.sets(WORDS))
def test_ceiling_equals_the_best_prediction(answer_lists, words) -> None:
    best = [max((vqa_accuracy(word, answers) for word in words), default=0.0) for answers in answer_lists]
    assert ceiling(records(answer_lists), sorted(words)) == pytest.approx(sum(best) / len(best), abs=1e-12)


def test_ceiling_by_hand() -> None:
    asked = records([["cat"] * 3 + ["dog"] * 7, ["cat"] + ["cow"] * 9, ["hen"] * 10])
    assert ceiling(asked, ("cat",)) == pytest.approx((0.9 + 0.3 + 0) / 3)
    assert ceiling(asked, ("cat", "dog")) == pytest.approx((1 + 0.3 + 0) / 3)
    assert ceiling(asked, ("Hen", "Cow", "The Dog")) == 1  # normalised as a prediction is
    assert ceiling(asked, ()) == 0
    with pytest.raises(ValueError, match="at least one record"):
        ceiling([], ("cat",))
