"""What the paper says → function → test

2.1 modified n-gram precision   clipped_matches     test_the_example_of_the_paper
2.2.2 best match length         closest_length      test_closest_length
2.3 brevity penalty             brevity_penalty     test_brevity_penalty_by_hand
2.3 BLEU                        bleu                test_bleu_by_hand, test_equals_*, test_convention
"""

import math
import warnings
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.translate.bleu_score import corpus_bleu
from pycocoevalcap.bleu.bleu import Bleu
from sacrebleu.metrics import BLEU

from show_attend_tell.extensions.metrics.bleu import bleu, brevity_penalty, clipped_matches, closest_length
from show_attend_tell.extensions.metrics.words import caption_words, ngrams
from tests.show_attend_tell.captions import CORPUS, Corpus, as_coco, corpora, split
from tests.show_attend_tell.misconceptions import metrics as misconceptions

EXACT = {"rel": 1e-10, "abs": 1e-12}


def of_coco(corpus: Corpus) -> list[float]:
    return Bleu(4).compute_score(*as_coco(corpus), verbose=0)[0]


def of_nltk(corpus: Corpus) -> list[float]:
    candidates, references = corpus
    with warnings.catch_warnings(action="ignore"):  # about precisions of 0
        return [corpus_bleu(references, candidates, weights=[1 / n] * n) for n in range(1, 5)]


def of_sacrebleu(corpus: Corpus, **options) -> list[float]:
    """sacrebleu wants the k-th references of all images in one list, None where an image has fewer."""
    candidates, references = corpus
    texts = [" ".join(words) for words in candidates]
    most = max(map(len, references))
    columns = [[" ".join(group[k]) if k < len(group) else None for group in references] for k in range(most)]
    options = {"tokenize": "none", "smooth_method": "none", "force": True} | options
    return [BLEU(max_ngram_order=n, **options).corpus_score(texts, columns).score / 100 for n in range(1, 5)]


def test_the_example_of_the_paper() -> None:
    """Section 2.1, example 2: "the the the the the the the" has the modified unigram precision 2/7."""
    references = split("the cat is on the mat", "there is a cat on the mat")
    assert clipped_matches(["the"] * 7, references, 1) == (2, 7)
    assert clipped_matches(["the"] * 7, references, 2) == (0, 6)


def test_closest_length() -> None:
    """12, 15 and 17 words: a caption of 12 has its match (section 2.2.2); of two equally near ones the shorter."""
    references = [["x"] * length for length in (17, 15, 12)]
    for words, expected in {12: 12, 13: 12, 14: 15, 16: 15, 30: 17, 1: 12}.items():
        assert closest_length(["x"] * words, references) == expected, f"{words} words"


@pytest.mark.parametrize(
    ("c", "r", "expected"), [(5, 4, 1), (4, 4, 1), (4, 5, math.exp(-1 / 4)), (1, 3, math.exp(-2)), (0, 3, 0)]
)
def test_brevity_penalty_by_hand(c: int, r: int, expected: float) -> None:
    assert brevity_penalty(c, r) == pytest.approx(expected, **EXACT)


def check_by_hand(candidate: Callable) -> None:
    """ "a a b c d" beside "a b c x" and "x b c d y y y": precisions 4/5, 3/4, 2/3, 0/2; the closest length is 4."""
    got = candidate(split("a a b c d"), [split("a b c x", "x b c d y y y")])
    expected = [4 / 5, (4 / 5 * 3 / 4) ** (1 / 2), (4 / 5 * 3 / 4 * 2 / 3) ** (1 / 3), 0]
    assert got == pytest.approx(expected, **EXACT), f"BLEU-1 to 4: got {got}, expected {expected}"


def test_bleu_by_hand() -> None:
    check_by_hand(bleu)


def check_corpus(candidate: Callable) -> None:
    expected = of_sacrebleu(CORPUS)
    got = candidate(*CORPUS)
    assert got == pytest.approx(expected, **EXACT), f"BLEU-1 to 4: got {got}, sacrebleu has {expected}"


def check_length(candidate: Callable) -> None:
    """A caption of 3 words, references of 1 and 4: the closest has 4, so BP = exp(1 - 4/3)."""
    got = candidate(split("a dog runs"), [split("a", "a dog runs fast")])[0]
    assert got == pytest.approx(math.exp(-1 / 3), **EXACT), f"closest length 4, p_1 = 3/3: got {got}"


def check_ties(candidate: Callable) -> None:
    """A caption of 3 words, references of 2 and 4: the shorter counts, so there is no penalty."""
    got = candidate(split("a dog runs"), [split("a dog runs fast", "a dog")])[0]
    assert got == pytest.approx(1, **EXACT), f"closest length 2, BP 1, p_1 = 3/3: got {got}"


def test_corpus() -> None:
    check_corpus(bleu)
    check_length(bleu)
    check_ties(bleu)


@given(corpora(least=4))
def test_equals_nltk(corpus: Corpus) -> None:
    """Of captions with at least 4 words; see test_convention_shorter_than_n."""
    assert bleu(*corpus) == pytest.approx(of_nltk(corpus), **EXACT)  # nltk's 2e-308 is 1e-77 at most


@given(corpora())
def test_equals_sacrebleu(corpus: Corpus) -> None:
    assert bleu(*corpus) == pytest.approx(of_sacrebleu(corpus), **EXACT)


@given(corpora())
def test_equals_pycocoevalcap(corpus: Corpus) -> None:
    """It adds 1e-9 to the number of n-grams and 1e-15 to that of matches: 0 becomes up to 1e-6 in a precision."""
    for n, (ours, theirs) in enumerate(zip(bleu(*corpus), of_coco(corpus), strict=True), start=1):
        if ours == 0:
            assert theirs < 0.04
        else:
            assert ours == pytest.approx(theirs, rel=5e-9), f"BLEU-{n}"


@given(corpora())
def test_without_the_brevity_penalty(corpus: Corpus) -> None:
    candidates, references = corpus
    c, r = sum(map(len, candidates)), sum(map(closest_length, candidates, references))
    expected = [value * brevity_penalty(c, r) for value in bleu(*corpus, brevity=False)]
    assert bleu(*corpus) == pytest.approx(expected, **EXACT)


@given(corpora(images=1), st.integers(1, 4))
def test_every_reference_is_perfect(corpus: Corpus, order: int) -> None:
    for reference in corpus[1][0]:
        values = bleu([reference], corpus[1], order)
        assert values == pytest.approx([float(len(reference) >= n) for n in range(1, order + 1)], **EXACT)


def test_ngrams() -> None:
    assert ngrams(["a", "b", "a", "b"], 2) == {("a", "b"): 2, ("b", "a"): 1}
    assert ngrams(["a"], 2) == {}


def test_caption_words() -> None:
    assert caption_words("Two dogs, one man's T-shirt (no. 7)!") == [
        "two",
        "dogs",
        "one",
        "man's",
        "t",
        "shirt",
        "no",
        "7",
    ]


NO_MATCH_OF_TWO = (split("a dog"), [split("dog a")])
SHORT = (split("a dog"), [split("a dog")])
EMPTY = ([[]], [split("a dog")])


def test_convention_range() -> None:
    candidates, references = CORPUS
    texts = [" ".join(words) for words in candidates]
    columns = [[" ".join(group[0]) for group in references]]
    theirs = BLEU(tokenize="none", smooth_method="none").corpus_score(texts, columns).score
    ours = bleu(candidates, [group[:1] for group in references])[3]
    assert theirs == pytest.approx(100 * ours, **EXACT)


def test_convention_a_precision_of_0() -> None:
    """p_1 = 1, p_2 = 0. pycocoevalcap: sqrt(1e-15); sacrebleu's default: half a match of one."""
    assert bleu(*NO_MATCH_OF_TWO)[1] == 0
    assert of_coco(NO_MATCH_OF_TWO)[1] == pytest.approx(1e-15**0.5, rel=1e-6)
    assert 0 < of_nltk(NO_MATCH_OF_TWO)[1] < 1e-100
    with pytest.warns(UserWarning, match="0 counts"):
        corpus_bleu(NO_MATCH_OF_TWO[1], NO_MATCH_OF_TWO[0], weights=[0.5, 0.5])
    assert of_sacrebleu(NO_MATCH_OF_TWO)[1] == 0
    assert of_sacrebleu(NO_MATCH_OF_TWO, smooth_method="exp")[1] == pytest.approx(0.5**0.5, **EXACT)


def test_convention_no_ngram() -> None:
    """Captions of two words have no piece of three."""
    assert bleu(*SHORT) == pytest.approx([1, 1, 0, 0], **EXACT)
    assert of_coco(SHORT)[2] == pytest.approx((1e-15 / 1e-9) ** (1 / 3), rel=1e-6)
    assert 0 < of_nltk(SHORT)[2] < 1e-100
    assert of_sacrebleu(SHORT)[2] == 0


def test_convention_equally_near() -> None:
    corpus = (split("a dog runs"), [split("a dog runs fast", "a dog")])
    for values in (bleu(*corpus), of_coco(corpus), of_nltk(corpus), of_sacrebleu(corpus)):
        assert values[0] == pytest.approx(1, rel=5e-9)


def test_convention_shorter_than_n() -> None:
    """ "a" has no bigram; nltk counts one that does not match."""
    corpus = (split("a", "a dog"), [split("a"), split("a dog")])
    assert bleu(*corpus)[1] == pytest.approx(1, **EXACT) == of_sacrebleu(corpus)[1] == pytest.approx(1, **EXACT)
    assert of_coco(corpus)[1] == pytest.approx(1, rel=5e-9)
    assert of_nltk(corpus)[1] == pytest.approx((1 / 2) ** 0.5, **EXACT)


def test_convention_words() -> None:
    """For sacrebleu's own tokenizer, a comma is a word."""
    text, other = "a dog, a ball", "a dog, a cat"
    assert bleu([caption_words(text)], [[caption_words(other)]])[0] == pytest.approx(3 / 4, **EXACT)
    theirs = BLEU(max_ngram_order=1, smooth_method="none").corpus_score([text], [[other]]).score
    assert theirs == pytest.approx(100 * 4 / 5, **EXACT)


def test_convention_empty() -> None:
    assert bleu(*EMPTY) == of_nltk(EMPTY) == of_sacrebleu(EMPTY) == [0, 0, 0, 0]
    assert of_coco(EMPTY) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("candidates", "references", "message"),
    [
        ([["a"]], [], "each candidate needs its references, got 1 candidates and 0 references"),
        ([], [], "candidates must be at least one caption, got none"),
        ([["a"], ["b"]], [[["a"]], []], "caption 1 has no reference"),
        (["a dog"], [[["a", "dog"]]], "caption 0: captions are lists of words, got a string"),
    ],
)
def test_wrong_input(candidates, references, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bleu(candidates, references)


def check_all(candidate: Callable) -> None:
    for check in (check_by_hand, check_corpus, check_length, check_ties):
        check(candidate)


@pytest.mark.parametrize("wrong", misconceptions.BLEU, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)
