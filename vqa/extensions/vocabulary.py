"""Words and answers of a data set, and the ids between texts and tensors."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from toyworld.questions import ANSWERS, question_at

LONGEST = 40  # words in a question


@dataclass(frozen=True)
class Record:
    """One question about one image file, with what people answered: ten of them in VQA v2, one in a synthetic world."""

    image: Path
    question: str
    answers: tuple[str, ...]
    kind: str


def split_words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@dataclass(frozen=True)
class QuestionVocabulary:
    """The words of questions and the answers. Word ids begin at 1, because 0 is padding; answer ids begin at 0."""

    words: tuple[str, ...]
    answers: tuple[str, ...]

    @classmethod
    def of(cls, questions: Iterable[str], answers: Sequence[str]) -> "QuestionVocabulary":
        """All words of these questions, in alphabetical order."""
        return cls(tuple(sorted({word for text in questions for word in split_words(text)})), tuple(answers))

    def unknown(self, text: str) -> list[str]:
        return [word for word in split_words(text) if word not in self.words]

    def encode(self, texts: Sequence[str]) -> Int[Tensor, "n t"]:
        """The ids of the words of each text, padded with 0 at the end; unknown words are left out.

        Raises:
            ValueError: if a question has no known word, or more than ``LONGEST`` words; or if there is no question.
        """
        if not texts:
            raise ValueError("there must be at least one question, got none")
        id_of = {word: k for k, word in enumerate(self.words, start=1)}
        rows = [[id_of[word] for word in split_words(text) if word in id_of] for text in texts]
        for text, row in zip(texts, rows, strict=True):
            if not row:
                raise ValueError(f"a question must have at least one known word, got {text!r}")
            if len(split_words(text)) > LONGEST:
                raise ValueError(
                    f"a question may have at most {LONGEST} words, got {len(split_words(text))}: {text[:60]!r}…"
                )
        width = max(map(len, rows))
        return torch.tensor([row + [0] * (width - len(row)) for row in rows])

    def answer_ids(self, answers: Sequence[str]) -> Int[Tensor, " n"]:
        id_of = {answer: k for k, answer in enumerate(self.answers)}
        return torch.tensor([id_of[answer] for answer in answers])


def toy_vocabulary() -> QuestionVocabulary:
    """The words of the toy world's questions; two thousand questions name all of them."""
    return QuestionVocabulary.of((question_at("train", 0, k)[1].text for k in range(2000)), ANSWERS)
