"""Equation → function → test (Mikolov et al. 2013b)

v'_{w_O} · v_{w_I}                    SkipGram.scores, all_scores   test_scores_by_hand, test_scores_equal_loops
W uniform in ±1/(2 dim), W' zero      SkipGram                      test_first_weights, test_step_0_is_known
W W'ᵀ has rank dim at most            SkipGram.all_scores           test_the_rank_of_all_scores
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from word2vec.model import SkipGram


def model_of(centre, context) -> SkipGram:
    model = SkipGram(*centre.shape).to(centre.dtype)
    with torch.no_grad():
        model.centre.copy_(centre)
        model.context.copy_(context)
    return model


def check_scores_by_hand(candidate: Callable) -> None:
    """v_0 = (1, 2), v_1 = (3, -1); v'_0 = (1, 1), v'_1 = (0, 5): v'_0 · v_0 = 3, v'_1 · v_0 = 10, v'_0 · v_1 = 2."""
    model = model_of(torch.tensor([[1.0, 2], [3, -1]]), torch.tensor([[1.0, 1], [0, 5]]))
    got = candidate(model, torch.tensor([0, 0, 1]), torch.tensor([0, 1, 0]))
    check_close("v'_{w_O} · v_{w_I}, one context word each", got, torch.tensor([3.0, 10, 2]))
    got = candidate(model, torch.tensor([0, 1]), torch.tensor([[0, 1, 1], [0, 0, 1]]))
    check_close("v'_w · v_{w_I}, k = 3 words each", got, torch.tensor([[3.0, 10, 10], [2, 2, -5]]))


def test_scores_by_hand() -> None:
    check_scores_by_hand(SkipGram.scores)


@st.composite
def models_and_pairs(draw):
    words, dim, n, k = draw(unequal_sizes(4))
    model = model_of(draw(whole_tensors(words, dim)), draw(whole_tensors(words, dim)))
    ids = st.integers(0, words - 1)
    centres = torch.tensor(draw(st.lists(ids, min_size=n, max_size=n)))
    contexts = torch.tensor(draw(st.lists(st.lists(ids, min_size=k, max_size=k), min_size=n, max_size=n)))
    return model, centres, contexts


@given(drawn=models_and_pairs())
def test_scores_equal_loops(drawn) -> None:
    model, centres, contexts = drawn
    scores = model.scores(centres, contexts)
    w, u = model.centre.tolist(), model.context.tolist()
    expected = [
        [sum(a * b for a, b in zip(w[centre], u[context], strict=True)) for context in row]
        for centre, row in zip(centres.tolist(), contexts.tolist(), strict=True)
    ]
    check_close("v'_w · v_{w_I} in loops", scores, torch.tensor(expected, dtype=torch.float64))
    check_close("one context word each", model.scores(centres, contexts[:, 0]), scores[:, 0])


@given(drawn=models_and_pairs())
def test_both_forms_agree(drawn) -> None:
    model, centres, contexts = drawn
    check_close("all_scores and scores", model.all_scores(centres).gather(1, contexts), model.scores(centres, contexts))
    assert model.all_scores(centres).shape == (len(centres), len(model.centre))


@given(drawn=models_and_pairs())
def test_only_words_that_occur_have_a_gradient(drawn) -> None:
    model, centres, contexts = drawn
    centre, context = torch.autograd.grad(model.scores(centres, contexts).exp().sum(), (model.centre, model.context))
    for word in range(len(model.centre)):
        assert word in centres or not centre[word].any(), f"word {word} is no centre"
        assert word in contexts or not context[word].any(), f"word {word} is no context"


@given(drawn=models_and_pairs())
def test_the_gradient_of_a_row_is_the_sum_of_the_others(drawn) -> None:
    """∂ Σ s / ∂ v_w is the sum of v'_o over the pairs (w, o), and the reverse."""
    model, centres, contexts = drawn
    got = torch.autograd.grad(model.scores(centres, contexts).sum(), (model.centre, model.context))
    expected = torch.zeros_like(model.centre), torch.zeros_like(model.context)
    for w, row in zip(centres.tolist(), contexts.tolist(), strict=True):
        for o in row:
            expected[0][w] += model.context[o].detach()
            expected[1][o] += model.centre[w].detach()
    for what, *pair in zip(("∂ Σ s / ∂v_w", "∂ Σ s / ∂v'_o"), got, expected, strict=True):
        check_close(what, *pair)


def test_first_weights() -> None:
    """Uniform within ±1/(2 dim), by Kolmogorov and Smirnov; W' is zero."""
    words, dim = 300, 20
    torch.manual_seed(0)
    model = SkipGram(words, dim)
    assert model.centre.shape == model.context.shape == (words, dim)
    largest = model.centre.abs().max().item()
    assert largest <= 1 / (2 * dim), (
        f"W within ±1/(2 dim), dim {dim}: got {largest:.4g}, expected at most {1 / (2 * dim)}"
    )
    assert kstest(model.centre.detach().flatten().numpy(), "uniform", (-1 / (2 * dim), 1 / dim)).pvalue > 1e-3
    check_equal("W' at step 0", model.context, torch.zeros_like(model.context))
    assert sorted(name for name, _ in model.named_parameters()) == ["centre", "context"]


@given(words=st.integers(2, 9), dim=st.integers(1, 9))
def test_step_0_is_known(words, dim) -> None:
    """All scores are 0, so all words are equally likely."""
    model = SkipGram(words, dim)
    check_equal("scores at step 0", model.all_scores(torch.arange(words)), torch.zeros(words, words))
    log_probabilities = model.all_scores(torch.arange(words)).log_softmax(dim=1)
    check_close("ln p = -ln V at step 0", log_probabilities, torch.full((words, words), -math.log(words)), 1e-5, 1e-5)


def test_the_rank_of_all_scores() -> None:
    """No hidden layer: 7 words have 7 · 7 scores, and with dim 3 a matrix of rank 3."""
    torch.manual_seed(0)
    model = model_of(torch.randn(7, 3).double(), torch.randn(7, 3).double())
    assert torch.linalg.matrix_rank(model.all_scores(torch.arange(7))) == 3


def test_the_seed_decides() -> None:
    models = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        models.append(SkipGram(5, 4))
    check_equal("W with the same seed", models[0].centre, models[1].centre)
    assert not torch.equal(models[0].centre, models[2].centre)


@pytest.mark.parametrize(("words", "dim"), [(1, 3), (0, 3), (2, 0), (-1, -1)])
def test_wrong_sizes_are_named(words: int, dim: int) -> None:
    with pytest.raises(ValueError, match=f"words must be at least 2 and dim at least 1, got {words} and {dim}"):
        SkipGram(words, dim)


def test_the_smallest_model() -> None:
    assert SkipGram(2, 1).all_scores(torch.tensor([1])).shape == (1, 2)
