"""Equation → function → test (Mikolov et al. 2013b; Levy & Goldberg 2014)

-ln p(w_O | w_I)                         softmax_loss             test_equation_2_by_hand, test_softmax_equals_spec
ln σ(s_O) + Σ_i ln σ(-s_i)               negative_sampling_loss   test_equation_4_by_hand, test_sampling_equals_spec
∂L/∂s = σ(s) - 1, σ(s)                   negative_sampling_loss   test_gradient_of_sampling_in_closed_form
w · c = PMI(w, c) - ln k                 negative_sampling_loss   test_optimum_is_shifted_pmi, test_descent_finds_it
p(c | w) = #(w, c) / #(w)                softmax_loss             test_optimum_of_the_softmax
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import nll_loss

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close
from tests.word2vec.counted import COUNTED, noise_of, optimum, repeated_pairs
from tests.word2vec.misconceptions import loss as misconceptions
from word2vec.loss import (
    negative_sampling_loss,
    negative_sampling_loss_spec,
    softmax_loss,
    softmax_loss_spec,
)
from word2vec.model import SkipGram


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def check_equation_2_by_hand(candidate: Callable) -> None:
    """Scores 0, ln 2, ln 5 have exp 1, 2, 5: the probabilities are 1/8, 2/8, 5/8."""
    scores = float64([[0, math.log(2), math.log(5)]])
    for context, probability in enumerate((1 / 8, 2 / 8, 5 / 8)):
        what = f"equation 2, scores (0, ln 2, ln 5), context {context}, -ln p = -ln({8 * probability:.0f}/8)"
        check_close(what, candidate(scores, torch.tensor([context])), -math.log(probability))


def check_equation_4_by_hand(candidate: Callable) -> None:
    """σ(ln 3) = 3/4 and σ(0) = 1/2. The loss of the first pair is -ln 3/4 - ln 1/2 - ln 1/4 = ln 32/3, since a noise
    score ln 3 counts as σ(-ln 3) = 1/4. The second pair has only scores 0: 3 ln 2."""
    positive, noise = float64([math.log(3), 0]), float64([[0, math.log(3)], [0, 0]])
    what = "equation 4, scores ln 3 and noise (0, ln 3), -ln 3/4 - ln 1/2 - ln 1/4"
    check_close(what, candidate(positive[:1], noise[:1]), math.log(32 / 3))
    check_close("equation 4, all scores 0, k = 2: 3 ln 2", candidate(positive[1:], noise[1:]), 3 * math.log(2))
    what = "equation 4, the mean of the two pairs"
    check_close(what, candidate(positive, noise), (math.log(32 / 3) + math.log(8)) / 2)


def check_sampling_equals_spec(candidate: Callable, positive, noise) -> None:
    expected = negative_sampling_loss_spec(positive.tolist(), noise.tolist())
    n, k = noise.shape
    check_close(f"equation 4 in loops, {n} pairs, k = {k}", candidate(positive, noise), expected)


def check_softmax_equals_spec(candidate: Callable, scores, contexts) -> None:
    expected = softmax_loss_spec(scores.tolist(), contexts.tolist())
    check_close(f"equation 2 in loops, (pairs, words) = {tuple(scores.shape)}", candidate(scores, contexts), expected)


def check_sampling_of_large_scores(candidate: Callable) -> None:
    """-ln σ(-1000) is 1000, not infinite, and its gradient is -1."""
    positive = float64([-1000.0, 1000.0]).requires_grad_()
    noise = float64([[1000.0], [-1000.0]]).requires_grad_()
    loss = candidate(positive, noise)
    check_close("equation 4, scores ±1000: (1000 + 1000 + 0 + 0) / 2", loss, 1000.0)
    slopes = torch.autograd.grad(loss, (positive, noise))
    check_close("equation 4, scores ±1000, gradient by the positive scores", slopes[0], float64([-0.5, 0]))
    check_close("equation 4, scores ±1000, gradient by the noise scores", slopes[1], float64([[0.5], [0]]))


def check_softmax_of_large_scores(candidate: Callable) -> None:
    scores = float64([[1000.0, 0.0, -1000.0], [0.0, 1000.0, 1000.0]])
    expected = (1000 + math.log(2)) / 2
    check_close("equation 2, scores ±1000", candidate(scores, torch.tensor([1, 1])), expected)


def check_sampling_gradient(candidate: Callable, positive, noise) -> None:
    positive, noise = positive.clone().requires_grad_(), noise.clone().requires_grad_()
    slopes = torch.autograd.grad(candidate(positive, noise), (positive, noise))
    n = len(positive)
    check_close("∂(equation 4)/∂s_O = (σ(s_O) - 1) / n", slopes[0], (positive.sigmoid() - 1) / n)
    check_close("∂(equation 4)/∂s_i = σ(s_i) / n", slopes[1], noise.sigmoid() / n)


def sampling_over_the_table(candidate: Callable, scores: torch.Tensor, power: float) -> torch.Tensor:
    """The loss of all counted pairs, from a table with the score of every word and every context."""
    centres, contexts = repeated_pairs()
    return candidate(scores[centres, contexts], scores[centres][:, noise_of(power)])


def check_vanishes_at_shifted_pmi(candidate: Callable, power: float) -> None:
    k = len(noise_of(power))
    scores = optimum(k, power).requires_grad_()
    (gradient,) = torch.autograd.grad(sampling_over_the_table(candidate, scores, power), scores)
    what = f"the gradient of equation 4 at ln #(w, c)/(#(w) P_n(c)) - ln k, k = {k}, power {power}"
    check_close(what, gradient, torch.zeros_like(gradient))


def check_vanishes_at_conditional_frequencies(candidate: Callable) -> None:
    """A number added to all scores of a word changes nothing."""
    centres, contexts = repeated_pairs()
    scores = (COUNTED / COUNTED.sum(1, keepdim=True)).log() + float64([[5.0], [-3.0], [0.0]])
    scores.requires_grad_()
    (gradient,) = torch.autograd.grad(candidate(scores[centres], contexts), scores)
    what = "the gradient of equation 2 at p(c | w) = #(w, c) / #(w)"
    check_close(what, gradient, torch.zeros_like(gradient))


def descend(loss: Callable, parameters) -> None:
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=500, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def test_equation_4_by_hand() -> None:
    check_equation_4_by_hand(negative_sampling_loss)


def test_equation_2_by_hand() -> None:
    check_equation_2_by_hand(softmax_loss)


@given(v=st.integers(2, 9), k=st.integers(1, 6), dim=st.integers(1, 5))
def test_step_0(v, k, dim) -> None:
    """With the first weights of SkipGram all scores are 0: the losses are ln V and (k + 1) ln 2."""
    model = SkipGram(v, dim).double()
    centres, contexts = torch.arange(v), torch.arange(v).flip(0)
    noise = (torch.arange(v)[:, None] + torch.arange(k)) % v
    check_close("step 0 of equation 2, ln V", softmax_loss(model.all_scores(centres), contexts), math.log(v))
    loss = negative_sampling_loss(model.scores(centres, contexts), model.scores(centres, noise))
    check_close("step 0 of equation 4, (k + 1) ln 2", loss, (k + 1) * math.log(2))


@st.composite
def scores_and_contexts(draw):
    n, v = draw(unequal_sizes(2))
    contexts = draw(st.lists(st.integers(0, v - 1), min_size=n, max_size=n))
    return draw(whole_tensors(n, v)), torch.tensor(contexts)


@st.composite
def positive_and_noise_scores(draw):
    n, k = draw(unequal_sizes(2, low=1))
    return draw(whole_tensors(n)), draw(whole_tensors(n, k))


@given(drawn=scores_and_contexts())
def test_softmax_equals_spec(drawn) -> None:
    check_softmax_equals_spec(softmax_loss, *drawn)


@given(drawn=positive_and_noise_scores())
def test_sampling_equals_spec(drawn) -> None:
    check_sampling_equals_spec(negative_sampling_loss, *drawn)


@given(drawn=scores_and_contexts())
def test_softmax_equals_torchs(drawn) -> None:
    """The reference is torch.nn.functional.nll_loss of the logarithm of exp s / Σ exp s, forward and gradient."""
    scores, contexts = drawn
    scores.requires_grad_()
    expected = nll_loss((scores.exp() / scores.exp().sum(dim=1, keepdim=True)).log(), contexts)
    got = softmax_loss(scores, contexts)
    check_close("equation 2 beside nll_loss", got, expected)
    slopes = (torch.autograd.grad(loss, scores)[0] for loss in (got, expected))
    check_close("the gradient of equation 2 beside nll_loss", *slopes)


@given(drawn=scores_and_contexts())
def test_gradient_of_the_softmax_in_closed_form(drawn) -> None:
    """∂L/∂s_w = (p_w - [w = w_O]) / n; finite differences agree."""
    scores, contexts = drawn
    scores.requires_grad_()
    (got,) = torch.autograd.grad(softmax_loss(scores, contexts), scores)
    expected = (scores.softmax(1) - torch.nn.functional.one_hot(contexts, scores.shape[1])) / len(contexts)
    check_close("∂(equation 2)/∂s_w = (p_w - [w = w_O]) / n", got, expected)
    assert torch.autograd.gradcheck(lambda scores: softmax_loss(scores, contexts), scores)


@given(drawn=positive_and_noise_scores())
def test_gradient_of_sampling_in_closed_form(drawn) -> None:
    """σ(s) - 1 for the context word and σ(s) for each noise word, over n pairs; finite differences agree."""
    check_sampling_gradient(negative_sampling_loss, *drawn)
    assert torch.autograd.gradcheck(negative_sampling_loss, tuple(scores.requires_grad_() for scores in drawn))


def test_large_scores_are_finite() -> None:
    check_sampling_of_large_scores(negative_sampling_loss)
    check_softmax_of_large_scores(softmax_loss)


@pytest.mark.parametrize("power", [1.0, 0.75, 0.0])
def test_optimum_is_shifted_pmi(power: float) -> None:
    """Levy & Goldberg 2014, equation 7. With power 1, P_n(c) = #(c) / |D|, and the score is PMI(w, c) - ln k."""
    check_vanishes_at_shifted_pmi(negative_sampling_loss, power)
    pmi = (COUNTED * COUNTED.sum() / COUNTED.sum(1, keepdim=True) / COUNTED.sum(0)).log()
    assert torch.allclose(optimum(2, power), pmi - math.log(2)) == (power == 1.0)


def test_descent_finds_it() -> None:
    """From a table of zeros, and from the first weights of a model with more dimensions than words: the loss is convex
    in the scores."""
    power, k = 0.75, len(noise_of(0.75))
    table = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    descend(lambda: sampling_over_the_table(negative_sampling_loss, table, power), [table])
    check_close("descent on a table of scores", table, optimum(k, power), absolute=1e-5)

    torch.manual_seed(0)
    model = SkipGram(3, 4).double()
    words = torch.arange(3)
    descend(
        lambda: sampling_over_the_table(negative_sampling_loss, model.all_scores(words), power),
        list(model.parameters()),
    )
    check_close("descent on W and W'", model.all_scores(words), optimum(k, power), absolute=1e-4)


def test_optimum_of_the_softmax() -> None:
    """p(c | w) is the counted frequency; descent from zeros finds it. The loss is then the entropy H(c | w) in nats."""
    check_vanishes_at_conditional_frequencies(softmax_loss)
    table = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    centres, contexts = repeated_pairs()
    descend(lambda: softmax_loss(table[centres], contexts), [table])
    conditional = COUNTED / COUNTED.sum(1, keepdim=True)
    check_close("p(c | w) after descent", table.softmax(dim=1), conditional, absolute=1e-7)
    entropy = -(COUNTED / COUNTED.sum() * conditional.log()).sum()
    check_close("the lowest loss is H(c | w)", softmax_loss(table[centres], contexts), entropy)


SCORES = float64([2.0, -1.0]), float64([[3.0, -1.0, 0.5], [0.0, 2.0, -2.0]])
SAMPLING_CHECKS = {
    "by hand": check_equation_4_by_hand,
    "large scores": check_sampling_of_large_scores,
    "spec": lambda wrong: check_sampling_equals_spec(wrong, *SCORES),
    "gradient": lambda wrong: check_sampling_gradient(wrong, *SCORES),
    "optimum": lambda wrong: check_vanishes_at_shifted_pmi(wrong, 0.75),
}
CATCHES = {
    "sigmoid_then_log": ["large scores"],
    "an_epsilon_in_the_log": ["by hand", "large scores", "spec", "gradient", "optimum"],
    "noise_with_the_sign_of_neighbours": ["by hand", "large scores", "spec", "gradient", "optimum"],
    "mean_over_the_noise": ["by hand", "spec", "gradient", "optimum"],
    "mean_over_all_answers": ["by hand", "large scores", "spec", "gradient"],  # a factor does not move an optimum
    "summed_over_the_batch": ["by hand", "large scores", "spec", "gradient"],
    "sum_before_the_sigmoid": ["by hand", "spec", "gradient", "optimum"],
}


def test_every_misconception_is_judged() -> None:
    assert list(CATCHES) == [wrong.__name__ for wrong in misconceptions.NEGATIVE_SAMPLING]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [(wrong, check) for wrong in misconceptions.NEGATIVE_SAMPLING for check in CATCHES[wrong.__name__]],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_misconception_of_sampling_is_caught(wrong, check: str) -> None:
    """By each of these checks alone."""
    with pytest.raises(AssertionError):
        SAMPLING_CHECKS[check](wrong)


@pytest.mark.parametrize("wrong", misconceptions.SOFTMAX, ids=lambda function: function.__name__)
def test_misconception_of_the_softmax_is_caught(wrong) -> None:
    def all_checks() -> None:
        check_equation_2_by_hand(wrong)
        check_softmax_equals_spec(wrong, float64([[3.0, -1.0, 0.0], [0.0, 2.0, -2.0]]), torch.tensor([2, 1]))
        check_softmax_of_large_scores(wrong)
        check_vanishes_at_conditional_frequencies(wrong)

    with pytest.raises(AssertionError):
        all_checks()
