"""The data sets behind one interface: the toy world, easy-VQA and VQA v2.

Each gives batches to train on, a validation part that is not trained on, and test splits. On the toy world the
validation part has the scenes of another seed; of image files it is one in twenty, chosen by a hash of the name, with
all questions about them.
"""

import hashlib
import math
import random
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from lab.images import check_image, load_image
from toyworld.question_text import possible_answers, read_question
from toyworld.questions import question_at
from toyworld.tokenizer import split_words
from vqa.data import Batch, toy_batches
from vqa.datasets.easy_vqa import read_easy_vqa
from vqa.datasets.vqa_v2 import read_vqa_v2
from vqa.evaluate import Asked, Examples, most_frequent_answers, toy_examples
from vqa.extensions.vocabulary import QuestionVocabulary, Record, check_length, toy_vocabulary
from vqa.train import Config

DATA = ("toy", "easy-vqa", "vqa-v2")
HELD_OUT = 20  # one image in this many is for validation
CHUNK = 100  # images that are judged at once
TOY_VALIDATION, TOY_TEST = 1200, 6000  # questions
VALIDATION_SEED = 1_000_000  # added to the run's seed: scenes that no training with a usual seed sees


@runtime_checkable
class Source(Protocol):
    """A data set; ``splits`` are those to be tested on."""

    vocabulary: QuestionVocabulary
    splits: tuple[str, ...]

    def check(self) -> None:
        """Looks at everything that training and judging will need, and raises ValueError if something is wrong."""

    def batch_at(self, step: int) -> Batch:
        """Training batch ``step``, a pure function of the seed and the step."""

    def validation(self) -> Iterator[Examples]:
        """A part of the training split that ``batch_at`` never shows."""

    def test(self, split: str) -> Iterator[Examples]:
        """All questions of a split."""

    def asked(self, split: str) -> list[Asked]:
        """The questions of a split without images; of ``"train"``, those that frequencies are counted in."""

    def possible(self, question: Asked) -> Collection[str]:
        """The answers that chance chooses from."""


def open_source(
    data: str,
    config: Config,
    features_of: Callable[[], Callable[[Tensor], Tensor]],
    root: Path | None,
    language: str = "english",
) -> Source:
    """The data set called ``data``, in the sizes of ``config``.

    Args:
        features_of: gives the function that turns the toy world's pixels into features, a frozen detector's grid.
        root: of VQA v2, the folder with the official files.
        language: of the toy world's questions.

    Raises:
        ValueError: if ``root`` is missing or superfluous, ``language`` is superfluous, the encoder does not fit, or a
            file is missing or damaged.
    """
    if data != "vqa-v2" and root is not None:
        raise ValueError(f"--root is for vqa-v2 only, {data} needs no folder")
    if data != "toy" and language != "english":
        raise ValueError(f"--language is for toy only, {data} does not use it")
    if data != "toy" and config.encoder == "grid":
        raise ValueError(f"--encoder must be cnn for {data}, got grid: the detector knows the toy world only")
    if config.encoder == "grid" and len(config.channels) > 1:
        raise ValueError(
            f"--channels must be one number with --encoder grid, got {' '.join(map(str, config.channels))}"
        )
    if data == "toy":
        return ToySource(config, features_of() if config.encoder == "grid" else lambda pixels: pixels, language)
    if data == "easy-vqa":
        return FileSource(config, read_easy_vqa("train"), {"test": read_easy_vqa("test")}, keep=True)
    if root is None:
        raise ValueError("--root is missing: vqa-v2 needs the folder with the official questions and annotations")
    return FileSource(config, read_vqa_v2(root, "train"), {"val": read_vqa_v2(root, "val")}, keep=False)


class ToySource:
    """The toy world: scenes are drawn when they are needed."""

    splits = ("test", "compositional")

    def __init__(self, config: Config, features_of: Callable[[Tensor], Tensor], language: str) -> None:
        self.vocabulary, self.config, self.features_of = toy_vocabulary(language), config, features_of
        self.language, sizes = language, (config.images, config.questions, config.image_size)
        self.batch_at = toy_batches(features_of, self.vocabulary.encode, config.seed, *sizes, language)

    def check(self) -> None:
        """Nothing can be missing."""

    def validation(self) -> Iterator[Examples]:
        seed = self.config.seed + VALIDATION_SEED
        return toy_examples(self.features_of, "train", seed, TOY_VALIDATION, self.config.image_size, self.language)

    def test(self, split: str) -> Iterator[Examples]:
        return toy_examples(self.features_of, split, 0, TOY_TEST, self.config.image_size, self.language)

    def asked(self, split: str) -> list[Asked]:
        seed = self.config.seed if split == "train" else 0
        questions = (question_at(split, seed, k, self.language)[1] for k in range(TOY_TEST))
        return [Asked(question.text, (question.answer,), question.kind) for question in questions]

    def possible(self, question: Asked) -> Collection[str]:
        return possible_answers(read_question(question.text, self.language), self.language)


class FileSource:
    """Questions about image files. With ``keep`` each file is decoded once and stays in memory, 8 bits a channel.

    A question is trained on with the most frequent of its answers that the answer vocabulary has. It is left out where
    the vocabulary has none of them.

    Raises:
        ValueError: if there are fewer than two images to train on.
    """

    def __init__(self, config: Config, training: Sequence[Record], tests: dict[str, list[Record]], keep: bool) -> None:
        self.config, self.tests, self.splits = config, tests, tuple(tests)
        self.load = cache(load_image) if keep else load_image
        held = held_out({record.image for record in training})
        self.held_out = [record for record in training if record.image in held]
        self.training = [record for record in training if record.image not in held]
        answers = most_frequent_answers((record.answers for record in self.training), config.answers)
        self.vocabulary = QuestionVocabulary.of((record.question for record in self.training), answers)
        known = set(answers)
        self.questions_of = defaultdict(list)  # by image: (question, answer) to train on
        self.answers_of_kind = defaultdict(set)
        for record in self.training:
            usable = [answer for answer in record.answers if answer in known]
            if usable:
                (answer,) = most_frequent_answers([usable], 1)
                self.questions_of[record.image].append((record.question, answer))
                self.answers_of_kind[record.kind].add(answer)
        self.paths = list(self.questions_of)

    def check(self) -> None:
        """The header of each image and the length of each question, of all splits."""
        records = [*self.training, *self.held_out, *(record for split in self.tests.values() for record in split)]
        for path in dict.fromkeys(record.image for record in records):
            check_image(path)
        for text in {record.question for record in records}:
            check_length(text, len(split_words(text)))

    def batch_at(self, step: int) -> Batch:
        images, questions = self.config.images, self.config.questions
        rng = random.Random(f"{self.config.seed}/{step}")
        paths = sample(rng, self.paths, images)
        texts, answers = zip(
            *(pair for path in paths for pair in sample(rng, self.questions_of[path], questions)), strict=True
        )
        image_of = torch.arange(images).repeat_interleave(questions)
        return Batch(self.pixels(paths), self.vocabulary.encode(texts), image_of, self.vocabulary.answer_ids(answers))

    def pixels(self, paths: Sequence[Path]) -> Float[Tensor, "m 3 h w"]:
        return torch.stack([self.load(path, self.config.image_size) for path in paths]).float() / 255

    def validation(self) -> Iterator[Examples]:
        return self.examples(self.held_out)

    def test(self, split: str) -> Iterator[Examples]:
        return self.examples(self.tests[split])

    def examples(self, records: Sequence[Record]) -> Iterator[Examples]:
        """All of the records, in chunks of images, those about one image together."""
        about = defaultdict(list)
        for record in records:
            about[record.image].append(record)
        paths = list(about)
        for start in range(0, len(paths), CHUNK):
            part = paths[start : start + CHUNK]
            rows = [(k, record) for k, path in enumerate(part) for record in about[path]]
            pixels = self.pixels(part)
            yield Examples(
                pixels,
                pixels,
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
    """One path in ``HELD_OUT``, at least one: those whose names have the smallest hashes, wherever the folder is.

    Raises:
        ValueError: if there are fewer than two.
    """
    if len(paths) < 2:
        raise ValueError(f"there must be at least 2 images, one to train on and one to validate with, got {len(paths)}")
    by_hash = sorted(paths, key=lambda path: hashlib.sha256(path.name.encode()).digest())
    return set(by_hash[: max(1, len(paths) // HELD_OUT)])


def sample(rng: random.Random, items: Sequence, count: int) -> list:
    """``count`` of the items in random order; each comes once before any comes again."""
    shuffled = rng.sample(items, min(count, len(items)))
    return (shuffled * math.ceil(count / len(shuffled)))[:count]
