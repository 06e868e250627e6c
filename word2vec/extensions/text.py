"""Training on any text, one sentence a line, by the block engine: what ``python -m word2vec --data text`` does."""

import json
import math
import statistics
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int

from lab import How, Run, folders, seed_everything, write_text
from word2vec.commands.trained import write_vocabulary
from word2vec.data import generator_at
from word2vec.datasets.corpus import Corpus, read_corpus
from word2vec.extensions.engine import Engine
from word2vec.model import SkipGram
from word2vec.pairs import Text, draw_text
from word2vec.train import check_numbers
from word2vec.vocabulary import Vocabulary, build_vocabulary, keep_probability, noise_distribution

WIDEST = 50  # words: the engine's band, and its tables, grow with the window


@dataclass(frozen=True)
class TextConfig:
    """Everything that a run on a text depends on, but the text."""

    dim: int = 100  # numbers in a word's vector
    window: int = 5  # words on each side, at most
    negatives: int = 5  # how much noise weighs beside a neighbour
    sample: float = 1e-3  # words more frequent than that are thinned out; 0 keeps them all
    min_count: int = 5  # words that occur less often are dropped
    power: float = 0.75  # of the noise distribution; 0 draws all words equally often
    epochs: int = 5  # how often the text is read
    learning_rate: float = 0.05  # the first one; it falls linearly
    last_learning_rate: float = 1e-4  # the lowest one
    seed: int = 0  # of weights, subsampling, windows and noise

    def check(self) -> None:
        """Raises ValueError, and names the field, if a number is out of range."""
        check_numbers(self)
        if self.window > WIDEST:
            raise ValueError(f"window must be at most {WIDEST}, got {self.window}")
        if self.last_learning_rate > self.learning_rate:
            raise ValueError(
                f"last_learning_rate must be at most learning_rate, {self.learning_rate}, got {self.last_learning_rate}"
            )


@dataclass(frozen=True)
class Trained:
    """What a training on a text leaves behind; ``words`` are those of all epochs, before subsampling."""

    folder: Path
    vocabulary: Vocabulary
    model: SkipGram
    words: int
    seconds: float  # of training alone


def vocabulary_of(corpus: Corpus, min_count: int) -> Vocabulary:
    return build_vocabulary(Counter(dict(zip(corpus.words, corpus.counts, strict=True))), min_count)


def check_pairs(corpus: Corpus, renumbering: Int[np.ndarray, " all"]) -> None:
    """Raises ValueError if no sentence has two words of the vocabulary: there would be nothing to learn from."""
    for k in range(len(corpus.ends)):
        _, sentence = corpus.stretch(k, renumbering)
        if (sentence[1:] == sentence[:-1]).any():
            return
    raise ValueError(f"{corpus.source[0]} must have a sentence with two words of the vocabulary, and has none")


class TextTraining:
    """The steps of a training on a corpus: one step is one stretch of text, and a pure function of its number.

    Args:
        corpus: what is read, ``config.epochs`` times.
        vocabulary: of the corpus.
        config: see there.
    """

    def __init__(self, corpus: Corpus, vocabulary: Vocabulary, config: TextConfig) -> None:
        self.corpus, self.config = corpus, config
        self.model = SkipGram(len(vocabulary), config.dim)
        self.renumbering = corpus.renumbering(vocabulary)
        check_pairs(corpus, self.renumbering)
        self.keep = keep_probability(vocabulary.counts, config.sample)
        noise = noise_distribution(vocabulary.counts, config.power)
        self.engine = Engine(self.model, noise, config.window, config.negatives)
        self.steps = config.epochs * len(corpus.ends)

    def rate_at(self, step: int) -> float:
        """2013a, section 4.2: it falls linearly with the words that were read."""
        epoch, k = divmod(step, len(self.corpus.ends))
        done = epoch + (self.corpus.ends[k - 1] if k else 0) / self.corpus.ends[-1]
        return max(self.config.last_learning_rate, self.config.learning_rate * (1 - done / self.config.epochs))

    def text_at(self, step: int, generator: torch.Generator) -> Text:
        """The step's stretch of text, subsampled, with its windows."""
        numbers, sentence = self.corpus.stretch(step % len(self.corpus.ends), self.renumbering)
        return draw_text(numbers, sentence, self.keep, self.config.window, generator)

    def scaled(self, step: int, rate: float) -> float:
        """Which part of the words of a step's blocks the engine's bound scales down in W, at this rate."""
        generator = generator_at(self.config.seed, step)
        blocks = self.engine.blocks(self.text_at(step, generator), generator)
        return statistics.fmean(self.engine.scaled(*block, rate) for block in blocks)

    def step(self, step: int) -> float:
        """Learns from one stretch of text; the mean loss of a pair at its beginning, in nats."""
        generator = generator_at(self.config.seed, step)
        text = self.text_at(step, generator)
        return self.engine.learn(text, self.rate_at(step), generator)


def train_on_text(config: TextConfig, source: Path, folder: Path, how: How) -> Trained:
    """Trains in ``folder``; the text's numbers are kept beside it, in ``….corpus``, as long as the text is the same.

    Raises:
        ValueError, OSError: as ``read_corpus``, ``build_vocabulary`` and ``lab.Run`` do, and for numbers out of range.
    """
    config.check()
    lock = folders.lock(folder)  # before the corpus is made: somebody may be reading the old one
    corpus = read_corpus(source, folder.with_name(f"{folder.name}.corpus"))
    vocabulary = vocabulary_of(corpus, config.min_count)
    seed_everything(config.seed)
    training = TextTraining(corpus, vocabulary, config)
    run = Run(
        folder,
        {"data": "text", "text": list(corpus.source), **asdict(config)},
        {"model": training.model},
        {},
        command=how.command,
        title=how.title,
        unit="word",
        size=lambda step: corpus.size(step % len(corpus.ends)),
        resume=how.resume,
        restart=how.restart,
    )
    write_vocabulary(run.unfinished, vocabulary)
    with run:
        for step in run.steps(training.steps):
            loss = training.step(step)
            known = {} if math.isnan(loss) else {"loss": loss}  # nothing was learned from a stretch without pairs
            run.log(step, **known, rate=training.rate_at(step))
    del lock
    trained = Trained(folder, vocabulary, training.model, config.epochs * corpus.tokens, run.seconds)
    write_text(folder / "results.json", as_json(trained, config, source, how.command) + "\n")
    return trained


def as_json(trained: Trained, config: TextConfig, source: Path, command: str) -> str:
    content = {
        "paper": "word2vec",
        "what": "text",
        "command": command,
        "text": source.name,
        "config": asdict(config),
        "vocabulary": len(trained.vocabulary),
        "words": trained.words,
        "seconds": round(trained.seconds, 1),
        "threads": torch.get_num_threads(),
    }
    return json.dumps(content, indent=2, ensure_ascii=False)
