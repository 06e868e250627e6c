r"""How good the answers are, and how good they would be without the image (Antol et al. 2015, sections 3 and 5.1).

Accuracies lie between 0 and 1, by kind of question and over ``"all"`` questions. Five baselines need no image: chance
(any possible answer), the most frequent answer, the most frequent answer of each kind of question and of each
question's text, and the ceiling: the best accuracy that any answer of the vocabulary can reach.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from toyworld.drawing import draw
from toyworld.questions import question_at
from vqa.answer_text import annotators_agree, normalize_answer, trim, vqa_accuracy
from vqa.data import FeaturesOf
from vqa.metric import mean_agreement_of_matches

ALL = "all"
PROMISES = MappingProxyType(  # (data, split, kind of question): the accuracy that the README promises, in any language
    {
        ("toy", "test", "colour"): 0.97,
        ("toy", "test", "shape"): 0.97,
        ("toy", "test", "count"): 0.97,
        ("toy", "test", "existence"): 0.97,
        ("toy", "test", "comparison"): 0.93,
        ("toy", "test", "relation"): 0.85,
        ("toy", "compositional", ALL): 0.88,
        ("easy-vqa", "test", ALL): 0.999,
    }
)


@dataclass(frozen=True)
class Examples:
    """A chunk of examples to judge a model with; question k is about image ``image_of[k]``."""

    pixels: Float[Tensor, "m 3 h w"]  # to look at, from 0 to 1
    images: Float[Tensor, "m c rows columns"]  # what the model reads: the pixels, or a detector's grid
    image_of: tuple[int, ...]
    texts: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]
    kinds: tuple[str, ...]


@runtime_checkable
class AnswerVocabulary(Protocol):
    """What evaluation needs of the words of a data set: the possible answers, and the token ids of questions."""

    answers: Sequence[str]

    def encode(self, texts: Sequence[str]) -> Tensor:
        """The token ids of each text, padded."""

    def known_ids(self, text: str) -> list[int]:
        """The token ids of a text's known words."""


class Asked(NamedTuple):
    """A question as the baselines see it: without its image."""

    text: str
    answers: tuple[str, ...]
    kind: str


def toy_examples(
    features_of: FeaturesOf,
    split: str,
    seed: int,
    count: int,
    image_size: int,
    language: str = "english",
    chunk: int = 500,
) -> Iterator[Examples]:
    """The first ``count`` questions of a split, each about a scene of its own, in chunks."""
    for start in range(0, count, chunk):
        indices = range(start, min(count, start + chunk))
        scenes, asked = zip(*(question_at(split, seed, k, language) for k in indices), strict=True)
        pixels = draw(scenes, image_size)
        yield Examples(
            pixels,
            features_of(pixels),
            tuple(range(len(scenes))),
            tuple(question.text for question in asked),
            tuple((question.answer,) for question in asked),
            tuple(question.kind for question in asked),
        )


def probabilities(model: nn.Module, vocabulary: AnswerVocabulary, examples: Examples) -> Float[Tensor, "n answers"]:
    """Row k: the probability of each answer of the vocabulary to question k, from the model in evaluation mode.

    Raises:
        ValueError: if a question has no known word, or too many words.
    """
    device, was_training = next(model.parameters()).device, model.training
    questions, image_of = vocabulary.encode(examples.texts), torch.tensor(examples.image_of)  # (n, t) and (n,)
    model.eval()
    try:
        with torch.no_grad():
            logits = model(examples.images.to(device), questions.to(device), image_of.to(device))  # (n, answers)
    finally:
        model.train(was_training)
    return logits.softmax(dim=-1).cpu()


def predict(model: nn.Module, vocabulary: AnswerVocabulary, examples: Examples) -> list[str]:
    """The most likely answer to each question; the empty answer, which is never right, where no word is known."""
    n = len(examples.texts)
    readable = [k for k in range(n) if vocabulary.known_ids(examples.texts[k])]
    predictions = [""] * n
    if readable:
        best = probabilities(model, vocabulary, selected(examples, readable)).argmax(dim=-1).tolist()
        for k, answer in zip(readable, best, strict=True):
            predictions[k] = vocabulary.answers[answer]
    return predictions


def selected(examples: Examples, questions: Sequence[int]) -> Examples:
    """Only these questions, in this order, and only the images that they are about."""
    images = sorted({examples.image_of[k] for k in questions})
    row_of = {image: row for row, image in enumerate(images)}
    image_of = tuple(row_of[examples.image_of[k]] for k in questions)
    columns = (examples.texts, examples.answers, examples.kinds)
    chosen = (tuple(column[k] for k in questions) for column in columns)
    return Examples(examples.pixels[images], examples.images[images], image_of, *chosen)


def accuracies(model: nn.Module, vocabulary: AnswerVocabulary, chunks: Iterable[Examples]) -> dict[str, float]:
    """The VQA accuracy of the model's answers: the mean for each kind of question, and for ``"all"`` questions.

    Raises:
        ValueError: if there are no questions.
    """
    kinds, reached = [], []
    for examples in chunks:
        predictions = predict(model, vocabulary, examples)
        reached += [vqa_accuracy(*pair) for pair in zip(predictions, examples.answers, strict=True)]
        kinds += examples.kinds
    return by_kind(kinds, reached)


def by_kind(kinds: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """The mean of the values of each kind, in alphabetical order, then the mean of all values.

    Raises:
        ValueError: if there are none.
    """
    if not values:
        raise ValueError("there must be at least one question to judge, got none")
    groups = defaultdict(list)
    for kind, value in zip(kinds, values, strict=True):
        groups[kind].append(value)
    return {kind: sum(groups[kind]) / len(groups[kind]) for kind in sorted(groups)} | {ALL: sum(values) / len(values)}


def baselines(
    training: Sequence[Asked],
    asked: Sequence[Asked],
    vocabulary: Sequence[str],
    possible: Callable[[Asked], Collection[str]],
) -> dict[str, dict[str, float]]:
    """The accuracies without the images: by the name of the baseline, then by kind of question.

    ``possible`` gives the answers that chance chooses from. Frequencies are those of ``training``. A text that is not
    there gets the answer of its kind, and a kind that is not there gets the most frequent answer of all.

    Raises:
        ValueError: if there are no questions to learn from, or none to judge.
    """
    if not training:
        raise ValueError("there must be at least one question to learn from, got none")
    kinds = [question.kind for question in asked]
    overall = most_frequent_answers((question.answers for question in training), 1)[0]
    of_kind = most_frequent_in_groups((question.kind, question.answers) for question in training)
    of_text = most_frequent_in_groups((question.text, question.answers) for question in training)

    def accuracies_of(answer_to: Callable[[Asked], str]) -> dict[str, float]:
        return by_kind(kinds, [vqa_accuracy(answer_to(question), question.answers) for question in asked])

    in_vocabulary, choices_of = Choices(vocabulary), cache(Choices)  # few sets of answers, for many questions
    return {
        "chance": by_kind(
            kinds, [choices_of(frozenset(possible(question))).mean(question.answers) for question in asked]
        ),
        "most frequent": accuracies_of(lambda question: overall),
        "by kind": accuracies_of(lambda question: of_kind.get(question.kind, overall)),
        "by text": accuracies_of(lambda question: of_text.get(question.text, of_kind.get(question.kind, overall))),
        "ceiling": by_kind(kinds, [in_vocabulary.best(question.answers) for question in asked]),
    }


class Choices:
    """Answers to choose from. For each question: the accuracy of the best of them, and their mean accuracy.

    Each answer is normalised once, not again for each question.
    """

    def __init__(self, answers: Collection[str]) -> None:
        self.trimmed = Counter(trim(answer) for answer in answers)
        self.normalized = Counter(normalize_answer(answer) for answer in answers)
        self.size = len(answers)

    def best(self, answers: Sequence[str]) -> float:
        """The ceiling: the accuracy of the best of these answers. 0 if there are none."""
        return max((accuracy for _, accuracy in self._hits(answers)), default=0.0)

    def mean(self, answers: Sequence[str]) -> float:
        """Chance, if each of these answers is equally likely: 1/N if one of N is right."""
        return sum(times * accuracy for times, accuracy in self._hits(answers)) / self.size

    def _hits(self, answers: Sequence[str]) -> list[tuple[int, float]]:
        """For each answer that an annotator gave: how many of the choices equal it, and its accuracy."""
        write, choices = (trim, self.trimmed) if annotators_agree(answers) else (normalize_answer, self.normalized)
        given = Counter(write(answer) for answer in answers)
        return [
            (choices[answer], mean_agreement_of_matches(matches, len(answers)))
            for answer, matches in given.items()
            if answer in choices
        ]


def most_frequent_answers(answer_lists: Iterable[Sequence[str]], count: int) -> tuple[str, ...]:
    """Section 5's answer vocabulary (K = 1000): the ``count`` most frequent majority answers, most frequent first.

    Each question has one vote, the answer that most of its annotators gave. In a tie, within a question or between
    answers, the answer that comes first in the alphabet wins. So the order of the annotators does not matter. (The
    authors read the majority answer from their annotation file; the order of their ties is that of a dictionary.)
    Answers stay as they were written. Fewer than ``count`` are returned if there are no more.

    Raises:
        ValueError: if ``count`` is not positive, or a question has no answer.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    votes = Counter()
    for i, answers in enumerate(answer_lists):
        if not answers:
            raise ValueError(f"each question must have at least one answer, question {i} has none")
        votes[_by_frequency(Counter(answers))[0]] += 1
    return tuple(_by_frequency(votes)[:count])


def _by_frequency(counts: Counter) -> list[str]:
    return sorted(counts, key=lambda answer: (-counts[answer], answer))


def most_frequent_in_groups(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """For each name, the answer that most of its questions have."""
    groups = defaultdict(list)
    for name, answers in pairs:
        groups[name].append(answers)
    return {name: most_frequent_answers(lists, 1)[0] for name, lists in groups.items()}
