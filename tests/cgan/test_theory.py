"""Equation → function → test

2: D* = p / (p + q) is the best of all D          optimal_discriminator   test_no_discriminator_is_better
its gradient is zero there                        expected_value          test_no_gradient_at_the_optimum
3: Σ p log D + q log(1 − D)                       expected_value          test_value_in_loops, test_value_of_many_draws
6: V(D*) = −ln 4 + 2 JSD                          jensen_shannon          test_value_at_the_optimum_is_the_divergence
theorem 1: the least value is −ln 4, at q = p     both                    test_the_least_value_is_at_q_equal_to_p
0 ≤ JSD ≤ ln 2                                    jensen_shannon          test_divergence_by_hand
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from cgan.loss import non_saturating_loss, value
from cgan.theory import (
    DISCRIMINATOR_AT_OPTIMUM,
    GENERATOR_AT_OPTIMUM,
    VALUE_AT_OPTIMUM,
    expected_value,
    jensen_shannon,
    optimal_discriminator,
)
from tests.cgan.misconceptions import loss as misconceptions
from tests.teach import check_close, check_same

COUNTS = st.integers(2, 6).flatmap(
    lambda k: st.tuples(*[st.lists(st.integers(1, 9), min_size=k, max_size=k) for _ in range(2)])
)


def normalised(counts: list[int]) -> torch.Tensor:
    counts = torch.tensor(counts, dtype=torch.float64)
    return counts / counts.sum()


def check_best(candidate, p: torch.Tensor, q: torch.Tensor) -> None:
    """Proposition 1: no D is better. V is concave in D, so other values on both sides of D* are enough."""
    best = candidate(p, q)
    assert ((best > 0) & (best < 1)).all(), f"equation 2: a probability lies between 0 and 1, got {best.tolist()}"
    reached = expected_value(best, p, q).item()
    for x in range(len(p)):
        for change in (0.99, 1.01):
            other = best.clone()
            other[x] = (other[x] * change).clamp(max=1 - 1e-9)
            worse = expected_value(other, p, q).item()
            assert worse < reached, f"equation 2 at index {x}: D = {other[x]:.6g} is better than D* = {best[x]:.6g}"


@given(counts=COUNTS)
def test_no_discriminator_is_better(counts) -> None:
    check_best(optimal_discriminator, *map(normalised, counts))


@given(counts=COUNTS)
def test_no_gradient_at_the_optimum(counts) -> None:
    p, q = map(normalised, counts)
    best = optimal_discriminator(p, q).requires_grad_()
    (slope,) = torch.autograd.grad(expected_value(best, p, q), best)
    check_close("the slope of equation 3 at D*", slope, torch.zeros(len(p)), absolute=1e-9)


@given(counts=COUNTS, seed=st.integers(0, 1000))
def test_value_in_loops(counts, seed: int) -> None:
    def loops(d, p, q):
        return sum(p[x] * d[x].log() + q[x] * (1 - d[x]).log() for x in range(len(p)))

    p, q = map(normalised, counts)
    d = torch.rand(len(p), generator=torch.Generator().manual_seed(seed)).double() * 0.98 + 0.01
    check_same("equation 3, Σ p log D + q log(1 − D)", expected_value, loops, d, p, q)


def test_what_is_impossible_costs_nothing() -> None:
    """0 log 0 = 0: where only the data can be, D* = 1, and where only fakes can be, D* = 0."""
    p, q = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64), torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64)
    best = optimal_discriminator(p, q)
    check_close("D*", best, torch.tensor([1.0, 0.5, 0.0]))
    check_close("V(D*)", expected_value(best, p, q), -math.log(2))


def test_value_of_many_draws() -> None:
    """Equation 1 is the mean over draws: each x as often as p and q say, so equation 3 exactly."""
    p, q = normalised([1, 2, 5]), normalised([4, 3, 1])
    logits = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)
    real, fake = (logits.repeat_interleave(torch.tensor(counts)) for counts in ([1, 2, 5], [4, 3, 1]))
    check_close(
        "equation 1 of draws, equation 3 of probabilities", value(real, fake), expected_value(logits.sigmoid(), p, q)
    )


def check_divergence(candidate, p: torch.Tensor, q: torch.Tensor) -> None:
    """Equation 6, at the best discriminator: V(D*) = −ln 4 + 2 JSD(p, q)."""
    reached = expected_value(p / (p + q), p, q)
    check_close("equation 6, V(D*) = −ln 4 + 2 JSD", -math.log(4) + 2 * candidate(p, q), reached)


@given(counts=COUNTS)
def test_value_at_the_optimum_is_the_divergence(counts) -> None:
    check_divergence(jensen_shannon, *map(normalised, counts))


@given(counts=COUNTS)
def test_divergence_equals_scipy(counts) -> None:
    """scipy gives the distance, which is the root of the divergence."""
    p, q = map(normalised, counts)
    check_close("JSD", jensen_shannon(p, q), float(jensenshannon(p, q)) ** 2, absolute=1e-9)


def test_divergence_by_hand() -> None:
    """Nothing in common: ln 2. The same: 0. Half in common: ½ ln 2."""
    p = torch.tensor([0.5, 0.5, 0.0], dtype=torch.float64)
    check_close(
        "JSD, nothing in common", jensen_shannon(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])), math.log(2), 1e-6
    )
    check_close("JSD of p and p", jensen_shannon(p, p), 0.0)
    check_close(
        "JSD, half in common", jensen_shannon(p, torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64)), math.log(2) / 2
    )


@given(counts=COUNTS)
def test_divergence_has_bounds(counts) -> None:
    p, q = map(normalised, counts)
    divergence = jensen_shannon(p, q).item()
    assert -1e-12 <= divergence <= math.log(2)
    check_close("JSD is symmetric", jensen_shannon(q, p), divergence)


@given(counts=COUNTS)
def test_the_least_value_is_at_q_equal_to_p(counts) -> None:
    """Theorem 1: against the best discriminator, V ≥ −ln 4, and V = −ln 4 where the generator has the data's p."""
    p, q = map(normalised, counts)
    assert expected_value(optimal_discriminator(p, q), p, q).item() >= -math.log(4) - 1e-12
    half = optimal_discriminator(p, p)
    check_close("D* at q = p", half, torch.full((len(p),), 0.5).double())
    check_close("V at q = p", expected_value(half, p, p), -math.log(4))


def test_levels_of_the_figure() -> None:
    """The losses of a discriminator that cannot tell, D = ½: these levels are drawn into the figure of the losses."""
    nothing = torch.zeros(7).double()
    check_close("V", value(nothing, nothing), VALUE_AT_OPTIMUM)
    check_close("−V", -value(nothing, nothing), DISCRIMINATOR_AT_OPTIMUM)
    check_close("the generator's loss", non_saturating_loss(nothing), GENERATOR_AT_OPTIMUM)
    check_close(
        "2 ln 2, ln 2",
        torch.tensor([2 * math.log(2), math.log(2)], dtype=torch.float64),
        torch.tensor([1.3862943611, 0.6931471806], dtype=torch.float64),
        1e-9,
    )


def test_a_game_of_three_things_reaches_its_end() -> None:
    """Both players are tables, and both see everything: D(x) = σ(a_x), q = softmax(b). V goes to −ln 4, q to p."""
    p = normalised([1, 2, 5])
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    for _ in range(400):
        q = b.softmax(dim=0)
        best = optimal_discriminator(p, q.detach())
        (slope,) = torch.autograd.grad(expected_value(best, p, q), b)  # minimax: the generator's gradient at D*
        with torch.no_grad():
            b -= 4 * slope
    q = b.detach().softmax(dim=0)
    check_close("q at the end", q, p, 1e-4)
    check_close("V at the end", expected_value(optimal_discriminator(p, q), p, q), -math.log(4), 1e-6)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.OPTIMAL)
def test_wrong_optimum_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_best(wrong, normalised([1, 2, 5]), normalised([4, 3, 1]))


@each(misconceptions.DIVERGENCES)
def test_wrong_divergence_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_divergence(wrong, normalised([1, 2, 5]), normalised([4, 3, 1]))
