"""What the paper says → function → test

min(n/3, 1)                              agreement                                    test_agreement_by_hand
its mean, with each annotator left out   mean_agreement_spec, mean_agreement          test_mean_agreement_by_hand
all sets of N - 1 annotators             mean_agreement_spec, mean_agreement          test_equals_all_subsets
the closed form                          mean_agreement_of_matches, mean_agreement    test_equals_the_spec
"""

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vqa.misconceptions import metric as misconceptions
from vqa.metric import agreement, mean_agreement, mean_agreement_spec

BY_HAND = {  # the case: how many annotators gave the answer, of how many, and the accuracy
    "none of ten": (0, 10, "0"),
    "one of ten": (1, 10, "(1·0 + 9·1/3) / 10"),
    "two of ten": (2, 10, "(2·1/3 + 8·2/3) / 10"),
    "three of ten": (3, 10, "(3·2/3 + 7·1) / 10"),
    "four of ten": (4, 10, "(4·1 + 6·1) / 10"),
    "five of ten": (5, 10, "(5·1 + 5·1) / 10"),
    "ten of ten": (10, 10, "(10·1) / 10"),
    "three of four": (3, 4, "(3·2/3 + 1·1) / 4"),
    "all four": (4, 4, "(4·1) / 4"),
    "two of three": (2, 3, "(2·1/3 + 1·2/3) / 3"),
    "both of two": (2, 2, "(2·1/3) / 2"),
    "the only one": (1, 1, "1"),
    "not the only one": (0, 1, "0"),
}

CAUGHT_BY = {
    misconceptions.nobody_left_out: "three of ten",
    misconceptions.fraction_of_annotators: "four of ten",
    misconceptions.majority_only: "four of ten",
    misconceptions.own_answer_counts_too: "three of ten",
}

BOTH = pytest.mark.parametrize(
    "function", [mean_agreement, mean_agreement_spec], ids=lambda function: function.__name__
)


def value_of(arithmetic: str) -> float:
    return eval(arithmetic.replace("·", "*"))


def check_mean_agreement(function: Callable, case: str) -> None:
    matches, annotators, arithmetic = BY_HAND[case]
    got = function("cat", ["cat"] * matches + [f"dog {k}" for k in range(annotators - matches)])
    expected = value_of(arithmetic)
    assert got == pytest.approx(expected, abs=1e-12), (
        f"section 3, {case} gave the answer. Leave out each annotator once: {matches} times n = {matches - 1}, "
        f"{annotators - matches} times n = {matches}. So {arithmetic}: got {got:.4f}, expected {expected:.4f}"
    )


def test_agreement_by_hand() -> None:
    for n, expected in enumerate((0, 1 / 3, 2 / 3, 1, 1, 1)):
        assert agreement(n) == pytest.approx(expected, abs=1e-12), (
            f"min({n}/3, 1): got {agreement(n)}, expected {expected}"
        )


@BOTH
@pytest.mark.parametrize("case", BY_HAND)
def test_mean_agreement_by_hand(function: Callable, case: str) -> None:
    check_mean_agreement(function, case)


@pytest.mark.parametrize("wrong", CAUGHT_BY, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    check_mean_agreement(wrong, "none of ten")  # it is wrong in one point, not broken
    with pytest.raises(AssertionError, match=CAUGHT_BY[wrong]):
        check_mean_agreement(wrong, CAUGHT_BY[wrong])


@BOTH
def test_a_minority_is_right_too(function: Callable) -> None:
    """Four of ten are enough, although six said something else. Several answers can be right."""
    answers = ["cat"] * 6 + ["dog"] * 4
    assert function("cat", answers) == function("dog", answers) == 1


@BOTH
@given(annotators=st.integers(2, 12), data=st.data())
def test_equals_all_subsets(function: Callable, annotators: int, data: st.DataObject) -> None:
    """In exact fractions, over all sets of N - 1 annotators."""
    agrees = data.draw(st.lists(st.booleans(), min_size=annotators, max_size=annotators))
    subsets = list(combinations(agrees, annotators - 1))
    expected = sum(min(Fraction(sum(subset), 3), Fraction(1)) for subset in subsets) / len(subsets)
    got = function("cat", ["cat" if agree else "dog" for agree in agrees])
    assert got == pytest.approx(float(expected), abs=1e-12), f"{sum(agrees)} of {annotators}: {expected}, got {got}"


ANSWERS = st.lists(st.sampled_from(["cat", "dog", "2"]), min_size=1, max_size=12)


@given(prediction=st.sampled_from(["cat", "dog", "2"]), answers=ANSWERS, data=st.data())
def test_equals_the_spec(prediction: str, answers: list[str], data: st.DataObject) -> None:
    """And the order of the annotators does not matter."""
    shuffled = data.draw(st.permutations(answers))
    expected = mean_agreement_spec(prediction, shuffled)
    assert mean_agreement(prediction, answers) == pytest.approx(expected, abs=1e-12), (prediction, answers)


@given(answers=ANSWERS, data=st.data())
def test_one_more_who_agrees_never_lowers_it(answers: list[str], data: st.DataObject) -> None:
    i = data.draw(st.integers(0, len(answers) - 1))
    before, after = mean_agreement("cat", answers), mean_agreement("cat", [*answers[:i], "cat", *answers[i + 1 :]])
    assert 0 <= before <= after <= 1
    assert (after > before) == (answers[i] != "cat" and answers.count("cat") < 4), "from four annotators on it is 1"
