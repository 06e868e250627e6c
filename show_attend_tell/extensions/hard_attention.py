r"""Hard attention (Xu et al. 2015, arXiv 1502.03044, section 4.1): the model looks at one place at a time.

The weights α_t are the probabilities of the L places, and s_t is the place that was drawn. The context is its
annotation. Which places were best is not known, so log p(y | a) would need the sum over all L^C paths s = (s_1 … s_C).
Its lower bound L_s (equation 10) is trained. Its gradient (equation 11) has two parts. One is that of the words. The
other is REINFORCE: a path becomes more probable if its words were more probable than usual.

The estimator draws one path for each caption. Without the tricks below, its expectation is the gradient of L_s, to the
last digit (``expected_gradient`` and the tests). What each trick changes:

- The moving-average baseline b subtracts what is usual. Any number that does not depend on the path drawn leaves the
  expectation as it is. So b is that of the batches **before**: with the batch's own log p in it, b_k in place of
  b_{k-1}, the second part would be 10%/n too small (n captions in the batch).
- The entropy term, λ_e H[s], is a second aim: it adds λ_e times the gradient of the expected entropy.
- λ_r ≠ 1 scales the second part.
- With probability ½, a caption uses the expected context Σ α_ti a_i in place of the one drawn. The expectation is then
  ½ of this gradient and ½ of that of soft attention. This changes the expectation most, if λ_r = 1.

What differs from the paper: it gives no values for λ_r and λ_e. Here they are 1 and 0.002; the authors' code scales
both in another way. The gate β, which the paper has for soft attention, is here too, as it can be in their code, so
that soft and hard attention have the same parameters. When captions are written, the most probable place is taken.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge, Le
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from show_attend_tell.loss import PAD
from show_attend_tell.model import Annotations, Captioner, State, lstm_cell, soft_attention
from show_attend_tell.train import Config

DECAY = 0.9  # of the moving average
Choose = Callable[[Tensor, int], Tensor]  # (log α_t, t) → what the context is made with, both (n, *several, L)


@dataclass(frozen=True)
class HardConfig(Config):
    """Everything that a training with hard attention depends on, except its data."""

    attention: Literal["hard"] = "hard"
    expected_share: Annotated[float, Ge(0), Le(1)] = 0.5  # share of captions that use the expected context
    reinforce_weight: Annotated[float, Ge(0)] = 1.0  # λ_r
    entropy_weight: Annotated[float, Ge(0)] = 0.002  # λ_e


class Path(NamedTuple):
    """What happened along one path of places, for each caption and word."""

    logits: Float[Tensor, "n *several t words"]
    log_weights: Float[Tensor, "n *several t L"]  # log α_ti
    chosen: Float[Tensor, "n *several t L"]  # s_ti: 1 at the place; or α_ti, for the expected context


def most_probable(log_weights: Float[Tensor, "*n L"], t: int) -> Float[Tensor, "*n L"]:
    """1 at the place with the largest weight."""
    return one_hot(log_weights.argmax(dim=-1), log_weights.shape[-1]).to(log_weights.dtype)


def drawn(log_weights: Float[Tensor, "*n L"], t: int) -> Float[Tensor, "*n L"]:
    r"""Equation 8: :math:`p(s_{t,i} = 1 \mid s_{j<t}, a) = \alpha_{t,i}`. 1 at the place that was drawn."""
    *n, L = log_weights.shape
    place = torch.multinomial(log_weights.detach().exp().view(-1, L), 1).view(n)
    return one_hot(place, L).to(log_weights.dtype)


def expected(log_weights: Float[Tensor, "*n L"], t: int) -> Float[Tensor, "*n L"]:
    """The weights themselves: soft attention."""
    return log_weights.exp()


def drawn_or_expected(is_expected: Bool[Tensor, "n *several"]) -> Choose:
    """Section 4.1: captions that are marked use the expected context at every word, the others draw."""

    def choose(log_weights: Tensor, t: int) -> Tensor:
        return expected(log_weights, t).where(is_expected[..., None], drawn(log_weights, t))

    return choose


def along(places: Int[Tensor, "n *several t"]) -> Choose:
    """These places, whatever the weights are."""
    return lambda log_weights, t: one_hot(places[..., t], log_weights.shape[-1]).to(log_weights.dtype)


class HardCaptioner(Captioner):
    """A ``Captioner`` with the same parameters that looks at one place at a time.

    ``step`` and ``forward``, which write and judge captions, take the most probable place.
    """

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.register_buffer("baseline", torch.zeros(()))  # b, saved with the weights

    def look(
        self, h: Float[Tensor, "n *beams H"], annotations: Annotations
    ) -> tuple[Float[Tensor, "n *beams context"], Float[Tensor, "n *beams L"]]:
        """The context and α_t, when captions are written."""
        context, log_weights, _ = self.look_at(h, annotations, most_probable, 0)
        return context, log_weights.exp()

    def look_at(
        self, h: Float[Tensor, "n *beams H"], annotations: Annotations, choose: Choose, t: int
    ) -> tuple[Float[Tensor, "n *beams context"], Float[Tensor, "n *beams L"], Float[Tensor, "n *beams L"]]:
        r"""Equation 9: :math:`\hat z_t = \sum_i s_{t,i}\, a_i`, times the gate; log α_t, and s_t."""
        log_weights = self.scores(h, annotations).log_softmax(dim=-1)  # (n, *beams, L)
        chosen = choose(log_weights, t)
        return self.gate(h).sigmoid() * soft_attention(chosen, annotations.vectors), log_weights, chosen

    def follow(
        self, annotations: Float[Tensor, "n ..."], captions: Int[Tensor, "n *several t"], choose: Choose
    ) -> Path:
        """Teacher forcing, as ``forward``, along the places that ``choose`` gives."""
        projected = self.project(annotations)
        state, embedded = self.start(projected), self.embed(captions[..., :-1])  # (n, *several, t-1, m)
        if captions.dim() == 3:
            projected = projected.shared()
            state = State(*(part[:, None].expand(-1, captions.shape[1], -1) for part in state))
        seen = []
        for t, word in enumerate(embedded.unbind(dim=-2)):
            context, log_weights, chosen = self.look_at(state.h, projected, choose, t)
            x = torch.cat([word, context], dim=-1)  # (n, *several, m + D)
            state = State(*lstm_cell(x, *state, self.weight_x, self.weight_h, self.bias))
            seen.append((state.h, context, log_weights, chosen))
        h, context, log_weights, chosen = (torch.stack(steps, dim=-2) for steps in zip(*seen, strict=True))
        return Path(self.deep_output(embedded, h, context), log_weights, chosen)


class Terms(NamedTuple):
    """One number for each caption, in nats."""

    log_p: Float[Tensor, "n *several"]  # log p(y | s, a)
    log_path: Float[Tensor, "n *several"]  # log p(s | a)
    entropy: Float[Tensor, "n *several"]  # H[s], of all places that were drawn


def terms_of(path: Path, targets: Int[Tensor, "n *several t"]) -> Terms:
    r""":math:`\log p(y \mid s, a) = \sum_t \log p(y_t)`, :math:`\log p(s \mid a) = \sum_{t,i} s_{ti} \log \alpha_{ti}`,
    :math:`H[s] = -\sum_{t,i} \alpha_{ti} \log \alpha_{ti}`, without padding."""
    is_word = targets != PAD  # (n, *several, t)
    nats = cross_entropy(path.logits.flatten(0, -2), targets.flatten(), reduction="none").view(targets.shape)
    log_s = (path.chosen.detach() * path.log_weights).sum(dim=-1)  # (n, *several, t); 0 gradient if it is α itself
    entropy = -(path.log_weights.exp() * path.log_weights).sum(dim=-1)
    return Terms(*((of_word * is_word).sum(dim=-1) for of_word in (-nats, log_s, entropy)))


def reinforce(
    terms: Terms, baseline: Float[Tensor, ""], weight: float = 1.0, entropy_weight: float = 0.0
) -> Float[Tensor, "n *several"]:
    r"""Section 4.1: for each caption a number whose gradient is the estimator.

    .. math::
        \frac{\partial \log p(y \mid \tilde s, a)}{\partial W}
        + \lambda_r \left(\log p(y \mid \tilde s, a) - b\right) \frac{\partial \log p(\tilde s \mid a)}{\partial W}
        + \lambda_e \frac{\partial H[\tilde s]}{\partial W}

    In the brackets, log p is a number and has no gradient of its own: that is the first part.
    """
    advantage = terms.log_p.detach() - baseline  # log p(y | s, a) - b
    return terms.log_p + weight * advantage * terms.log_path + entropy_weight * terms.entropy


def moving_average(baseline: Float[Tensor, ""], log_p: Float[Tensor, "n *several"]) -> Float[Tensor, ""]:
    r"""Section 4.1: :math:`b_k = 0.9\, b_{k-1} + 0.1 \log p(y \mid \tilde s_k, a)`, with the mean over the batch."""
    return DECAY * baseline + (1 - DECAY) * log_p.detach().mean()


def train_hard(
    model: HardCaptioner,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    expected_share: float = 0.5,
    reinforce_weight: float = 1.0,
    entropy_weight: float = 0.002,
) -> None:
    """The loop. The loss that is logged is that of the words, in nats per word.

    Args:
        expected_share: of captions that use the expected context.
        reinforce_weight: λ_r.
        entropy_weight: λ_e.
    """
    for step in steps:
        annotations, captions = batch_at(step)  # the same step gives the same batch in every run
        targets = captions[..., 1:]
        is_expected = torch.rand(captions.shape[:-1], device=captions.device) < expected_share
        path = model.follow(annotations, captions, drawn_or_expected(is_expected))
        terms = terms_of(path, targets)
        estimate = reinforce(terms, model.baseline, reinforce_weight, entropy_weight)  # (n, *several)
        words = (targets != PAD).sum()
        loss = -estimate.sum() / words
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        model.baseline.copy_(moving_average(model.baseline, terms.log_p))  # after its use: b is that of before
        log(step, loss=-terms.log_p.sum().item() / words.item(), baseline=model.baseline.item())


def all_paths(places: int, words: int) -> Int[Tensor, "1 paths words"]:
    """All L^C of them."""
    return torch.tensor([[*product(range(places), repeat=words)]])


def follow_all(model: HardCaptioner, annotations: Float[Tensor, "1 L D"], caption: Int[Tensor, "1 t"]) -> Terms:
    """The terms of every path of one image and one caption without padding."""
    paths = all_paths(annotations.shape[1], caption.shape[1] - 1)
    copies = caption[:, None].expand(-1, paths.shape[1], -1)  # (1, paths, t)
    return terms_of(model.follow(annotations, copies, along(paths)), copies[..., 1:])


def lower_bound(model: HardCaptioner, annotations: Float[Tensor, "1 L D"], caption: Int[Tensor, "1 t"]) -> Tensor:
    r"""Equation 10: :math:`L_s = \sum_s p(s \mid a) \log p(y \mid s, a)`, at most :math:`\log p(y \mid a)`."""
    terms = follow_all(model, annotations, caption)
    return (terms.log_path.exp() * terms.log_p).sum()


def log_likelihood(model: HardCaptioner, annotations: Float[Tensor, "1 L D"], caption: Int[Tensor, "1 t"]) -> Tensor:
    r"""The right side of equation 10: :math:`\log p(y \mid a) = \log \sum_s p(s \mid a)\, p(y \mid s, a)`."""
    terms = follow_all(model, annotations, caption)
    return (terms.log_path + terms.log_p).logsumexp(dim=-1).sum()


def expected_gradient(
    model: HardCaptioner,
    annotations: Float[Tensor, "1 L D"],
    caption: Int[Tensor, "1 t"],
    estimate: Callable[[Terms], Float[Tensor, "1 paths"]],
    expected_share: float = 0.0,
) -> Float[Tensor, " parameters"]:
    r"""The expectation of an estimator, :math:`\sum_s p(s \mid a) \frac{\partial}{\partial W} \text{estimate}(s)`.

    By enumeration, so without noise: small L and C only. ``expected_share`` is the probability of the expected context.
    """
    terms = follow_all(model, annotations, caption)
    drawn_part = gradient(model, (terms.log_path.detach().exp() * estimate(terms)).sum())
    soft = terms_of(model.follow(annotations, caption[:, None], expected), caption[:, None, 1:])
    return (1 - expected_share) * drawn_part + expected_share * gradient(model, estimate(soft).sum())


def gradient(model: HardCaptioner, value: Float[Tensor, ""]) -> Float[Tensor, " parameters"]:
    """All of it in one row."""
    parameters = list(model.parameters())
    slopes = torch.autograd.grad(value, parameters, allow_unused=True, materialize_grads=True)
    return torch.cat([slope.flatten() for slope in slopes])
