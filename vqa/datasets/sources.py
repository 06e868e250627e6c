"""Three data sets through one small interface: the toy world, easy-VQA and VQA v2, as the command line sees them.

Checkpoints are chosen on a part of the training split, which is never trained on: in the toy world the same stream with
another seed; of picture files one in twenty, by a hash of their names, with all questions about them.
"""

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from toyworld.questions import question_at
from vqa.data import Examples, Record, Vocabulary, toy_batches, toy_examples, toy_vocabulary
from vqa.datasets.easy_vqa import read_easy_vqa
from vqa.datasets.images import load_image
from vqa.datasets.vqa_v2 import read_vqa_v2
from vqa.evaluate import Asked, most_frequent_answers, possible_toy_answers
from vqa.train import Batch, Config

DATA = ("toy", "easy-vqa", "vqa-v2")
HELD_OUT = 20  # one picture in so many is for validation
STRETCH = 100  # pictures that are judged at once
TOY_VALIDATION, TOY_TEST = 1200, 6000  # questions
VALIDATION_SEED = 1_000_000  # added to the run's seed: a stream of scenes that no training with a usual seed sees


@runtime_checkable
class Source(Protocol):
    """``splits`` are those to be tested on."""

    vocabulary: Vocabulary
    splits: tuple[str, ...]

    def batch_at(self, step: int) -> Batch:
        """Training batch ``step``, a pure function of the seed and the step."""

    def validation(self) -> Iterator[Examples]:
        """A part of the training split that ``batch_at`` never shows."""

    def test(self, split: str) -> Iterator[Examples]:
        """All questions of a split."""

    def asked(self, split: str) -> list[Asked]:
        """The questions of a split without pictures; of ``"train"``, those that frequencies are counted in."""

    def possible(self, question: Asked) -> Collection[str]:
        """The answers that chance chooses from."""


def open_source(data: str, config: Config, root: Path | None = None) -> Source:
    """The data set called ``data``, in the sizes of ``config``.

    Raises:
        ValueError: if there is no such data set, ``root`` is missing or superfluous, or a file is missing or damaged.
    """
    if data not in DATA:
        raise ValueError(f"data must be one of {', '.join(DATA)}, got {data!r}")
    if data != "vqa-v2" and root is not None:
        raise ValueError(f"--root is for vqa-v2 only, {data} needs no folder")
    if data == "toy":
        return ToySource(config)
    if data == "easy-vqa":
        return FileSource(config, read_easy_vqa("train"), {"test": read_easy_vqa("test")}, keep=True)
    if root is None:
        raise ValueError("--root is missing: vqa-v2 needs the folder with the official questions and annotations")
    return FileSource(config, read_vqa_v2(root, "train"), {"val": read_vqa_v2(root, "val")}, keep=False)


class ToySource:
    """The toy world: scenes are drawn as they are needed."""

    splits = ("test", "compositional")

    def __init__(self, config: Config) -> None:
        self.vocabulary, self.config = toy_vocabulary(), config
        self.batch_at = toy_batches(self.vocabulary, config.seed, config.pictures, config.questions, config.image_size)

    def validation(self) -> Iterator[Examples]:
        return toy_examples("train", self.config.seed + VALIDATION_SEED, TOY_VALIDATION, self.config.image_size)

    def test(self, split: str) -> Iterator[Examples]:
        return toy_examples(split, 0, TOY_TEST, self.config.image_size)

    def asked(self, split: str) -> list[Asked]:
        seed = self.config.seed if split == "train" else 0
        questions = (question_at(split, seed, k)[1] for k in range(TOY_TEST))
        return [Asked(question.text, (question.answer,), question.kind) for question in questions]

    def possible(self, question: Asked) -> Collection[str]:
        return possible_toy_answers(question)


class FileSource:
    """Questions about picture files. With ``keep`` each is decoded once and stays in memory, in 8 bits a channel.

    A question is trained on with the most frequent of its answers that the answer vocabulary has, and left out where
    it has none of them.

    Raises:
        ValueError: if there are fewer than two pictures to train on.
    """

    def __init__(self, config: Config, training: Sequence[Record], tests: dict[str, list[Record]], keep: bool) -> None:
        self.config, self.tests, self.splits = config, tests, tuple(tests)
        self.load = cache(load_image) if keep else load_image
        held = held_out({record.image for record in training})
        self.held_out = [record for record in training if record.image in held]
        self.training = [record for record in training if record.image not in held]
        answers = most_frequent_answers((record.answers for record in self.training), config.answers)
        self.vocabulary = Vocabulary.of((record.question for record in self.training), answers)
        known = set(answers)
        self.taught = defaultdict(list)  # by picture: (question, answer) to be learned
        self.answers_of_kind = defaultdict(set)
        for record in self.training:
            usable = [answer for answer in record.answers if answer in known]
            if usable:
                (answer,) = most_frequent_answers([usable], 1)
                self.taught[record.image].append((record.question, answer))
                self.answers_of_kind[record.kind].add(answer)
        self.pictures = list(self.taught)

    def batch_at(self, step: int) -> Batch:
        pictures, questions = self.config.pictures, self.config.questions
        chance = random.Random(f"{self.config.seed}/{step}")
        shown = some(chance, self.pictures, pictures)
        texts, answers = zip(
            *(pair for path in shown for pair in some(chance, self.taught[path], questions)), strict=True
        )
        return self.images(shown), self.vocabulary.encode(texts), self.vocabulary.number_of(answers)

    def images(self, paths: Sequence[Path]) -> Float[Tensor, "m 3 h w"]:
        return torch.stack([self.load(path, self.config.image_size) for path in paths]).float() / 255

    def validation(self) -> Iterator[Examples]:
        return self.examples(self.held_out)

    def test(self, split: str) -> Iterator[Examples]:
        return self.examples(self.tests[split])

    def examples(self, records: Sequence[Record]) -> Iterator[Examples]:
        """All of the records, those about one picture together."""
        about = defaultdict(list)
        for record in records:
            about[record.image].append(record)
        paths = list(about)
        for start in range(0, len(paths), STRETCH):
            part = paths[start : start + STRETCH]
            rows = [(k, record) for k, path in enumerate(part) for record in about[path]]
            yield Examples(
                self.images(part),
                tuple(k for k, _ in rows),
                tuple(record.question for _, record in rows),
                tuple(record.answers for _, record in rows),
                tuple(record.kind for _, record in rows),
            )

    def asked(self, split: str) -> list[Asked]:
        records = self.training if split == "train" else self.tests[split]
        return [Asked(record.question, record.answers, record.kind) for record in records]

    def possible(self, question: Asked) -> Collection[str]:
        return self.answers_of_kind.get(question.kind) or self.vocabulary.answers


def held_out(paths: Collection[Path]) -> set[Path]:
    """One path in ``HELD_OUT``, at least one: those whose names have the smallest hashes, wherever the folder lies.

    Raises:
        ValueError: if there are fewer than two.
    """
    if len(paths) < 2:
        raise ValueError(
            f"there must be at least 2 pictures, one to train on and one to validate with, got {len(paths)}"
        )
    by_hash = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    return set(by_hash[: max(1, len(paths) // HELD_OUT)])


def some(chance: random.Random, things: Sequence, count: int) -> list:
    """``count`` of them in random order, each once before any comes again."""
    shuffled = chance.sample(things, min(count, len(things)))
    return (shuffled * math.ceil(count / len(shuffled)))[:count]
