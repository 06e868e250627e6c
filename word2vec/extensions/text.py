"""Training on any text, one sentence a line, by the block engine (``python -m word2vec text --path FILE``)."""

import statistics
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import torch
from annotated_types import Ge, Gt, Le
from jaxtyping import Int

from lab.config import check
from word2vec.data import generator_at
from word2vec.datasets.corpus import Corpus
from word2vec.extensions.engine import Engine
from word2vec.model import SkipGram
from word2vec.pairs import Text, draw_text
from word2vec.vocabulary import Vocabulary, build_vocabulary, keep_probability, noise_distribution

WIDEST = 50  # largest window: the engine's band and tables grow with it


@dataclass(frozen=True)
class TextConfig:
    """The settings of a run on a text."""

    dim: Annotated[int, Ge(1)] = 100  # size of a word vector
    window: Annotated[int, Ge(1), Le(WIDEST)] = 5  # largest window, in words on each side
    negatives: Annotated[int, Ge(1)] = 5  # noise words of each pair, k of equation 4
    sample: Annotated[float, Ge(0)] = 1e-3  # words more frequent than this are dropped at times; 0 keeps all words
    min_count: Annotated[int, Ge(1)] = 5  # words with fewer occurrences are dropped
    power: Annotated[float, Ge(0), Le(10)] = (
        0.75  # exponent of the counts in the noise distribution; 0 makes it uniform
    )
    epochs: Annotated[int, Ge(1)] = 5  # the number of times that the text is read
    learning_rate: Annotated[float, Gt(0)] = 0.05  # learning rate at the first step; it falls linearly
    last_learning_rate: Annotated[float, Gt(0)] = 1e-4  # the lowest learning rate
    seed: Annotated[int, Ge(0)] = 0  # seed of the random weights, subsampling, windows and noise words


def check_config(config: TextConfig) -> None:
    """Raises ValueError, and names the field, if a value is out of range."""
    check(config)
    if config.last_learning_rate > config.learning_rate:
        raise ValueError(
            f"last_learning_rate must be at most learning_rate, {config.learning_rate}, got {config.last_learning_rate}"
        )


def vocabulary_of(corpus: Corpus, min_count: int) -> Vocabulary:
    return build_vocabulary(Counter(dict(zip(corpus.words, corpus.counts, strict=True))), min_count)


def has_pairs(sentence: Int[torch.Tensor, " n"]) -> bool:
    """Whether two words are beside each other, given the number of each word's sentence."""
    return bool((sentence[1:] == sentence[:-1]).any())


def check_pairs(corpus: Corpus, vocabulary_ids: Int[np.ndarray, " all"]) -> None:
    """Raises ValueError if no sentence has two words of the vocabulary, so that there are no pairs."""
    if not any(has_pairs(corpus.chunk(k, vocabulary_ids)[1]) for k in range(len(corpus.ends))):
        raise ValueError(f"{corpus.source[0]} must have a sentence with two words of the vocabulary, and has none")


class TextTraining:
    """The steps of a training on a corpus. A step trains on one chunk of text and depends on its step number only.

    Args:
        corpus: is read ``config.epochs`` times.
        vocabulary: of the corpus.
        config: of the training.
    """

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, config: TextConfig) -> None:
        self.corpus, self.config = corpus, config
        self.model = SkipGram(len(vocabulary), config.dim)
        self.vocabulary_ids = corpus.vocabulary_ids(vocabulary)
        check_pairs(corpus, self.vocabulary_ids)
        self.keep = keep_probability(vocabulary.counts, config.sample)
        distribution = noise_distribution(vocabulary.counts, config.power)
        self.engine = Engine(self.model, distribution, config.window, config.negatives)
        self.steps = config.epochs * len(corpus.ends)
        self.check_sample()

    def check_sample(self) -> None:
        """Raises ValueError if no step has a pair, because subsampling drops too many words."""
        texts = (self.text_at(step, generator_at(self.config.seed, step)) for step in range(self.steps))
        if not any(has_pairs(text.sentence) for text in texts):
            allowed = f"sample must leave a pair of words in {self.corpus.source[0]}"
            raise ValueError(f"{allowed}, got {self.config.sample:g}: take a larger one, or 0 to keep all words")

    def rate_at(self, step: int) -> float:
        """2013a, section 4.2: the learning rate falls linearly with the number of words read."""
        epoch, k = divmod(step, len(self.corpus.ends))
        done = epoch + (self.corpus.ends[k - 1] if k else 0) / self.corpus.ends[-1]
        return max(self.config.last_learning_rate, self.config.learning_rate * (1 - done / self.config.epochs))

    def text_at(self, step: int, generator: torch.Generator) -> Text:
        """The chunk of text of this step, subsampled, with its windows."""
        ids, sentence = self.corpus.chunk(step % len(self.corpus.ends), self.vocabulary_ids)
        return draw_text(ids, sentence, self.keep, self.config.window, generator)

    def scaled(self, step: int, rate: float) -> float:
        """The share of the words of a step's blocks that the engine's bound scales down in W, at this rate."""
        generator = generator_at(self.config.seed, step)
        blocks = self.engine.blocks(self.text_at(step, generator), generator)
        return statistics.fmean(self.engine.scaled(*block, rate) for block in blocks)

    def step(self, step: int) -> float | None:
        """Trains on one chunk of text. Returns the mean loss of a pair in its first block, in nats; None: no pairs."""
        generator = generator_at(self.config.seed, step)
        text = self.text_at(step, generator)
        return self.engine.learn(text, self.rate_at(step), generator)
