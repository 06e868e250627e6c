"""Equation → function → test (Mikolov et al. 2013a, section 3.2; 2013b, equation 1)

w_{t+j}, -c ≤ j ≤ c, j ≠ 0    skip_gram_pairs         test_equals_spec, test_by_hand
R in <1; C>                   draw_windows            test_all_windows_are_equally_likely
(c - j + 1) / c               draw_windows, reach     test_how_likely_a_distance_is
subsampling, then windows     draw_text, subsample    test_windows_reach_over_dropped_words
"""

from collections import Counter
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from tests.teach import check_equal
from tests.word2vec.misconceptions import pairs as misconceptions
from word2vec.pairs import Text, draw_text, draw_windows, reach, skip_gram_pairs, skip_gram_pairs_spec, subsample

SENTENCE = st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=7)
SENTENCES = st.lists(SENTENCE, max_size=4)  # each a list of (word, its window)


def text_of(sentences: Sequence[Sequence[tuple[int, int]]], numbers: Sequence[int] | None = None) -> Text:
    words = [pair for sentence in sentences for pair in sentence]
    numbers = range(len(sentences)) if numbers is None else numbers
    sentence = [number for number, sentence in zip(numbers, sentences, strict=True) for _ in sentence]
    ids, windows = ([word[i] for word in words] for i in (0, 1))
    return Text(*(torch.tensor(values, dtype=torch.int64) for values in (ids, sentence, windows)))


def counted(pairs) -> Counter:
    return Counter(zip(*(half.tolist() for half in pairs), strict=True))


def check_equals_spec(candidate: Callable, sentences: Sequence[Sequence[tuple[int, int]]]) -> None:
    expected = Counter()
    for sentence in sentences:
        expected.update(skip_gram_pairs_spec(*zip(*sentence, strict=True)))
    got = counted(candidate(text_of(sentences)))
    many, few = (sorted((one - other).elements()) for one, other in ((got, expected), (expected, got)))
    assert not many + few, (
        f"pairs (centre, context): {many} too many, {few} missing, in sentences of (word, window) {sentences}"
    )


def check_windows(candidate: Callable, window: int, seed: int = 0) -> None:
    """Whole numbers from 1 to c, each as often as any other, and each word's for itself."""
    drawn = candidate(6000, window, torch.Generator().manual_seed(seed))
    found = set(drawn.tolist())
    assert found == set(range(1, window + 1)), f"windows {found} of 1 … {window}"
    if window == 1:
        return
    assert chisquare(drawn.bincount(minlength=window + 1)[1:].numpy()).pvalue > 1e-3, drawn.bincount()
    both = (drawn[::2] * (window + 1) + drawn[1::2]).bincount(minlength=(window + 1) ** 2)
    both = both.view(window + 1, window + 1)[1:, 1:]
    assert chisquare(both.flatten().numpy()).pvalue > 1e-3, "neighbouring windows depend on each other"


def check_distances(candidate: Callable, window: int) -> None:
    """In a long sentence without ends: a neighbour at distance j is met with probability (c - j + 1) / c."""
    n = 4000
    ids = torch.arange(n)
    text = Text(ids, torch.zeros_like(ids), candidate(n, window, torch.Generator().manual_seed(7)))
    centres, contexts = skip_gram_pairs(text)
    for j in range(-window - 1, window + 2):
        met = int((contexts - centres == j).sum())
        probability = max(0.0, (window - abs(j) + 1) / window) if j else 0.0
        places = n - abs(j)
        if probability in (0.0, 1.0):
            assert met == probability * places, f"distance {j} met {met} times"
        else:
            assert binomtest(met, places, probability).pvalue > 1e-4, f"distance {j}: {met} of {places}, {probability}"


def pairs_of_draw_text(ids, sentence, keep, window, generator):
    return skip_gram_pairs(draw_text(ids, sentence, keep, window, generator))


def check_reaches_over_dropped_words(candidate: Callable) -> None:
    """Word 9 is never kept: with a window of 1 the words beside it are neighbours, and it is nobody's."""
    ids, sentence = torch.tensor([0, 9, 1, 9, 9, 2, 9, 3]), torch.tensor([0, 0, 0, 0, 0, 0, 0, 1])
    keep = torch.tensor([1.0] * 9 + [0.0])
    got = counted(candidate(ids, sentence, keep, 1, torch.Generator().manual_seed(0)))
    expected = Counter([(0, 1), (1, 0), (1, 2), (2, 1)])
    assert got == expected, f"pairs {dict(got)}, expected {dict(expected)}"


@pytest.mark.parametrize(
    ("sentences", "expected"),
    [
        ([[(0, 1), (1, 1), (2, 1)]], [(0, 1), (1, 0), (1, 2), (2, 1)]),
        ([[(0, 9), (1, 1), (2, 1)]], [(0, 1), (0, 2), (1, 0), (1, 2), (2, 1)]),  # the first word's own window
        ([[(0, 1), (1, 1), (2, 2)]], [(0, 1), (1, 0), (1, 2), (2, 1), (2, 0)]),  # the last word's
        ([[(0, 5), (1, 5)], [(2, 5), (3, 5)]], [(0, 1), (1, 0), (2, 3), (3, 2)]),  # never across
        ([[(4, 1), (4, 1)]], [(4, 4), (4, 4)]),  # a word beside itself
        ([[(4, 3)], [(1, 3)]], []),  # alone
        ([], []),
    ],
)
@pytest.mark.parametrize("spec", [False, True])
def test_by_hand(sentences, expected, spec: bool) -> None:
    if spec:
        got = [pair for sentence in sentences for pair in skip_gram_pairs_spec(*zip(*sentence, strict=True))]
    else:
        got = list(counted(skip_gram_pairs(text_of(sentences))).elements())
    said = f"equation 1, sentences of (word, window) {sentences}: pairs {sorted(got)}, expected {sorted(expected)}"
    assert sorted(got) == sorted(expected), said


@given(sentences=SENTENCES)
def test_equals_spec(sentences) -> None:
    check_equals_spec(skip_gram_pairs, sentences)


@given(sentences=SENTENCES)
def test_gaps_in_the_numbers_of_sentences_do_not_matter(sentences) -> None:
    """Subsampling may drop a whole sentence, and its number with it."""
    gaps = text_of(sentences, [5 + 3 * number for number in range(len(sentences))])
    assert counted(skip_gram_pairs(gaps)) == counted(skip_gram_pairs(text_of(sentences)))


@given(sentences=SENTENCES)
def test_pairs_come_in_the_order_of_their_distance(sentences) -> None:
    places = [[(0, window) for _, window in sentence] for sentence in sentences]
    text = text_of(places)
    text = Text(torch.arange(len(text.ids)), text.sentence, text.windows)
    centres, contexts = skip_gram_pairs(text)
    assert ((centres - contexts).abs().diff() >= 0).all()


def test_reach_by_hand() -> None:
    text = text_of([[(0, 2), (1, 1), (2, 9), (3, 2)], [(4, 3)], [(5, 1), (6, 4)]])
    left, right = reach(text)
    assert left.tolist() == [0, 1, 2, 2, 0, 0, 1]
    assert right.tolist() == [2, 1, 1, 0, 0, 1, 0]


def test_no_text_has_no_pairs() -> None:
    text = text_of([])
    assert [len(half) for half in reach(text)] == [0, 0]
    assert [(len(half), half.dtype) for half in skip_gram_pairs(text)] == [(0, torch.int64)] * 2


@pytest.mark.parametrize("window", [1, 2, 5])
def test_all_windows_are_equally_likely(window: int) -> None:
    check_windows(draw_windows, window)


@pytest.mark.parametrize("window", [1, 2, 5])
def test_how_likely_a_distance_is(window: int) -> None:
    check_distances(draw_windows, window)


@given(window=st.integers(1, 6), j=st.integers(1, 6))
def test_probability_of_a_distance_by_counting(window, j) -> None:
    """Of the c windows, those of j words and more hold distance j: the spec itself, over all windows."""
    middle = window + 1
    sentence = list(range(2 * middle + 1))
    met = 0
    for drawn in range(1, window + 1):
        windows = [1] * middle + [drawn] + [1] * middle
        met += (middle, middle + j) in skip_gram_pairs_spec(sentence, windows) if j <= middle else 0
    assert met == max(0, window - j + 1)


def test_windows_reach_over_dropped_words() -> None:
    check_reaches_over_dropped_words(pairs_of_draw_text)


def test_a_text_is_subsampled_and_then_draws_windows() -> None:
    ids, sentence = torch.tensor([0, 1] * 50), torch.arange(100) // 7
    keep = torch.tensor([0.3, 1.0]).double()
    text = draw_text(ids, sentence, keep, 4, torch.Generator().manual_seed(3))
    generator = torch.Generator().manual_seed(3)
    kept = subsample(ids, keep, generator)
    assert 50 < kept.sum() < 80
    check_equal("the words that are kept", text.ids, ids[kept])
    check_equal("the sentences of the words that are kept", text.sentence, sentence[kept])
    check_equal("the windows", text.windows, draw_windows(int(kept.sum()), 4, generator))


def test_the_generator_alone_decides() -> None:
    texts = []
    for seed in (2, 2, 3):
        torch.manual_seed(len(texts))
        keep = torch.tensor([0.5, 0.9])
        texts.append(
            draw_text(torch.tensor([0, 1] * 20), torch.zeros(40).long(), keep, 5, torch.Generator().manual_seed(seed))
        )
    one, same, other = ((text.ids.tolist(), text.windows.tolist()) for text in texts)
    assert one == same
    assert one != other


@pytest.mark.parametrize("wrong", misconceptions.PAIRS, ids=lambda function: function.__name__)
def test_misconception_of_pairs_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_equals_spec(wrong, [[(0, 1), (1, 3), (2, 2), (2, 4)], [(3, 2), (4, 1), (3, 1)]])


@pytest.mark.parametrize("wrong", misconceptions.WINDOWS, ids=lambda function: function.__name__)
@pytest.mark.parametrize("check", [check_windows, check_distances])
def test_misconception_of_windows_is_caught(wrong, check) -> None:
    """By each of the two checks on its own."""
    with pytest.raises(AssertionError):
        check(wrong, 5)


@pytest.mark.parametrize("wrong", misconceptions.DRAWS, ids=lambda function: function.__name__)
def test_misconception_of_subsampling_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_reaches_over_dropped_words(wrong)
