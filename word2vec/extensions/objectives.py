"""The four objectives for the toy language: negative sampling (the core), the full softmax, the hierarchical softmax,
and CBOW.

An ``Objective`` has the parts that training needs. Negative sampling is trained by the core's own loop; the others
share ``train_objective``, the same loop with the loss as a function.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Literal, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from word2vec import train as core
from word2vec.data import ToyText, generator_at
from word2vec.extensions.cbow import bags, cbow_loss
from word2vec.extensions.huffman import HierarchicalSkipGram, hierarchical_loss
from word2vec.loss import negative_sampling_loss, softmax_loss
from word2vec.model import SkipGram
from word2vec.pairs import skip_gram_pairs
from word2vec.vocabulary import Vocabulary

Batch = tuple[Tensor, ...]
BatchAt = Callable[[int], Batch]


@dataclass(frozen=True)
class ObjectiveConfig(core.Config):
    """The settings of a run on the toy language with any objective."""

    objective: Literal["negative-sampling", "softmax", "hierarchical", "cbow"] = "negative-sampling"  # the loss


CONFIGS = {name: ObjectiveConfig(**asdict(config)) for name, config in core.CONFIGS.items()}


class Objective(NamedTuple):
    """What training with one objective needs."""

    build: Callable[[Vocabulary, int], nn.Module]  # the model, from a vocabulary and the size of a word vector
    batch_at: Callable[[ToyText, int], Batch]  # the batch of a step
    loss: Callable[..., Float[Tensor, ""]]  # loss(model, *batch)
    train: Callable[[nn.Module, Optimizer, LRScheduler, BatchAt, Iterable[int], Callable[..., None]], None]


def train_objective(
    loss_of_batch: Callable[..., Float[Tensor, ""]],
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: BatchAt,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The training loop of ``word2vec.train`` with another loss, ``loss_of_batch(model, *batch)``."""
    for step in steps:
        loss = loss_of_batch(model, *batch_at(step))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())


def sampled_loss(
    model: SkipGram, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"], noise: Int[Tensor, "n k"]
) -> Float[Tensor, ""]:
    """2013b, equation 4, of a batch of pairs with k noise words each."""
    return negative_sampling_loss(model.scores(centres, contexts), model.scores(centres, noise))


def full_loss(model: SkipGram, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    """2013b, equation 2, of a batch of pairs."""
    return softmax_loss(model.all_scores(centres), contexts)


def pairs_at(text: ToyText, step: int) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """A batch for the objectives without noise: centres and context words. They are the same as in ``batch_at``."""
    return skip_gram_pairs(text.text_at(step, generator_at(text.seed, step)))


def bags_at(text: ToyText, step: int) -> Batch:
    """A batch for CBOW: the words to predict, their neighbours, the mask of the neighbours, and the noise words."""
    generator = generator_at(text.seed, step)
    centres, neighbours, mask = bags(text.text_at(step, generator))
    return centres, neighbours, mask, text.noise_for(centres, generator)


def skip_gram(vocabulary: Vocabulary, dim: int) -> SkipGram:
    return SkipGram(len(vocabulary), dim)


def hierarchical(vocabulary: Vocabulary, dim: int) -> HierarchicalSkipGram:
    return HierarchicalSkipGram(vocabulary.counts, dim)


OBJECTIVES = {
    "negative-sampling": Objective(skip_gram, lambda text, step: text.batch_at(step), sampled_loss, core.train),
    "softmax": Objective(skip_gram, pairs_at, full_loss, partial(train_objective, full_loss)),
    "hierarchical": Objective(hierarchical, pairs_at, hierarchical_loss, partial(train_objective, hierarchical_loss)),
    "cbow": Objective(skip_gram, bags_at, cbow_loss, partial(train_objective, cbow_loss)),
}


def objective_of(name: str) -> Objective:
    """Raises ValueError if there is no such objective."""
    if name not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {name!r}")
    return OBJECTIVES[name]
