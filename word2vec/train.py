r"""Training (Mikolov et al. 2013a, section 4.2): at a rate that falls linearly to nothing.

What differs: the authors take a step of plain gradient descent after every pair. Here a step is a batch of pairs out of
some hundred sentences, and the step is Adam's (Kingma & Ba 2015), which gives rare and frequent words steps of about
the same size. The form for real text, by gradient descent on blocks of words, is ``word2vec.extensions.engine``.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from word2vec.loss import negative_sampling_loss, softmax_loss
from word2vec.model import SkipGram

MAY_BE_ZERO = ("sample", "power", "seed")


@dataclass(frozen=True)
class Config:
    """Everything that a training run on the toy language depends on."""

    objective: str = "negative-sampling"  # negative-sampling, softmax, hierarchical or cbow
    steps: int = 500  # batches
    sentences: int = 256  # in a batch
    dim: int = 64  # numbers in a word's vector
    window: int = 5  # words on each side, at most
    negatives: int = 5  # words of noise for each pair
    sample: float = 3e-3  # words more frequent than that are thinned out; 0 keeps them all
    power: float = 0.75  # of the noise distribution; 0 draws all words equally often
    learning_rate: float = 2e-2  # the first one
    seed: int = 0  # of weights and data

    def check(self) -> None:
        """Raises ValueError, and names the field, if a number is out of range."""
        check_numbers(self)


def check_numbers(config: object) -> None:
    """Whole numbers must be 1 or more and others above 0; of those in ``MAY_BE_ZERO``, 0 is allowed.

    Raises:
        ValueError: if a field of the dataclass ``config`` is out of range; it is named.
    """
    for name, value in vars(config).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{name} must be finite, got {value}")
        if isinstance(value, int | float) and name in MAY_BE_ZERO and not value >= 0:
            raise ValueError(f"{name} must be at least 0, got {value}")
        if isinstance(value, int) and name not in MAY_BE_ZERO and not value >= 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
        if isinstance(value, float) and name not in MAY_BE_ZERO and not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")


CONFIGS = {
    "toy": Config(),
    "paper": Config(
        dim=300, negatives=15
    ),  # the sizes of 2013b, table 1; a threshold of 1e-5 would leave no words here
}


def build_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=config.learning_rate)


def learning_rate(first: float, steps: int, step: int) -> float:
    """2013a, section 4.2: it falls linearly, and would be zero after the last step."""
    return first * (1 - step / steps)


def sampled_loss(
    model: SkipGram, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"], noise: Int[Tensor, "n k"]
) -> Float[Tensor, ""]:
    """2013b, equation 4, over a batch of pairs with k words of noise each."""
    positive = model.scores(centres, contexts[:, None]).reshape(-1)  # (n,)
    return negative_sampling_loss(positive, model.scores(centres, noise), noise.shape[1])


def full_loss(model: SkipGram, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    """2013b, equation 2, over a batch of pairs."""
    return softmax_loss(model.all_scores(centres), contexts)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch_at: Callable[[int], tuple[Tensor, ...]],
    steps: Iterable[int],
    log: Callable[..., None],
    rate_at: Callable[[int], float],
    loss_of: Callable[..., Float[Tensor, ""]] = sampled_loss,
) -> None:
    """The loop. ``steps`` may be any range of whole numbers; ``log(step, loss=…)`` takes the loss of a pair in nats.

    ``loss_of(model, *batch_at(step))`` is what goes down.
    """
    for step in steps:
        loss = loss_of(model, *batch_at(step))  # the same step, the same batch, in every run
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log(step, loss=loss.item())
