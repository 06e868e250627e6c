"""The four things that vectors of the toy language can be trained on: the two of the core, and two beyond it."""

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, nn

from word2vec.data import ToyText
from word2vec.extensions.cbow import bags, cbow_loss
from word2vec.extensions.huffman import HierarchicalSkipGram, hierarchical_loss
from word2vec.model import SkipGram
from word2vec.train import Config, full_loss, sampled_loss
from word2vec.vocabulary import Vocabulary, draw_noise


class Objective(NamedTuple):
    """What is built, what a batch is, and what goes down."""

    build: Callable[[Vocabulary, int], nn.Module]
    batch_at: Callable[[ToyText, Config, int], tuple[Tensor, ...]]
    loss: Callable[..., Tensor]


def skip_gram(vocabulary: Vocabulary, dim: int) -> SkipGram:
    return SkipGram(len(vocabulary), dim)


def bags_at(text: ToyText, config: Config, step: int) -> tuple[Tensor, ...]:
    """A batch for CBOW: words, their neighbours, which of these are any, and noise for each word."""
    generator = text.generator(step)
    centres, bag, inside = bags(text.text_at(step, generator))
    return centres, bag, inside, draw_noise(text.noise, (len(centres), config.negatives), generator)


OBJECTIVES = {
    "negative-sampling": Objective(
        skip_gram, lambda text, config, step: text.noisy_pairs_at(step, config.negatives), sampled_loss
    ),
    "softmax": Objective(skip_gram, lambda text, config, step: text.pairs_at(step), full_loss),
    "hierarchical": Objective(
        lambda vocabulary, dim: HierarchicalSkipGram(vocabulary.counts, dim),
        lambda text, config, step: text.pairs_at(step),
        hierarchical_loss,
    ),
    "cbow": Objective(skip_gram, bags_at, cbow_loss),
}


def objective_of(name: str) -> Objective:
    """Raises ValueError if there is no such objective."""
    if name not in OBJECTIVES:
        raise ValueError(f"objective must be one of {', '.join(OBJECTIVES)}, got {name!r}")
    return OBJECTIVES[name]
