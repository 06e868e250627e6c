r"""How good the answers are, and how good they would be without looking (Antol et al. 2015, sections 3 and 5.1).

Accuracies lie between 0 and 1, by kind of question and over ``"all"`` of them. Five need no picture, and are shown
beside the model's: chance (any possible answer), the most frequent answer, the most frequent answer of each kind of
question and of each question's text, and the ceiling, which no choice out of the answer vocabulary exceeds.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from toyworld.questions import NUMBERS, YES_NO
from toyworld.scenes import COLOURS, HELD_OUT, SHAPES
from vqa.data import Examples, Vocabulary, split_words
from vqa.metric import ceiling, most_frequent_answers, vqa_accuracy

ALL = "all"
PROMISES = MappingProxyType(  # (data, split, kind of question): the accuracy that the README promises
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


class Asked(NamedTuple):
    """A question as baselines see it: without its picture."""

    text: str
    answers: tuple[str, ...]
    kind: str


def probabilities(model: nn.Module, vocabulary: Vocabulary, examples: Examples) -> Float[Tensor, "n answers"]:
    """Row k is the distribution over the vocabulary's answers to question k, from the model in evaluation mode.

    Raises:
        ValueError: if a question has no known word, or too many.
    """
    device, was_training = next(model.parameters()).device, model.training
    m, place, asked = len(examples.images), [], [0] * len(examples.images)
    for picture in examples.picture:  # question k stands at its place among those about the same picture
        place.append(asked[picture])
        asked[picture] += 1
    words, rows = vocabulary.encode(examples.texts), torch.tensor(examples.picture)
    grid = words[:1].repeat(m * max(asked), 1)  # the model wants equally many about each picture: the first fills up
    at = rows * max(asked) + torch.tensor(place)  # (n,)
    grid[at] = words
    model.eval()
    try:
        with torch.no_grad():
            logits = model(examples.images.to(device), grid.to(device))  # (m * most, answers)
    finally:
        model.train(was_training)
    return logits.cpu()[at].softmax(dim=-1)


def predict(model: nn.Module, vocabulary: Vocabulary, examples: Examples) -> list[str]:
    """The most likely answer to each question; an empty one, which is never right, where no word is known."""
    known = set(vocabulary.words)
    legible = [k for k, text in enumerate(examples.texts) if not known.isdisjoint(split_words(text))]
    said = [""] * len(examples.texts)
    if legible:
        pictures, texts = (tuple(column[k] for k in legible) for column in (examples.picture, examples.texts))
        part = Examples(examples.images, pictures, texts, examples.answers, examples.kinds)
        best = probabilities(model, vocabulary, part).argmax(dim=-1).tolist()
        for k, answer in zip(legible, best, strict=True):
            said[k] = vocabulary.answers[answer]
    return said


def accuracies(model: nn.Module, vocabulary: Vocabulary, stretches: Iterable[Examples]) -> dict[str, float]:
    """The VQA accuracy of the model's answers: the mean for each kind of question, and for ``"all"`` of them.

    Raises:
        ValueError: if there are no questions.
    """
    kinds, hits = [], []
    for examples in stretches:
        said = predict(model, vocabulary, examples)
        hits += [vqa_accuracy(one, answers) for one, answers in zip(said, examples.answers, strict=True)]
        kinds += examples.kinds
    return by_kind(kinds, hits)


def by_kind(kinds: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """The mean of the values of each kind, in alphabetical order, then of all.

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
    """What ``asked`` gives without looking, by the name of the baseline, then by kind of question.

    ``possible`` gives the answers that chance chooses from. The frequencies are those of ``training``; a kind or a text
    that does not occur there falls back on what is more general.

    Raises:
        ValueError: if there are no questions to learn from, or none to judge.
    """
    if not training:
        raise ValueError("there must be at least one question to learn from, got none")
    kinds = [question.kind for question in asked]
    overall = most_frequent_answers((question.answers for question in training), 1)[0]
    of_kind = most_frequent_in_groups((question.kind, question.answers) for question in training)
    of_text = most_frequent_in_groups((question.text, question.answers) for question in training)

    def judged(say: Callable[[Asked], str]) -> dict[str, float]:
        return by_kind(kinds, [vqa_accuracy(say(question), question.answers) for question in asked])

    return {
        "chance": by_kind(kinds, [chance(question.answers, possible(question)) for question in asked]),
        "most frequent": judged(lambda question: overall),
        "by kind": judged(lambda question: of_kind.get(question.kind, overall)),
        "by text": judged(lambda question: of_text.get(question.text, of_kind.get(question.kind, overall))),
        "ceiling": by_kind(kinds, [ceiling([question], vocabulary) for question in asked]),
    }


def most_frequent_in_groups(pairs: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, str]:
    """For each name, the answer that most of its questions have."""
    groups = defaultdict(list)
    for name, answers in pairs:
        groups[name].append(answers)
    return {name: most_frequent_answers(lists, 1)[0] for name, lists in groups.items()}


def chance(answers: Sequence[str], candidates: Collection[str]) -> float:
    """The mean accuracy of an answer drawn from ``candidates``, each equally likely: 1/N if one of N is right."""
    return sum(vqa_accuracy(answer, answers) for answer in set(answers) if answer in candidates) / len(candidates)


def possible_toy_answers(question: Asked) -> tuple[str, ...]:
    """The answers that a question of the toy world can have in training, each equally likely, told by its text."""
    words = split_words(question.text)
    if question.kind == "colour":
        named = next((word for word in words if word in SHAPES), None)
        return tuple(colour for colour in COLOURS if (colour, named) not in HELD_OUT)
    if question.kind == "shape":
        named = next((word for word in words if word in COLOURS), None)
        return tuple(shape for shape in SHAPES if (named, shape) not in HELD_OUT)
    return NUMBERS if question.kind == "count" else YES_NO
