"""What the paper says → function → test

equation 1: TF-IDF                          documents, tf_idf    test_tf_idf_by_hand
section 6: clipped cosine, length penalty   similarity           test_by_hand
CIDEr-D                                     cider_d              test_equals_pycocoevalcap
"""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from pycocoevalcap.cider.cider import Cider

from show_attend_tell.extensions.metrics.cider import FACTOR, ORDER, cider_d, documents, similarity, tf_idf
from tests.show_attend_tell.captions import CORPUS, Corpus, as_coco, corpora, split
from tests.show_attend_tell.misconceptions import metrics as misconceptions

EXACT = {"rel": 1e-10, "abs": 1e-11}


def of_coco(corpus: Corpus) -> list[float]:
    return Cider().compute_score(*as_coco(corpus))[1].tolist()


def ours(candidates, references) -> list[float]:
    return cider_d(candidates, references)[1]


def test_tf_idf_by_hand() -> None:
    """Three images; all have "a", two have "dog", one has "a dog". log(3/3) = 0, log(3/2), log(3/1)."""
    references = [split("a dog", "a dog a"), split("dog the a"), split("a")]
    found = documents(references)
    assert (found["a",], found["dog",], found["a", "dog"], found["cat",]) == (3, 2, 1, 0)
    vector = tf_idf(["a", "dog", "dog", "cat"], found, 3)
    assert vector.values[0] == pytest.approx({("a",): 0, ("dog",): 2 * math.log(3 / 2), ("cat",): math.log(3)}, **EXACT)
    assert vector.values[1] == pytest.approx(
        {("a", "dog"): math.log(3), ("dog", "dog"): math.log(3), ("dog", "cat"): math.log(3)}, **EXACT
    )
    assert vector.norms[1] == pytest.approx(math.sqrt(3) * math.log(3), **EXACT)


def check_by_hand(candidate: Callable) -> None:
    """Two images. "dog dog" beside "dog": one word more, min(2, 1) · 1 / (2 · 1) = 1/2 for single words, else 0."""
    got = candidate(split("dog dog", "cat"), [split("dog"), split("cat")])
    expected = [FACTOR * math.exp(-1 / 72) / 2 / ORDER, FACTOR / ORDER]
    assert got == pytest.approx(expected, **EXACT), (
        f"10 · exp(-1²/(2·6²)) · (1/2 + 0 + 0 + 0)/4, and 10 · 1 · (1 + 0 + 0 + 0)/4: got {got}, expected {expected}"
    )


def check_corpus(candidate: Callable) -> None:
    got, expected = candidate(*CORPUS), of_coco(CORPUS)
    assert got == pytest.approx(expected, **EXACT), f"got {got}, pycocoevalcap has {expected}"


def test_by_hand() -> None:
    check_by_hand(ours)
    check_corpus(ours)


@given(corpora())
def test_equals_pycocoevalcap(corpus: Corpus) -> None:
    mean, scores = cider_d(*corpus)
    assert scores == pytest.approx(of_coco(corpus), **EXACT)
    assert mean == pytest.approx(sum(scores) / len(scores), **EXACT)


@given(corpora())
def test_between_0_and_10(corpus: Corpus) -> None:
    assert all(0 <= score <= FACTOR * (1 + 1e-12) for score in ours(*corpus))


def test_a_reference_of_its_own_has_10() -> None:
    texts = split("a dog runs on grass", "two men play the guitar", "one red ball lies there")
    assert ours(texts, [[words] for words in texts]) == pytest.approx([10, 10, 10], **EXACT)


def test_convention_tf() -> None:
    """The TF of equation 1, a share of the caption's n-grams, changes nothing without clipping, and much with it."""
    found = documents(CORPUS[1])
    c, s = (tf_idf(text.split(), found, 5) for text in ("a dog a dog runs", "a dog jumps over the dog"))
    share = [{piece: value / 5 for piece, value in numbers.items()} for numbers in c.values]
    scaled = c._replace(values=share, norms=[norm / 5 for norm in c.norms])
    assert similarity(scaled, s) != pytest.approx(similarity(c, s), rel=1e-3)
    assert misconceptions.tf_divided_by_the_words(*CORPUS) != pytest.approx(of_coco(CORPUS), rel=1e-3)


def test_convention_length() -> None:
    """Bigrams: an empty caption has as many as one of one word, so there is no penalty between them."""
    found = documents(CORPUS[1])
    assert [tf_idf(text.split(), found, 5).length for text in ("", "a", "a dog", "a dog runs")] == [0, 0, 1, 2]


def test_convention_unknown_ngram() -> None:
    """An n-gram that no reference has weighs as much as one that a single image has."""
    found = documents(CORPUS[1])
    value = tf_idf(["unicorn"], found, 5).values[0]["unicorn",]
    assert value == pytest.approx(math.log(5), **EXACT) == tf_idf(["musicians"], found, 5).values[0]["musicians",]


def test_convention_one_image() -> None:
    corpus = (split("a dog"), [split("a dog")])
    assert ours(*corpus) == of_coco(corpus) == [0]


def test_empty_captions() -> None:
    corpus = ([[], ["a"]], [split("a dog", "a"), split("cat")])
    assert ours(*corpus) == pytest.approx(of_coco(corpus), **EXACT)


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="caption 0 has no reference"):
        cider_d([["a"]], [[]])


def check_all(candidate: Callable) -> None:
    for check in (check_by_hand, check_corpus):
        check(candidate)


@pytest.mark.parametrize("wrong", misconceptions.CIDER, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)
