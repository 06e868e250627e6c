r"""Training of skip-gram with negative sampling (Mikolov et al. 2013b, section 2.2), with a learning rate that falls
linearly to zero (2013a, section 4.2).

What differs: the authors take a step of gradient descent after every pair. Here a step takes a batch, the pairs of some
hundred sentences, and the optimiser is Adam (Kingma & Ba 2015), so rare and frequent words move about equally far. The
other objectives are trained in ``word2vec.extensions.objectives``, real text in ``word2vec.extensions.text``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le
from torch import Tensor, nn
from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from word2vec.loss import negative_sampling_loss
from word2vec.model import SkipGram


@dataclass(frozen=True)
class Config:
    """The settings of a run on the toy language."""

    steps: Annotated[int, Ge(1)] = 500  # batches to train on
    sentences: Annotated[int, Ge(1)] = 256  # sentences in a batch
    dim: Annotated[int, Ge(1)] = 64  # size of a word vector
    window: Annotated[int, Ge(1)] = 5  # largest window, in words on each side
    negatives: Annotated[int, Ge(1)] = 5  # noise words of each pair
    sample: Annotated[float, Ge(0)] = 3e-3  # words more frequent than this are dropped at times; 0 keeps all words
    power: Annotated[float, Ge(0), Le(10)] = (
        0.75  # exponent of the counts in the noise distribution; 0 makes it uniform
    )
    learning_rate: Annotated[float, Gt(0)] = 2e-2  # learning rate at step 0; it falls linearly to zero
    seed: Annotated[int, Ge(0)] = 0  # seed of the random weights and the sentences


CONFIGS = {
    "toy": Config(),
    "paper": Config(dim=300, negatives=15),  # as in 2013b, table 1; its threshold 1e-5 would drop all words here
}


def build_optimizer(model: nn.Module, config: Config) -> tuple[Optimizer, LRScheduler]:
    """Adam, and 2013a, section 4.2: the learning rate falls linearly, to zero after the last step."""
    optimizer = Adam(model.parameters(), lr=config.learning_rate)
    return optimizer, LambdaLR(optimizer, lambda step: 1 - step / config.steps)


def train(
    model: SkipGram,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable[[int], tuple[Tensor, Tensor, Tensor]],
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The training loop.

    Args:
        batch_at: returns the batch of a step: ids of centres, of context words and of noise words.
        steps: step numbers, for example ``range(500)``.
        log: is called as ``log(step, loss=…)`` with the mean loss of a pair, in nats.
    """
    for step in steps:
        centres, contexts, noise = batch_at(step)  # (n,), (n,), (n, k); the same step gives the same batch in every run
        positive_scores = model.scores(centres, contexts)  # (n,)
        noise_scores = model.scores(centres, noise)  # (n, k)
        loss = negative_sampling_loss(positive_scores, noise_scores)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())
