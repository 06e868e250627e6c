"""Equation → function → test

1: V(D, G) = E[log D(x)] + E[log(1 − D(G(z)))]   value                  test_value_in_probabilities, test_value_by_hand
the same, as torch has it                        value                  test_value_equals_torch
the generator's part, E[log(1 − D(G(z)))]        minimax_loss           test_minimax_in_probabilities
section 3: −E[log D(G(z))]                       non_saturating_loss    test_non_saturating_in_probabilities
their slopes, −D and −(1 − D)                    both                   test_slopes_by_hand, test_saturation
one fixed point, D = ½                           both                   test_both_ask_for_the_same
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import binary_cross_entropy_with_logits

from cgan import loss as losses
from cgan.loss import minimax_loss, non_saturating_loss, value
from tests.cgan.misconceptions import loss as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)


def some_logits(n: int, seed: int) -> torch.Tensor:
    return 3 * torch.randn(n, generator=torch.Generator().manual_seed(seed)).double()


def check_value(candidate, real: torch.Tensor, fake: torch.Tensor) -> None:
    def expected(a, b):
        return losses.value_spec(a.sigmoid(), b.sigmoid())

    check_same("equation 1, V(D, G)", candidate, expected, real, fake)


@given(sizes=unequal_sizes(2, low=1), data=st.data())
def test_value_in_probabilities(sizes, data) -> None:
    check_value(value, data.draw(whole_tensors(sizes[0])), data.draw(whole_tensors(sizes[1])))


def check_value_by_hand(candidate) -> None:
    """D = ¾ and ½ for two real samples, D = ¼ for the only fake: ½ ln(3/8) + ln(3/4)."""
    real = torch.tensor([math.log(3), 0.0], dtype=torch.float64)
    fake = torch.tensor([-math.log(3)], dtype=torch.float64)
    check_close("½ ln(3/8) + ln(3/4)", candidate(real, fake), math.log(3 / 8) / 2 + math.log(3 / 4))


def test_value_by_hand() -> None:
    check_value_by_hand(value)


@given(sizes=unequal_sizes(2, low=1), seed=SEEDS)
def test_value_equals_torch(sizes, seed: int) -> None:
    """−V is the binary cross-entropy of the reals, with target 1, plus that of the fakes, with target 0."""

    def reference(real, fake):
        ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
        return -binary_cross_entropy_with_logits(real, ones) - binary_cross_entropy_with_logits(fake, zeros)

    real, fake = (some_logits(n, seed + k) for k, n in enumerate(sizes))
    check_same("−V, the binary cross-entropy", value, reference, real, fake)


def check_sure_discriminator(candidate) -> None:
    """A discriminator that is sure and wrong: V is about −2 · 200, finite, and each logit has its full slope."""
    real = torch.tensor([-200.0], dtype=torch.float64, requires_grad=True)
    fake = torch.tensor([200.0], dtype=torch.float64, requires_grad=True)
    reached = candidate(real, fake)
    check_close("V where D is sure and wrong", reached, -400.0)
    slopes = torch.cat(torch.autograd.grad(reached, [real, fake]))
    check_close("the slopes of V there", slopes, torch.tensor([1.0, -1.0]))


def test_no_overflow_where_the_discriminator_is_sure_and_wrong() -> None:
    check_sure_discriminator(value)
    check_close("−log D, D = σ(−200)", non_saturating_loss(torch.tensor([-200.0])), 200.0)
    check_close("log(1 − D), D = σ(200)", minimax_loss(torch.tensor([200.0])), -200.0)


def check_minimax(candidate, fake: torch.Tensor) -> None:
    def expected(a):
        return losses.minimax_loss_spec(a.sigmoid())

    check_same("the generator's part of equation 1", candidate, expected, fake)


def check_non_saturating(candidate, fake: torch.Tensor) -> None:
    def expected(a):
        return losses.non_saturating_loss_spec(a.sigmoid())

    check_same("section 3, −E[log D(G(z))]", candidate, expected, fake)


@given(fake=st.integers(1, 6).flatmap(whole_tensors))
def test_minimax_in_probabilities(fake) -> None:
    check_minimax(minimax_loss, fake)


@given(fake=st.integers(1, 6).flatmap(whole_tensors))
def test_non_saturating_in_probabilities(fake) -> None:
    check_non_saturating(non_saturating_loss, fake)


@given(n=st.integers(1, 7), seed=SEEDS)
def test_minimax_is_the_part_of_v_that_the_generator_reaches(n: int, seed: int) -> None:
    """Zero sum: the slope of the minimax loss is that of V, because the real samples do not depend on G."""
    real, fake = some_logits(n + 1, seed), some_logits(n, seed + 1).requires_grad_()
    (of_value,) = torch.autograd.grad(value(real, fake), fake)
    (of_loss,) = torch.autograd.grad(minimax_loss(fake), fake)
    check_close("the slope of V by the fakes' logits", of_loss, of_value)


def slope(function, logits: torch.Tensor) -> torch.Tensor:
    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(function(logits), logits)[0]


def test_slopes_by_hand() -> None:
    """D = ¼, ½, ¾ for three fakes: −D/3 for minimax, −(1 − D)/3 for the other."""
    logits = torch.tensor([-math.log(3), 0.0, math.log(3)], dtype=torch.float64)
    d = torch.tensor([1 / 4, 1 / 2, 3 / 4], dtype=torch.float64)
    check_close("minimax: −D/m", slope(minimax_loss, logits), -d / 3)
    check_close("non-saturating: −(1 − D)/m", slope(non_saturating_loss, logits), -(1 - d) / 3)


def check_saturation(candidate) -> None:
    """Section 3: against a discriminator that is sure, D(G(z)) = σ(−20), the generator must still learn."""
    steep = slope(candidate, torch.full((5,), -20.0).double())
    check_close("section 3: the slope −(1 − D)/m where D(G(z)) = σ(−20)", steep, torch.full((5,), -1 / 5), 1e-7)


def test_saturation() -> None:
    check_saturation(non_saturating_loss)
    flat = slope(minimax_loss, torch.full((5,), -20.0).double())
    check_close("minimax is flat there: −D/m", flat, torch.full((5,), -math.exp(-20) / 5).double(), 1e-7)


@given(logit=st.floats(-6, 6))
def test_both_ask_for_the_same(logit: float) -> None:
    """Both slopes are negative: each loss asks for a larger D(G(z)). At D = ½ they are equal."""
    a = torch.tensor([logit], dtype=torch.float64)
    minimax, other = slope(minimax_loss, a).item(), slope(non_saturating_loss, a).item()
    assert minimax < 0
    assert other < 0
    assert (minimax < other) == (logit > 0) or abs(logit) < 1e-12, "the non-saturating slope is larger below D = ½"


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.VALUES)
def test_wrong_value_is_caught(wrong) -> None:
    def check_all() -> None:
        check_value_by_hand(wrong)
        check_sure_discriminator(wrong)

    with pytest.raises(AssertionError):
        check_all()


@each(misconceptions.MINIMAX)
def test_wrong_minimax_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_minimax(wrong, some_logits(4, 0))


@each(misconceptions.NON_SATURATING)
def test_wrong_generator_loss_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_non_saturating(wrong, some_logits(4, 0))


def test_minimax_does_not_pass_for_non_saturating() -> None:
    with pytest.raises(AssertionError, match="section 3"):
        check_saturation(misconceptions.minimax_in_its_place)
