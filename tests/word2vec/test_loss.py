"""Equation → function → test (Mikolov et al. 2013b; Levy & Goldberg 2014)

-ln p(w_O | w_I)                         softmax_loss             test_softmax_equals_spec, test_softmax_equals_torchs
ln σ(s_O) + k E[ln σ(-s_w)]              negative_sampling_loss   test_sampling_equals_spec, test_any_number_of_draws
∂L/∂s = σ(s) - 1, σ(s)                   negative_sampling_loss   test_gradient_of_sampling_in_closed_form
w · c = PMI(w, c) - ln k                 negative_sampling_loss   test_optimum_is_shifted_pmi, test_descent_finds_it
p(c | w) = #(w, c) / #(w)                softmax_loss             test_optimum_of_the_softmax
"""

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import logsigmoid, nll_loss
from torch.testing import assert_close

from tests.strategies import unequal_sizes, whole_tensors
from tests.word2vec.misconceptions import loss as misconceptions
from word2vec.loss import (
    negative_sampling_loss,
    negative_sampling_loss_spec,
    softmax_loss,
    softmax_loss_spec,
)
from word2vec.model import SkipGram
from word2vec.train import full_loss, sampled_loss

EXACT = {"rtol": 1e-10, "atol": 1e-11}


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@st.composite
def scores_and_contexts(draw):
    n, v = draw(unequal_sizes(2))
    contexts = draw(st.lists(st.integers(0, v - 1), min_size=n, max_size=n))
    return draw(whole_tensors(n, v)), torch.tensor(contexts)


@st.composite
def positive_and_negative(draw):
    n, draws, k = draw(unequal_sizes(3, low=1))
    return draw(whole_tensors(n)), draw(whole_tensors(n, draws)), k


def check_sampling_equals_spec(candidate: Callable, positive, negative, k: int) -> None:
    expected = negative_sampling_loss_spec(positive.tolist(), negative.tolist(), k)
    assert candidate(positive, negative, k).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def check_softmax_equals_spec(candidate: Callable, scores, contexts) -> None:
    expected = softmax_loss_spec(scores.tolist(), contexts.tolist())
    assert candidate(scores, contexts).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def check_sampling_of_large_scores(candidate: Callable) -> None:
    """-ln σ(-1000) is 1000, not infinite, and its gradient is -1."""
    positive = float64([-1000.0, 1000.0]).requires_grad_()
    negative = float64([[1000.0], [-1000.0]]).requires_grad_()
    loss = candidate(positive, negative, 1)
    assert_close(loss.detach(), float64(1000.0), **EXACT)  # (1000 + 1000 + 0 + 0) / 2
    for gradient, expected in zip(
        torch.autograd.grad(loss, (positive, negative)), ([-0.5, 0.0], [[0.5], [0.0]]), strict=True
    ):
        assert_close(gradient, float64(expected), **EXACT)


def check_softmax_of_large_scores(candidate: Callable) -> None:
    scores = float64([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 1000.0]])
    assert_close(candidate(scores, torch.tensor([1, 1])), float64((1000 + math.log(2)) / 2), **EXACT)


def check_sampling_gradient(candidate: Callable, positive, negative, k: int) -> None:
    positive, negative = positive.clone().requires_grad_(), negative.clone().requires_grad_()
    got = torch.autograd.grad(candidate(positive, negative, k), (positive, negative))
    n, draws = negative.shape
    expected = -(1 - positive.sigmoid()) / n, negative.sigmoid() * k / draws / n
    assert_close(got, tuple(part.detach() for part in expected), **EXACT)


COUNTED = float64([[40.0, 5, 36], [11, 3, 2], [30, 8, 218]])  # #(w, c); 81, 16 and 256 times each context
ROOTS = torch.tensor([27, 8, 64])  # 81^¾, 16^¾, 256^¾


def repeated_pairs() -> tuple[torch.Tensor, torch.Tensor]:
    words = torch.arange(3)
    return torch.cartesian_prod(words, words).repeat_interleave(COUNTED.flatten().long(), dim=0).unbind(1)


def noise_of(power: float) -> torch.Tensor:
    """Every context as often as it is drawn: the mean over these is the expectation itself."""
    contexts = COUNTED.sum(0).long()
    return torch.arange(3).repeat_interleave({1.0: contexts, 0.75: ROOTS, 0.0: torch.ones(3).long()}[power])


def optimum_of_sampling(k: int, power: float) -> torch.Tensor:
    """ln #(w, c) / (#(w) P_n(c)) - ln k."""
    noise = COUNTED.sum(0) ** power
    return (COUNTED / (COUNTED.sum(1, keepdim=True) * noise / noise.sum())).log() - math.log(k)


def sampling_over_the_table(candidate: Callable, scores: torch.Tensor, k: int, power: float) -> torch.Tensor:
    """The loss of all pairs, out of a table with the score of every word and every context."""
    centres, contexts = repeated_pairs()
    return candidate(scores[centres, contexts], scores[centres][:, noise_of(power)], k)


def check_vanishes_at_shifted_pmi(candidate: Callable, k: int, power: float) -> None:
    scores = optimum_of_sampling(k, power).requires_grad_()
    (gradient,) = torch.autograd.grad(sampling_over_the_table(candidate, scores, k, power), scores)
    assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-11)


def check_vanishes_at_conditional_frequencies(candidate: Callable) -> None:
    centres, contexts = repeated_pairs()
    scores = (COUNTED / COUNTED.sum(1, keepdim=True)).log() + float64([[5.0], [-3.0], [0.0]])  # whatever each row adds
    scores.requires_grad_()
    (gradient,) = torch.autograd.grad(candidate(scores[centres], contexts), scores)
    assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-11)


def descend(loss: Callable, parameters) -> None:
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=2000, tolerance_grad=1e-11, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


@given(drawn=scores_and_contexts())
def test_softmax_equals_spec(drawn) -> None:
    check_softmax_equals_spec(softmax_loss, *drawn)


@given(drawn=positive_and_negative())
def test_sampling_equals_spec(drawn) -> None:
    check_sampling_equals_spec(negative_sampling_loss, *drawn)


@given(drawn=scores_and_contexts())
def test_softmax_equals_torchs(drawn) -> None:
    """The reference is torch.nn.functional.nll_loss of the logarithm of exp s / Σ exp s, forward and gradient."""
    scores, contexts = drawn
    scores.requires_grad_()
    expected = nll_loss((scores.exp() / scores.exp().sum(dim=1, keepdim=True)).log(), contexts)
    got = softmax_loss(scores, contexts)
    assert_close(got, expected, **EXACT)
    assert_close(torch.autograd.grad(got, scores), torch.autograd.grad(expected, scores), **EXACT)


@given(drawn=scores_and_contexts())
def test_gradient_of_the_softmax_in_closed_form(drawn) -> None:
    """∂L/∂s_w = (p_w - [w = w_O]) / n; finite differences say the same."""
    scores, contexts = drawn
    scores.requires_grad_()
    (got,) = torch.autograd.grad(softmax_loss(scores, contexts), scores)
    expected = (scores.softmax(1) - torch.nn.functional.one_hot(contexts, scores.shape[1])) / len(contexts)
    assert_close(got, expected.detach(), **EXACT)
    assert torch.autograd.gradcheck(lambda scores: softmax_loss(scores, contexts), scores)


@given(drawn=positive_and_negative())
def test_gradient_of_sampling_in_closed_form(drawn) -> None:
    """-(1 - σ(s)) for the neighbour and σ(s) for each of k draws, over n pairs; finite differences say the same."""
    positive, negative, k = drawn
    check_sampling_gradient(negative_sampling_loss, positive, negative, k)
    inputs = (positive.requires_grad_(), negative.requires_grad_())
    assert torch.autograd.gradcheck(lambda *scores: negative_sampling_loss(*scores, k), inputs)


@given(drawn=positive_and_negative())
def test_with_k_draws_it_is_the_plain_sum(drawn) -> None:
    positive, negative, _ = drawn
    expected = -(logsigmoid(positive) + logsigmoid(-negative).sum(dim=1)).mean()
    assert_close(negative_sampling_loss(positive, negative, negative.shape[1]), expected, **EXACT)


@given(v=st.integers(2, 9), k=st.integers(1, 6), dim=st.integers(1, 5))
def test_step_0(v, k, dim) -> None:
    """With the first weights of SkipGram all scores are 0: ln V and (k + 1) ln 2."""
    model = SkipGram(v, dim)
    centres, contexts = torch.arange(v), torch.arange(v).flip(0)
    noise = (torch.arange(v)[:, None] + torch.arange(k)) % v
    assert full_loss(model, centres, contexts).item() == pytest.approx(math.log(v), rel=1e-5)
    assert sampled_loss(model, centres, contexts, noise).item() == pytest.approx((k + 1) * math.log(2), rel=1e-5)


def test_large_scores_are_finite() -> None:
    check_sampling_of_large_scores(negative_sampling_loss)
    check_softmax_of_large_scores(softmax_loss)


@pytest.mark.parametrize("draws", [1, 2, 3, 5])
def test_any_number_of_draws(draws: int) -> None:
    """Over all tuples of words that can be drawn, each with its probability, the mean of the loss and of its gradient
    is equation 4 with the expectation written out: here k = 2, whatever the number of draws."""
    noise, k = float64([0.5, 0.3, 0.2]), 2
    scores = float64([1.5, -0.5, 2.0]).requires_grad_()  # of the centre with each word
    mean = 0
    for drawn in product(range(3), repeat=draws):
        probability = noise[list(drawn)].prod()
        mean = mean + probability * negative_sampling_loss(scores[1:2], scores[list(drawn)][None], k)
    expected = -logsigmoid(scores[1]) - k * (noise * logsigmoid(-scores)).sum()
    assert_close(mean, expected, **EXACT)
    assert_close(torch.autograd.grad(mean, scores), torch.autograd.grad(expected, scores), **EXACT)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("power", [1.0, 0.75, 0.0])
def test_optimum_is_shifted_pmi(k: int, power: float) -> None:
    """Levy & Goldberg 2014, equation 7; with power 1, P_n(c) = #(c) / |D|, and the score is PMI(w, c) - ln k."""
    check_vanishes_at_shifted_pmi(negative_sampling_loss, k, power)
    total = COUNTED.sum()
    pmi = (COUNTED * total / COUNTED.sum(1, keepdim=True) / COUNTED.sum(0)).log()
    assert torch.allclose(optimum_of_sampling(k, power), pmi - math.log(k)) == (power == 1.0)


@pytest.mark.parametrize("power", [1.0, 0.75])
def test_descent_finds_it(power: float) -> None:
    """From a table of zeros, and from the first weights of a model with as many dimensions as words: the loss is
    convex in the scores."""
    table = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    descend(lambda: sampling_over_the_table(negative_sampling_loss, table, 2, power), [table])
    assert_close(table.detach(), optimum_of_sampling(2, power), rtol=0, atol=1e-6)

    torch.manual_seed(0)
    model = SkipGram(3, 4).double()
    centres, contexts = repeated_pairs()
    noise = noise_of(power)

    def loss() -> torch.Tensor:
        positive = model.scores(centres, contexts[:, None]).flatten()
        return negative_sampling_loss(positive, model.scores(centres, noise.expand(len(centres), -1)), 2)

    descend(loss, list(model.parameters()))
    assert_close(model.all_scores(torch.arange(3)).detach(), optimum_of_sampling(2, power), rtol=0, atol=1e-5)


def test_optimum_of_the_softmax() -> None:
    """p(c | w) is what was counted, whatever is added to a word's scores; descent from zeros finds it."""
    check_vanishes_at_conditional_frequencies(softmax_loss)
    table = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    centres, contexts = repeated_pairs()
    descend(lambda: softmax_loss(table[centres], contexts), [table])
    assert_close(table.detach().softmax(dim=1), COUNTED / COUNTED.sum(1, keepdim=True), rtol=0, atol=1e-7)
    conditional = COUNTED / COUNTED.sum(1, keepdim=True)
    entropy = -(COUNTED / COUNTED.sum() * conditional.log()).sum()  # H(context | word), in nats
    assert_close(softmax_loss(table[centres], contexts).detach(), entropy, rtol=1e-10, atol=0)


SAMPLING_CHECKS = {
    "large scores": check_sampling_of_large_scores,
    "spec": lambda wrong: check_sampling_equals_spec(
        wrong, float64([2.0, -1.0]), float64([[3.0, -1.0, 0.5], [0.0, 2.0, -2.0]]), 2
    ),
    "gradient": lambda wrong: check_sampling_gradient(
        wrong, float64([2.0, -1.0]), float64([[3.0, -1.0, 0.5], [0.0, 2.0, -2.0]]), 2
    ),
    "optimum": lambda wrong: check_vanishes_at_shifted_pmi(wrong, 5, 0.75),
}
CATCHES = {
    "sigmoid_then_log": ["large scores"],
    "an_epsilon_in_the_log": ["large scores", "spec", "gradient", "optimum"],
    "noise_with_the_sign_of_neighbours": ["large scores", "spec", "gradient", "optimum"],
    "mean_over_the_noise": ["spec", "gradient", "optimum"],
    "sum_over_the_noise": ["spec", "gradient", "optimum"],
    "mean_over_all_answers": ["large scores", "spec", "gradient"],  # a factor does not move an optimum
    "summed_over_the_batch": ["large scores", "spec", "gradient"],
    "mean_before_the_sigmoid": ["spec", "gradient", "optimum"],
}


def test_every_misconception_is_judged() -> None:
    assert list(CATCHES) == [wrong.__name__ for wrong in misconceptions.NEGATIVE_SAMPLING]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [(wrong, check) for wrong in misconceptions.NEGATIVE_SAMPLING for check in CATCHES[wrong.__name__]],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_misconception_of_sampling_is_caught(wrong, check: str) -> None:
    """By each of these checks on its own."""
    with pytest.raises(AssertionError):
        SAMPLING_CHECKS[check](wrong)


@pytest.mark.parametrize("wrong", misconceptions.SOFTMAX, ids=lambda function: function.__name__)
def test_misconception_of_the_softmax_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_softmax_equals_spec(wrong, float64([[3.0, -1.0, 0.0], [0.0, 2.0, -2.0]]), torch.tensor([2, 1]))
        check_softmax_of_large_scores(wrong)
        check_vanishes_at_conditional_frequencies(wrong)

    with pytest.raises(AssertionError):
        folder_tests()
