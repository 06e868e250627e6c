"""Equation → function → test (Mikolov et al. 2013b)

1 - P(w) = √(t / f(w))         keep_probability_paper   test_paper_by_hand, test_where_the_two_forms_differ
√(t / f(w)) + t / f(w)         keep_probability         test_keep_probability_equals_gensims
P_n(w) = U(w)^¾ / Z            noise_distribution       test_noise_equals_gensims, test_noise_by_hand
w ~ P_n                        draw_noise               test_noise_is_drawn_as_it_says, test_no_word_outside
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import torch
from gensim.models import Word2Vec
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.stats import chisquare

from tests.teach import check_close, check_equal
from tests.word2vec.misconceptions import vocabulary as misconceptions
from word2vec.pairs import subsample
from word2vec.vocabulary import (
    Vocabulary,
    build_vocabulary,
    draw_noise,
    frequencies,
    keep_probability,
    keep_probability_paper,
    noise_distribution,
)

GOLDEN = (3 + 5**0.5) / 2  # 2.618, where √x + x = 1 for x = 1 / 2.618
COUNTS = st.lists(st.integers(1, 2000), min_size=2, max_size=12).map(lambda counts: sorted(counts, reverse=True))


def gensims(counts: Sequence[int], **settings) -> Word2Vec:
    """gensim's vocabulary of words "0", "1", …, the most frequent first."""
    model = Word2Vec(vector_size=2, min_count=1, negative=5, **settings)
    model.build_vocab_from_freq({str(word): count for word, count in enumerate(counts)})
    return model


def check_keeps_as_gensim(candidate: Callable, counts: Sequence[int], sample: float) -> None:
    """gensim cuts p · (2³² - 1) down to a whole number: two units of 2⁻³²."""
    model = gensims(counts, sample=sample)
    expected = [model.wv.get_vecattr(str(word), "sample_int") / 2**32 for word in range(len(counts))]
    check_close(
        "P(keep) beside gensim", candidate(counts, sample), torch.tensor(expected, dtype=torch.float64), 0, 2 / 2**32
    )


def check_noise_as_gensim(candidate: Callable, counts: Sequence[int], power: float) -> None:
    """gensim rounds the ends of the words' parts to whole numbers up to 2³¹ - 1."""
    model = gensims(counts, ns_exponent=power)
    expected = torch.tensor(model.cum_table.astype(float)) / (2**31 - 1)
    check_close("Σ P_n(w) beside gensim", candidate(counts, power).cumsum(0), expected, 0, 1 / 2**31)


def check_sums_to_1(candidate: Callable, counts: Sequence[int], power: float) -> None:
    assert candidate(counts, power).sum().item() == pytest.approx(1, rel=1e-12)


def test_paper_by_hand() -> None:
    """f = ½, ¼, ⅛, ⅛ and t = ⅛: √¼, √½, 1, 1."""
    expected = torch.tensor([0.5, 0.5**0.5, 1, 1], dtype=torch.float64)
    check_close("equation 5, 1 - P(w), counts 4 2 1 1, t = 1/8", keep_probability_paper([4, 2, 1, 1], 1 / 8), expected)


def test_code_by_hand() -> None:
    """f = 16/20 and t = 1/20: √(1/16) + 1/16; f = 1/20: 2, so 1."""
    expected = torch.tensor([5 / 16, 1, 1, 1, 1], dtype=torch.float64)
    got = keep_probability([16, 1, 1, 1, 1], 1 / 20)
    check_close("√(t / f) + t / f, counts 16 1 1 1 1, t = 1/20", got, expected)


def test_noise_by_hand() -> None:
    """16^¾ = 8 and 81^¾ = 27. Power 1 gives the frequencies, power 0 the uniform distribution."""
    for power, expected in ((0.75, [27 / 36, 8 / 36, 1 / 36]), (1.0, [81 / 98, 16 / 98, 1 / 98]), (0.0, [1 / 3] * 3)):
        what = f"U(w)^{power} / Z, counts 81 16 1"
        check_close(what, noise_distribution([81, 16, 1], power), torch.tensor(expected, dtype=torch.float64))


def test_frequencies_by_hand() -> None:
    check_close(
        "f(w) of the counts 5, 3, 2", frequencies([5, 3, 2]), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    )


def test_the_most_frequent_word_is_first_and_of_equals_the_first_to_be_seen() -> None:
    vocabulary = build_vocabulary(Counter(["d", "b", "a", "b", "c", "a", "a", "e"]))
    assert vocabulary.words == ("a", "b", "d", "c", "e")
    assert vocabulary.counts == (3, 2, 1, 1, 1)
    assert vocabulary.index == {"a": 0, "b": 1, "d": 2, "c": 3, "e": 4}
    assert len(vocabulary) == 5


@pytest.mark.parametrize(("min_count", "words"), [(1, "abcd"), (2, "abc"), (3, "ab"), (4, "ab")])
def test_min_count_is_the_least_that_is_kept(min_count: int, words: str) -> None:
    assert build_vocabulary(Counter(c=2, b=4, d=1, a=5), min_count).words == tuple(words)


def test_unknown_words_are_left_out() -> None:
    assert Vocabulary(("a", "b"), (2, 1)).ids(["b", "x", "a", "a", "y", "b"]) == [1, 0, 0, 1]


@given(words=st.lists(st.sampled_from("abcdefg"), min_size=1, max_size=30))
def test_order_equals_gensims_counts(words) -> None:
    """gensim sorts by count too; among equals it promises nothing."""
    counts = Counter([*words, "y", "z"])
    vocabulary = build_vocabulary(counts)
    assert dict(zip(vocabulary.words, vocabulary.counts, strict=True)) == counts
    model = Word2Vec(vector_size=2, min_count=1)
    model.build_vocab_from_freq(counts)
    assert list(vocabulary.counts) == [model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key]


@pytest.mark.parametrize(
    ("counts", "min_count", "message"),
    [
        (Counter(), 1, "min_count must leave two words or more, got 1, which leaves 0 of 0"),
        (Counter("aa"), 1, "min_count must leave two words or more, got 1, which leaves 1 of 1"),
        (Counter("aab"), 2, "min_count must leave two words or more, got 2, which leaves 1 of 2"),
        (Counter("aabb"), 3, "min_count must leave two words or more, got 3, which leaves 0 of 2"),
    ],
)
def test_too_few_words_are_an_error(counts, min_count: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_vocabulary(counts, min_count)


def test_where_the_two_forms_differ() -> None:
    """f = 100 t: 0.11 and 0.10. f = t: all, in both. The paper discards above t, the code above 2.618 t."""
    counts = [100, 1, 899]  # f = 0.1, 0.001, 0.899
    assert keep_probability(counts, 1e-3)[0].item() == pytest.approx(0.11, rel=1e-12)
    assert keep_probability_paper(counts, 1e-3)[0].item() == pytest.approx(0.10, rel=1e-12)
    assert keep_probability(counts, 1e-3)[1] == keep_probability_paper(counts, 1e-3)[1] == 1
    assert keep_probability_paper(counts, 0.1 / 1.01)[0] < 1
    assert keep_probability(counts, 0.1 / 2.6)[0] == 1
    assert keep_probability(counts, 0.1 / (GOLDEN - 1e-9))[0] == 1
    assert keep_probability(counts, 0.1 / (GOLDEN + 1e-9))[0] < 1


@given(counts=COUNTS, sample=st.floats(1e-6, 0.999))
def test_the_code_keeps_at_least_what_the_paper_keeps(counts, sample) -> None:
    code, paper = keep_probability(counts, sample), keep_probability_paper(counts, sample)
    assert (code >= paper).all()
    assert (code <= 1).all()
    assert (code.diff() >= -1e-12).all(), "a rarer word is kept less often"


@given(counts=COUNTS, sample=st.one_of(st.just(0.0), st.floats(1e-6, 0.999)))
def test_keep_probability_equals_gensims(counts, sample) -> None:
    check_keeps_as_gensim(keep_probability, counts, sample)


def test_no_threshold_keeps_all() -> None:
    assert keep_probability([9, 1], 0.0).tolist() == [1, 1]


@given(counts=COUNTS, power=st.sampled_from([0.0, 0.5, 0.75, 1.0, -0.5]))
def test_noise_equals_gensims(counts, power) -> None:
    check_noise_as_gensim(noise_distribution, counts, power)
    check_sums_to_1(noise_distribution, counts, power)


@given(counts=COUNTS, times=st.integers(2, 1000))
def test_a_text_read_several_times_has_the_same_probabilities(counts, times) -> None:
    longer = [times * count for count in counts]
    check_close("P_n(w) of a text that is read several times", noise_distribution(longer), noise_distribution(counts))
    check_close(
        "P(keep) of a text that is read several times", keep_probability(longer, 1e-2), keep_probability(counts, 1e-2)
    )


def test_noise_is_drawn_as_it_says() -> None:
    distribution = noise_distribution([50, 30, 8, 4, 1])
    drawn = draw_noise(distribution, (200, 100), torch.Generator().manual_seed(0))
    assert drawn.shape == (200, 100)
    counted = drawn.flatten().bincount(minlength=5)
    assert chisquare(counted.numpy(), (distribution * 20_000).numpy()).pvalue > 1e-3, counted
    columns = torch.stack([drawn[:, ::2].flatten(), drawn[:, 1::2].flatten()])  # side by side: independent
    both = (columns[0] * 5 + columns[1]).bincount(minlength=25).double()
    expected = torch.outer(distribution, distribution).flatten() * 10_000
    assert chisquare(both.numpy(), expected.numpy()).pvalue > 1e-3


def test_words_are_dropped_as_often_as_it_says() -> None:
    keep = torch.tensor([0.1, 0.5, 0.9, 1.0, 0.0], dtype=torch.float64)
    ids = torch.arange(5).repeat(4000)
    kept = subsample(ids, keep, torch.Generator().manual_seed(1))
    counted = ids[kept].bincount(minlength=5)
    assert (counted[3], counted[4]) == (4000, 0)
    for word in range(3):
        expected = [4000 * keep[word].item(), 4000 * (1 - keep[word].item())]
        assert chisquare([counted[word].item(), 4000 - counted[word].item()], expected).pvalue > 1e-3, word


def test_each_place_decides_for_itself() -> None:
    """Not once for each word of the vocabulary: of one word's places some are kept and some are not."""
    kept = subsample(torch.zeros(100, dtype=torch.int64), torch.tensor([0.5]), torch.Generator().manual_seed(0))
    assert 20 < kept.sum() < 80


def test_the_generator_alone_decides() -> None:
    distribution, keep = noise_distribution([3, 2, 1]), keep_probability([3, 2, 1], 1e-2)
    ids = torch.tensor([0, 1, 2] * 20)
    draws = []
    for seed in (4, 4, 5):
        torch.manual_seed(len(draws))  # the global stream must not matter
        generator = torch.Generator().manual_seed(seed)
        draws.append((draw_noise(distribution, (30,), generator), subsample(ids, keep, generator)))
    (one, kept), (same, same_kept), (other, other_kept) = draws
    check_equal("noise with the same generator", one, same)
    check_equal("subsampling with the same generator", kept, same_kept)
    assert not torch.equal(one, other)
    assert not torch.equal(kept, other_kept)


@given(counts=st.lists(st.integers(0, 10**6), min_size=2, max_size=40).filter(any), power=st.sampled_from([0.75, 1.0]))
@example(counts=[0, 3, 0, 5], power=0.75)  # the number 0 must not fall to word 0
def test_no_word_outside(counts, power) -> None:
    """However near a uniform number is to 1, and at 0, it falls to a word, and to one whose part is not empty."""
    distribution = noise_distribution(counts, power)
    uniform = torch.tensor([0.0, 2.0**-60, 0.5, 1 - 2.0**-53], dtype=torch.float64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", lambda size, **_: uniform.expand(size))
        drawn = draw_noise(distribution, (4,), torch.Generator())
    assert drawn.max() < len(counts)
    assert (distribution[drawn] > 0).all(), f"drew {drawn.tolist()} from {distribution.tolist()}"


@pytest.mark.parametrize("wrong", misconceptions.KEEPS, ids=lambda function: function.__name__)
def test_misconception_of_subsampling_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_keeps_as_gensim(wrong, [900, 80, 15, 5], 1e-2)


@pytest.mark.parametrize("wrong", misconceptions.NOISES, ids=lambda function: function.__name__)
def test_misconception_of_the_noise_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_noise_as_gensim(wrong, [900, 80, 15, 5], 0.75)
