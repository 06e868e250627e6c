"""What the paper says → function → test

longest common subsequence     longest_common_subsequence    test_the_example_of_the_paper, test_equals_all_subsequences
F of precision and recall      f_measure                     test_f_by_hand
several references             rouge_l_of_one                test_by_hand, test_equals_pycocoevalcap
"""

from collections.abc import Callable
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocoevalcap.rouge.rouge import Rouge
from torchmetrics.functional.text.rouge import _rouge_l_score

from show_attend_tell.extensions.metrics.rouge import f_measure, longest_common_subsequence, rouge_l, rouge_l_of_one
from tests.show_attend_tell.captions import CORPUS, Corpus, as_coco, corpora, split
from tests.show_attend_tell.misconceptions import metrics as misconceptions

EXACT = {"rel": 1e-10, "abs": 1e-12}


def test_the_example_of_the_paper() -> None:
    """Section 3.1, β = 1: "police killed the gunman" beside two sentences with one common bigram each."""
    reference = ["police", "killed", "the", "gunman"]
    for text, expected in {"police kill the gunman": 3 / 4, "the gunman kill police": 2 / 4}.items():
        common = longest_common_subsequence(text.split(), reference)
        assert f_measure(common / 4, common / 4, beta=1.0) == pytest.approx(expected, **EXACT)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_equals_all_subsequences(a: str, b: str) -> None:
    def subsequences(words: str) -> set[tuple[str, ...]]:
        return {piece for n in range(len(words) + 1) for piece in combinations(words, n)}

    expected = max(map(len, subsequences(a) & subsequences(b)))
    assert longest_common_subsequence(list(a), list(b)) == expected == longest_common_subsequence(list(b), list(a))


F_BY_HAND = [
    (1.0, 1.0, 1),
    (0.0, 0.0, 0),
    (0.5, 0.5, 0.5),
    (1.0, 0.5, 1.22 / (0.5 + 1.44)),
    (0.5, 1.0, 1.22 / (1 + 0.72)),
]


@pytest.mark.parametrize(("precision", "recall", "expected"), F_BY_HAND)
def test_f_by_hand(precision: float, recall: float, expected: float) -> None:
    """β = 1.2: with recall 1 it is larger than with precision 1."""
    assert f_measure(precision, recall) == pytest.approx(expected, **EXACT)


def check_by_hand(candidate: Callable) -> None:
    """ "a b c d": "a x d" shares a d (recall 2/3), "b a c e f g d d" shares b c d (precision 3/4)."""
    got, expected = candidate(["a", "b", "c", "d"], split("a x d", "b a c e f g d d")), f_measure(3 / 4, 2 / 3)
    assert got == pytest.approx(expected, **EXACT), f"largest P = 3/4, largest R = 2/3: got {got}, expected {expected}"


def check_corpus(candidate: Callable) -> None:
    expected = Rouge().compute_score(*as_coco(CORPUS))[1]
    got = [candidate(words, group) for words, group in zip(*CORPUS, strict=True)]
    assert got == pytest.approx(expected.tolist(), **EXACT), f"got {got}, pycocoevalcap has {expected}"


def test_by_hand() -> None:
    check_by_hand(rouge_l_of_one)
    check_corpus(rouge_l_of_one)


@given(corpora())
def test_equals_pycocoevalcap(corpus: Corpus) -> None:
    assert rouge_l(*corpus) == pytest.approx(Rouge().compute_score(*as_coco(corpus))[0], **EXACT)


@given(corpora(images=1))
def test_convention_beta(corpus: Corpus) -> None:
    """torchmetrics has β = 1."""
    (candidate,), (references,) = corpus
    theirs = _rouge_l_score(candidate, references[0])["fmeasure"]
    common = longest_common_subsequence(candidate, references[0])
    ours = f_measure(common / len(candidate), common / len(references[0]), beta=1.0)
    assert float(theirs) == pytest.approx(ours, rel=1e-6)  # torchmetrics: float32


def test_convention_several_references() -> None:
    candidate, references = ["a", "b", "c", "d"], split("a x d", "b a c e f g d d")
    assert rouge_l_of_one(candidate, references) > misconceptions.best_reference(candidate, references)


def test_convention_empty() -> None:
    """ "" is one empty word in pycocoevalcap, which another empty caption shares."""
    assert rouge_l([[]], [split("a dog")]) == 0 == Rouge().compute_score({0: ["a dog"]}, {0: [""]})[0]
    assert rouge_l([[]], [[[]]]) == 0
    assert Rouge().compute_score({0: [""]}, {0: [""]})[0] == pytest.approx(1)


@given(corpora(), st.integers(0, 10_000))
def test_the_order_of_references_does_not_matter(corpus: Corpus, seed: int) -> None:
    candidates, references = corpus
    random = Random(seed)
    shuffled = [random.sample(group, len(group)) for group in references]
    assert rouge_l(candidates, shuffled) == pytest.approx(rouge_l(candidates, references), **EXACT)


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="caption 0 has no reference"):
        rouge_l([["a"]], [[]])


def check_all(candidate: Callable) -> None:
    for check in (check_by_hand, check_corpus):
        check(candidate)


@pytest.mark.parametrize("wrong", misconceptions.ROUGE, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)
