r"""Batches of questions about pictures, and the words between texts and numbers (Antol et al. 2015, sections 3 and 5).

A batch is a pure function of its step: pictures, questions and the number of each question's answer.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from toyworld.drawing import draw
from toyworld.questions import ANSWERS, more_questions, question_at

LONGEST = 40  # words in a question


@dataclass(frozen=True)
class Record:
    """One question about one picture file, with what people answered: ten of them in VQA v2, one in a made world."""

    image: Path
    question: str
    answers: tuple[str, ...]
    kind: str


@dataclass(frozen=True)
class Examples:
    """A stretch of examples to judge a model with: ``images[picture[k]]`` is what question k is about."""

    images: Float[Tensor, "m 3 h w"]
    picture: tuple[int, ...]
    texts: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]


def split_words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@dataclass(frozen=True)
class Vocabulary:
    """Words are numbered from 1, because 0 is padding; answers are numbered from 0."""

    words: tuple[str, ...]
    answers: tuple[str, ...]

    @classmethod
    def of(cls, questions: Iterable[str], answers: Sequence[str]) -> "Vocabulary":
        """All words of these questions, in alphabetical order."""
        return cls(tuple(sorted({word for text in questions for word in split_words(text)})), tuple(answers))

    def unknown(self, text: str) -> list[str]:
        return [word for word in split_words(text) if word not in self.words]

    def encode(self, texts: Sequence[str]) -> Int[Tensor, "n t"]:
        """The numbers of the words of each text, padded with 0 at the end; unknown words are left out.

        Raises:
            ValueError: if a question has no known word, or more than ``LONGEST`` words; or if there is no question.
        """
        if not texts:
            raise ValueError("there must be at least one question, got none")
        number = {word: k for k, word in enumerate(self.words, start=1)}
        rows = [[number[word] for word in split_words(text) if word in number] for text in texts]
        for text, row in zip(texts, rows, strict=True):
            if not row:
                raise ValueError(f"a question must have at least one known word, got {text!r}")
            if len(split_words(text)) > LONGEST:
                raise ValueError(
                    f"a question may have at most {LONGEST} words, got {len(split_words(text))}: {text[:60]!r}…"
                )
        width = max(map(len, rows))
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    def number_of(self, answers: Sequence[str]) -> Int[Tensor, " n"]:
        number = {answer: k for k, answer in enumerate(self.answers)}
        return torch.tensor([number[answer] for answer in answers])


def toy_vocabulary() -> Vocabulary:
    """The words of the toy world's questions; two thousand questions name all of them."""
    return Vocabulary.of((question_at("train", 0, k)[1].text for k in range(2000)), ANSWERS)


def toy_batches(
    vocabulary: Vocabulary, seed: int, pictures: int, questions: int, image_size: int
) -> Callable[[int], tuple[Float[Tensor, "m 3 h w"], Int[Tensor, "n t"], Int[Tensor, " n"]]]:
    """``batch_at`` for the toy world: so many ``pictures`` a batch, each asked so many ``questions``."""

    def batch_at(step: int) -> tuple[Tensor, Tensor, Tensor]:
        indices = range(step * pictures, (step + 1) * pictures)
        scenes, first = zip(*(question_at("train", seed, k) for k in indices), strict=True)
        asked = [
            question
            for k, scene, question in zip(indices, scenes, first, strict=True)
            for question in (question, *more_questions("train", seed, k, scene, questions - 1))
        ]
        words = vocabulary.encode([question.text for question in asked])
        return draw(scenes, image_size), words, vocabulary.number_of([question.answer for question in asked])

    return batch_at


def toy_examples(split: str, seed: int, count: int, image_size: int, stretch: int = 500) -> Iterator[Examples]:
    """The first ``count`` questions of a split, each about a scene of its own."""
    for start in range(0, count, stretch):
        scenes, asked = zip(
            *(question_at(split, seed, k) for k in range(start, min(count, start + stretch))), strict=True
        )
        yield Examples(
            draw(scenes, image_size),
            tuple(range(len(scenes))),
            tuple(question.text for question in asked),
            tuple((question.answer,) for question in asked),
            tuple(question.kind for question in asked),
        )
