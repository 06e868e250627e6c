"""The words of a data set's questions, its answers, and the ids of both."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Int
from torch import Tensor

from toyworld.question_text import ANSWERS_IN, wordings_of_all
from toyworld.tokenizer import UNKNOWN, Tokenizer, padded

LONGEST = 40  # words in a question


@dataclass(frozen=True)
class Record:
    """One question about one image file, with what people answered: ten of them in VQA v2, one in a synthetic world."""

    image: Path
    question: str
    answers: tuple[str, ...]
    kind: str


class QuestionVocabulary:
    """The words of questions and the answers, with their ids. An answer's id is its place in ``answers``.

    Args:
        words: of the questions.
        answers: the classes of the classifier.
    """

    def __init__(self, words: Sequence[str], answers: Sequence[str]) -> None:
        self.tokenizer, self.answers = Tokenizer(words), tuple(answers)
        self.answer_id = {answer: index for index, answer in enumerate(self.answers)}

    @classmethod
    def of(cls, questions: Iterable[str], answers: Sequence[str]) -> "QuestionVocabulary":
        """All words of these questions, in alphabetical order."""
        return cls(Tokenizer.of(questions).words, answers)

    @classmethod
    def from_json(cls, text: str) -> "QuestionVocabulary":
        """What ``to_json`` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        content = json.loads(text)
        return cls(content["words"], content["answers"])

    def to_json(self) -> str:
        content = {"words": self.tokenizer.words, "answers": self.answers}
        return json.dumps(content, ensure_ascii=False) + "\n"

    def unknown(self, text: str) -> list[str]:
        """The words of a question that are left out, because no question of the training has them."""
        return self.tokenizer.unknown(text)

    def known_ids(self, text: str) -> list[int]:
        """The token ids of a question's known words."""
        return [index for index in self.tokenizer.ids(text) if index != UNKNOWN]

    def encode(self, texts: Sequence[str]) -> Int[Tensor, "n t"]:
        """The token ids of each question, padded at the end; unknown words are left out.

        Raises:
            ValueError: if a question has no known word, or more than ``LONGEST`` words; or if there is no question.
        """
        if not texts:
            raise ValueError("there must be at least one question, got none")
        rows = []
        for text in texts:
            ids = self.tokenizer.ids(text)
            check_length(text, len(ids))
            rows.append([index for index in ids if index != UNKNOWN])
            if not rows[-1]:
                raise ValueError(f"a question must have at least one known word, got {text!r}")
        return padded(rows)

    def answer_ids(self, answers: Sequence[str]) -> Int[Tensor, " n"]:
        return torch.tensor([self.answer_id[answer] for answer in answers])


def check_length(text: str, words: int) -> None:
    """Raises ValueError if a question has more than ``LONGEST`` words."""
    if words > LONGEST:
        raise ValueError(f"a question may have at most {LONGEST} words, got {words}: {text[:60]!r}…")


def toy_vocabulary(language: str) -> QuestionVocabulary:
    """The words of the toy world's questions in a language."""
    return QuestionVocabulary.of(wordings_of_all(language), ANSWERS_IN[language])
