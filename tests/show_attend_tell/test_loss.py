"""Equation → function → test

−(1/N) Σ log p(y_t), padding left out        caption_loss             test_loss_in_loops, test_loss_by_hand
14: Σ_i (1 − Σ_t α_ti)²                      doubly_stochastic        test_penalty_in_loops, test_penalty_by_hand
its floor L − 2C + C²/L, at α = 1/L          doubly_stochastic        test_penalty_has_a_floor
attention on C places, one after the other   doubly_stochastic        test_penalty_of_sharp_attention
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float, Int
from torch import Tensor

from show_attend_tell.loss import PAD, caption_loss, doubly_stochastic
from tests.show_attend_tell.misconceptions import loss as misconceptions
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)


def penalty_in_loops(weights: Float[Tensor, "n t L"], lengths: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    r"""As the formula says it, in loops over captions, places and words."""
    n, _, L = weights.shape
    penalties = []
    for row in range(n):
        penalty = weights.new_zeros(())
        for i in range(L):
            penalty = penalty + (1 - sum(weights[row, t, i] for t in range(int(lengths[row])))) ** 2
        penalties.append(penalty)
    return torch.stack(penalties)


PENALTIES = pytest.mark.parametrize("penalty", [doubly_stochastic, penalty_in_loops])


def some_targets(n: int, t: int, words: int, seed: int) -> Tensor:
    """Captions of 1 … t words, <end> (2) included; words of id 3 and more, padding behind."""
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, t + 1, (n, 1), generator=generator)
    lengths[0], lengths[-1] = t, 1
    targets = torch.randint(3, words, (n, t), generator=generator)
    place = torch.arange(t)
    return targets.where(place != lengths - 1, 2).where(place < lengths, PAD)


def loss_in_loops(logits: Tensor, targets: Tensor) -> Tensor:
    total, count = 0.0, 0
    for row, caption in zip(logits, targets, strict=True):
        for scores, word in zip(row, caption.tolist(), strict=True):
            if word != PAD:
                total = total - (scores[word] - scores.exp().sum().log())
                count += 1
    return total / count


def check_loss(candidate, n: int, t: int, words: int, seed: int) -> None:
    logits = torch.randn(n, t, words, generator=torch.Generator().manual_seed(seed)).double()
    targets = some_targets(n, t, words, seed)
    check_same("−(1/N) Σ log p(y_t)", lambda x: candidate(x, targets), lambda x: loss_in_loops(x, targets), logits)


@given(sizes=unequal_sizes(3, low=4, high=8), seed=SEEDS)
@settings(max_examples=20)
def test_loss_in_loops(sizes, seed: int) -> None:
    check_loss(caption_loss, *sizes, seed)


def test_loss_by_hand() -> None:
    """p = 1/2 and 1/4 for the words of one caption, 1/8 for <end> of the other: the mean of 1, 2 and 3 times ln 2."""
    logits = torch.zeros(2, 2, 4).double()
    for place, word, p in (((0, 0), 3, 1 / 2), ((0, 1), 2, 1 / 4), ((1, 0), 2, 1 / 8)):
        logits[place] = math.log((1 - p) / 3)
        logits[(*place, word)] = math.log(p)
    logits[1, 1, 3] = 10  # the model expects a word where there is padding: this must not count
    got = caption_loss(logits, torch.tensor([[3, 2], [2, PAD]]))
    check_close("the mean of ln 2, 2 ln 2, 3 ln 2", got, 2 * math.log(2))


def test_more_padding_changes_nothing() -> None:
    logits, targets = torch.randn(3, 5, 6).double(), some_targets(3, 5, 6, 0)
    more = (
        torch.cat([logits, torch.randn(3, 2, 6).double()], dim=1),
        torch.cat([targets, targets.new_zeros(3, 2)], dim=1),
    )
    check_close("the loss", caption_loss(*more), caption_loss(logits, targets))
    check_close("with several captions", caption_loss(logits[None], targets[None]), caption_loss(logits, targets))


def some_weights(n: int, t: int, places: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    weights = (2 * torch.randn(n, t, places, generator=generator).double()).softmax(dim=-1)
    return weights, torch.randint(1, t + 1, (n,), generator=generator)


def check_penalty_by_hand(candidate) -> None:
    """Two words, three places: the sums are 3/4, 5/4, 0. With the first word alone: 1/2, 1/2, 0. A row of padding."""
    rows = torch.tensor([[1 / 2, 1 / 2, 0], [1 / 4, 3 / 4, 0], [0, 0, 1]]).double()
    got = candidate(torch.stack([rows, rows]), torch.tensor([2, 1]))
    check_close(
        "equation 14, Σ_i (1 − Σ_t α_ti)²", got, torch.tensor([1 / 16 + 1 / 16 + 1, 1 / 4 + 1 / 4 + 1]).double()
    )


@PENALTIES
def test_penalty_by_hand(penalty) -> None:
    check_penalty_by_hand(penalty)


@given(sizes=unequal_sizes(3, low=1, high=5), seed=SEEDS)
@settings(max_examples=15)
def test_penalty_in_loops(sizes, seed: int) -> None:
    weights, lengths = some_weights(*sizes, seed)
    check_same(
        "equation 14, Σ_i (1 − Σ_t α_ti)²",
        lambda w: doubly_stochastic(w, lengths),
        lambda w: penalty_in_loops(w, lengths),
        weights,
    )


@PENALTIES
@given(places=st.integers(1, 9), words=st.integers(1, 9), seed=SEEDS)
@settings(max_examples=20)
def test_penalty_has_a_floor(penalty, places: int, words: int, seed: int) -> None:
    """For C words and L places, Σ_i (1 − s_i) = L − C. By Cauchy and Schwarz Σ_i (1 − s_i)² ≥ (L − C)²/L. All s_i are
    equal at α = 1/L, and there the gradient, −2(1 − s_i), is the same for all places: softmax takes it away."""
    floor, lengths = places - 2 * words + words**2 / places, torch.tensor([words])
    scores = torch.zeros(1, words, places).double().requires_grad_()
    (reached,) = penalty(scores.softmax(dim=-1), lengths)
    check_close("uniform attention reaches L − 2C + C²/L", reached, floor)
    check_close("the gradient there", torch.autograd.grad(reached, scores)[0], torch.zeros(1, words, places))
    weights, _ = some_weights(1, words, places, seed)
    assert penalty(weights, lengths).item() >= floor - 1e-12


@given(places=st.integers(2, 9), data=st.data())
@settings(max_examples=20)
def test_penalty_of_sharp_attention(places: int, data) -> None:
    """Each of C ≤ L words looks at its own place: L − C places are never looked at. All look at one: C − 1 squared
    more. So sharp attention costs C(1 − C/L) more than uniform attention, and a repeated look still more."""
    words = data.draw(st.integers(1, places))
    apart, together = torch.eye(places)[None, :words].double(), torch.zeros(1, words, places).double()
    together[..., 0] = 1
    lengths = torch.tensor([words])
    check_close("each at its own place", doubly_stochastic(apart, lengths), torch.tensor([places - words]))
    check_close("all at one", doubly_stochastic(together, lengths), torch.tensor([(words - 1) ** 2 + places - 1]))
    uniform = doubly_stochastic(torch.full_like(apart, 1 / places), lengths)
    more = doubly_stochastic(apart, lengths) - uniform
    check_close("the difference", more, torch.tensor([words * (1 - words / places)], dtype=torch.float64))


def test_padding_never_changes_the_penalty() -> None:
    weights, lengths = some_weights(4, 6, 5, 0)
    behind = (torch.arange(6) >= lengths[:, None])[..., None]
    other = weights.where(~behind, torch.rand_like(weights)).requires_grad_()
    check_close("the penalty", doubly_stochastic(other, lengths), doubly_stochastic(weights, lengths))
    (slope,) = torch.autograd.grad(doubly_stochastic(other, lengths).sum(), other)
    assert (slope.masked_select(behind) == 0).all(), "padding has a gradient"


def test_several_captions_of_an_image() -> None:
    weights, lengths = some_weights(6, 4, 5, 0)
    got = doubly_stochastic(weights.view(2, 3, 4, 5), lengths.view(2, 3))
    check_close("the penalty of each caption", got.flatten(), doubly_stochastic(weights, lengths))


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.WORDS)
def test_wrong_loss_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_loss(wrong, 3, 5, 6, seed=1)


@each(misconceptions.PENALTIES)
def test_wrong_penalty_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_penalty_by_hand(wrong)
