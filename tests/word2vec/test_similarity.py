"""Equation → function → test (Mikolov et al. 2013a, section 4; Levy & Goldberg 2014)

cos(x, y)                                 cosines          test_cosines_equal_loops
cos(x, b) - cos(x, a) + cos(x, c)         three_cos_add    test_3cosadd_equals_loops, test_answers_equal_gensims
cos(x, b) cos(x, c) / (cos(x, a) + ε)     three_cos_mul    test_3cosmul_equals_loops, test_products_equal_gensims
the correlation of ranks                  spearman, ranks  test_ranks_equal_scipys, test_spearman_equals_scipys
"""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import scipy.stats
import torch
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from tests.word2vec.misconceptions import similarity as misconceptions
from word2vec.evaluate import ranks, spearman
from word2vec.extensions import three_cos_mul as extension
from word2vec.extensions.three_cos_mul import three_cos_mul
from word2vec.similarity import complete, cosines, nearest, three_cos_add

SINGLE = {"relative": 1e-5, "absolute": 1e-6}  # gensim computes in float32


@st.composite
def vectors_and_questions(draw):
    v, d, n = draw(unequal_sizes(3, low=4, high=8))
    question = st.lists(st.integers(0, v - 1), min_size=3, max_size=3, unique=True)
    return draw(whole_tensors(v, d)), torch.tensor(draw(st.lists(question, min_size=n, max_size=n)))


def random_vectors(v: int, d: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.rand(v, 1, generator=generator, dtype=torch.float64) * 5 + 0.1
    return torch.randn(v, d, generator=generator, dtype=torch.float64) * lengths


def gensims(vectors: torch.Tensor) -> KeyedVectors:
    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors([f"w{word}" for word in range(len(vectors))], vectors.float().numpy())
    return keyed


def cosine(x: Sequence[float], y: Sequence[float]) -> float:
    lengths = math.hypot(*x) * math.hypot(*y)
    return sum(a * b for a, b in zip(x, y, strict=True)) / lengths if lengths else 0.0


def check_cosines(candidate: Callable, vectors, words) -> None:
    rows = vectors.tolist()
    expected = [[cosine(rows[word], row) for row in rows] for word in words.tolist()]
    check_close("cos(x, y)", candidate(vectors, words), torch.tensor(expected, dtype=torch.float64))


def check_add(candidate: Callable, vectors, questions) -> None:
    rows = vectors.tolist()
    expected = [
        [cosine(x, rows[b]) - cosine(x, rows[a]) + cosine(x, rows[c]) for x in rows] for a, b, c in questions.tolist()
    ]
    check_close(
        "3CosAdd: cos(x, b) − cos(x, a) + cos(x, c)",
        candidate(vectors, *questions.unbind(1)),
        torch.tensor(expected, dtype=torch.float64),
    )


def check_mul(candidate: Callable, vectors, questions) -> None:
    rows = vectors.tolist()

    def moved(x: Sequence[float], word: int) -> float:
        return (cosine(x, rows[word]) + 1) / 2

    expected = [[moved(x, b) * moved(x, c) / (moved(x, a) + 0.001) for x in rows] for a, b, c in questions.tolist()]
    got = candidate(vectors, *questions.unbind(1))
    check_close(
        "3CosMul: cos(x, b) cos(x, c) / (cos(x, a) + 0.001), each moved to 0 … 1",
        got,
        torch.tensor(expected, dtype=torch.float64),
        1e-9,
        1e-11,
    )  # divided by 0.001: 1e3 more


def check_answers_as_gensim(candidate: Callable, vectors, questions) -> None:
    """The reference is KeyedVectors.most_similar; its scores are divided by the length of b - a + c."""
    keyed = gensims(vectors)
    unit = vectors / vectors.norm(dim=1, keepdim=True)
    numbers, scores = candidate(vectors, questions, len(vectors) - 3, three_cos_add)
    for (a, b, c), row, values in zip(questions.tolist(), numbers.tolist(), scores, strict=True):
        expected = keyed.most_similar(positive=[f"w{b}", f"w{c}"], negative=[f"w{a}"], topn=len(vectors) - 3)
        assert [f"w{word}" for word in row] == [word for word, _ in expected], f"answers to {(a, b, c)}"
        length = (unit[b] - unit[a] + unit[c]).norm()
        check_close(
            f"answers to {(a, b, c)} beside gensim",
            values / length,
            torch.tensor([value for _, value in expected]).double(),
            **SINGLE,
        )


def check_ranks(candidate: Callable, values: Sequence[float]) -> None:
    expected = torch.from_numpy(scipy.stats.rankdata(values))
    check_equal("ranks beside scipy", candidate(values), expected)


def check_spearman(candidate: Callable, one: Sequence[float], other: Sequence[float]) -> None:
    assert candidate(one, other) == pytest.approx(scipy.stats.spearmanr(one, other).statistic, rel=1e-10, abs=1e-12)


def test_a_parallelogram_by_hand() -> None:
    """man (1, 0, 1), woman (0, 1, 1), king (1, 0, -1): queen is (0, 1, -1). Its cosines: with woman 0, with
    man -1/2, with king 1/2."""
    vectors = torch.tensor([[1.0, 0, 1], [0, 1, 1], [1, 0, -1], [0, 1, -1], [5, 0, 0]])
    ids, scores = complete(vectors, torch.tensor([[0, 1, 2]]))
    assert ids.tolist() == [[3]]
    assert scores.item() == pytest.approx(0 + 1 / 2 + 1 / 2)


@given(drawn=vectors_and_questions())
def test_cosines_equal_loops(drawn) -> None:
    vectors, questions = drawn
    check_cosines(cosines, vectors, questions[:, 0])


@given(drawn=vectors_and_questions())
def test_3cosadd_equals_loops(drawn) -> None:
    check_add(three_cos_add, *drawn)


@given(drawn=vectors_and_questions())
def test_3cosmul_equals_loops(drawn) -> None:
    check_mul(three_cos_mul, *drawn)


@pytest.mark.parametrize("seed", range(4))
def test_nearest_equals_gensims(seed: int) -> None:
    """The reference is KeyedVectors.most_similar of one word."""
    vectors = random_vectors(9, 5, seed)
    keyed = gensims(vectors)
    for word in range(9):
        for count in (1, 4, 8):
            expected = keyed.most_similar(f"w{word}", topn=count)
            got = nearest(vectors, word, count)
            assert [f"w{other}" for other, _ in got] == [other for other, _ in expected]
            assert [value for _, value in got] == pytest.approx([value for _, value in expected], rel=1e-5, abs=1e-6)


def test_nearest_never_names_the_word_itself() -> None:
    vectors = torch.ones(4, 3)
    assert sorted(word for word, _ in nearest(vectors, 2, 100)) == [0, 1, 3]


def test_a_vector_of_zeros_is_similar_to_nothing() -> None:
    vectors = torch.tensor([[0.0, 0.0], [3.0, 4.0], [-3.0, -4.0]])
    check_close(
        "the cosines of a vector of zeros",
        cosines(vectors, torch.tensor([0, 1])),
        torch.tensor([[0.0, 0, 0], [0, 1, -1]]),
        1e-5,
        1e-5,
    )


@given(drawn=vectors_and_questions(), lengths=st.lists(st.integers(1, 9), min_size=8, max_size=8))
def test_lengths_do_not_matter(drawn, lengths) -> None:
    vectors, questions = drawn
    longer = vectors * torch.tensor(lengths[: len(vectors)])[:, None]
    for form in (three_cos_add, three_cos_mul):
        check_close(
            f"{form.__name__} of longer vectors", form(longer, *questions.T), form(vectors, *questions.T), 1e-9, 1e-10
        )


@pytest.mark.parametrize("seed", range(4))
def test_answers_equal_gensims(seed: int) -> None:
    questions = torch.tensor([[0, 1, 2], [5, 3, 8], [7, 8, 0], [2, 1, 0]])
    check_answers_as_gensim(complete, random_vectors(10, 4, seed), questions)


@pytest.mark.parametrize("seed", range(4))
def test_products_equal_gensims(seed: int, monkeypatch) -> None:
    """The reference is KeyedVectors.most_similar_cosmul, which adds 0.000001 where Levy & Goldberg say 0.001."""
    vectors = random_vectors(10, 4, seed)
    keyed, questions = gensims(vectors), torch.tensor([[0, 1, 2], [5, 3, 8], [7, 8, 0]])
    monkeypatch.setattr(extension, "EPSILON", 1e-6)
    numbers, scores = complete(vectors, questions, 7, three_cos_mul)
    for (a, b, c), row, values in zip(questions.tolist(), numbers.tolist(), scores.tolist(), strict=True):
        expected = keyed.most_similar_cosmul(positive=[f"w{b}", f"w{c}"], negative=[f"w{a}"], topn=7)
        assert [f"w{word}" for word in row] == [word for word, _ in expected]
        assert values == pytest.approx([value for _, value in expected], rel=1e-4)  # one minus a cosine near one


def check_question_words_are_no_answers(candidate: Callable, vectors, questions, score: Callable) -> None:
    numbers, scores = candidate(vectors, questions, 100, score)
    for question, row in zip(questions.tolist(), numbers.tolist(), strict=True):
        assert sorted(row) == [word for word in range(len(vectors)) if word not in question], f"{row} for {question}"
    assert scores.isfinite().all()
    assert (scores.diff(dim=1) <= 0).all()


@given(drawn=vectors_and_questions(), score=st.sampled_from([three_cos_add, three_cos_mul]))
def test_question_words_are_no_answers(drawn, score) -> None:
    check_question_words_are_no_answers(complete, *drawn, score)


VALUES = st.integers(-3, 3).map(float)


@given(values=st.lists(VALUES, min_size=1, max_size=12))
def test_ranks_equal_scipys(values) -> None:
    check_ranks(ranks, values)
    assert ranks(values).sum() == len(values) * (len(values) + 1) / 2


@given(pairs=st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=12))
def test_spearman_equals_scipys(pairs) -> None:
    one, other = (list(half) for half in zip(*pairs, strict=True))
    if len(set(one)) == 1 or len(set(other)) == 1:
        assert math.isnan(spearman(one, other))
    else:
        check_spearman(spearman, one, other)


def test_spearman_without_ties_in_closed_form() -> None:
    """1 - 6 Σ d² / (n³ - n), with d the differences of ranks; what rises only, correlates fully."""
    one, other = [3.0, 1.0, 4.0, 2.0, 9.0], [10.0, 40.0, 20.0, 30.0, 50.0]
    d = np.array([3, 1, 4, 2, 5]) - np.array([1, 4, 2, 3, 5])
    assert spearman(one, other) == pytest.approx(1 - 6 * (d**2).sum() / (5**3 - 5))
    assert spearman(one, [math.exp(value) for value in one]) == pytest.approx(1)
    assert spearman(one, [-value for value in one]) == pytest.approx(-1)


QUESTIONS = torch.tensor([[0, 1, 2], [5, 3, 4]])


def named(wrongs):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@named(misconceptions.COSINES)
def test_misconception_of_the_cosine_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_cosines(wrong, random_vectors(6, 3, 0), torch.tensor([1, 4]))


@named(misconceptions.ADDITIONS)
def test_misconception_of_3cosadd_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_add(wrong, random_vectors(6, 3, 0), QUESTIONS)


def test_unnormalised_vectors_give_other_answers() -> None:
    """Not only other scores: a long vector draws b - a + c to itself."""
    vectors = random_vectors(20, 5, 0)
    questions = torch.tensor([[a, a + 1, a + 2] for a in range(18)])
    unit, wrong = (
        form(vectors, *questions.T).scatter(1, questions, -torch.inf).argmax(1)
        for form in (three_cos_add, misconceptions.without_unit_vectors)
    )
    assert (unit != wrong).any()


@named(misconceptions.MULTIPLICATIONS)
def test_misconception_of_3cosmul_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_mul(wrong, random_vectors(6, 3, 0), QUESTIONS)


@named(misconceptions.ANSWERS)
def test_misconception_of_the_answer_is_caught(wrong) -> None:
    vectors = random_vectors(6, 3, 0)
    with pytest.raises(AssertionError):
        check_answers_as_gensim(wrong, vectors, QUESTIONS)
    with pytest.raises(AssertionError):
        check_question_words_are_no_answers(
            lambda v, q, _, score: wrong(v, q, 3, score), vectors, QUESTIONS, three_cos_add
        )


@named(misconceptions.RANKS)
def test_misconception_of_ranks_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_ranks(wrong, [2.0, 1.0, 5.0, 2.0, 0.0])


@named(misconceptions.CORRELATIONS)
def test_misconception_of_the_correlation_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_spearman(wrong, [1.0, 2.0, 3.0, 100.0], [0.1, 0.3, 0.2, 0.4])


@pytest.mark.parametrize("wrong", [-1, 4])
def test_an_id_without_a_vector_is_named(wrong: int) -> None:
    """The largest id is the number of vectors less 1."""
    with pytest.raises(ValueError, match=f"ids of words must be from 0 to 3, got {wrong}"):
        cosines(torch.eye(4), torch.tensor([3, wrong]))
