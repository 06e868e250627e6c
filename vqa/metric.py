r"""The accuracy of VQA (Antol et al. 2015, section 3, "Testing"), as the authors' ``vqaEval.py`` computes it.

Ten people answered each question, and an answer is right when at least three of them gave it. So that machines and
people are measured alike, the accuracy :math:`\min(n/3, 1)` is averaged over the ten sets of nine people that remain
when one is left out. Answers are compared as strings, therefore a prediction is first written in one way:
line breaks → punctuation → lower case → number words → articles → apostrophes, in this order.

What differs from the paper: it says in one sentence that lower case, digits, punctuation and articles are seen to,
and leaves the rest to the code. What is odd in the code is kept, since it defines the published numbers; each oddity
is told where it stands. Ground truths only lose punctuation, and only where the annotators disagree, while
predictions are always normalised in full. (A later version of the code normalises both in full where the annotators
disagree, and neither where all agree.) One thing is ours: with a single answer, as in a made world, nobody can be
left out, and the accuracy is plain equality.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

MARKS = ';/[]"{}()=+\\_-><@`,?!'  # the colon, the apostrophe, %, $, & and others are no marks and stay
MOST_PERIODS = 32  # the value of re.UNICODE, which the authors' code passes where re.sub expects a count
NEEDED = 3  # so many people must have given an answer to make it right
ARTICLES = ("a", "an", "the")
NUMBER_WORDS = "zero one two three four five six seven eight nine ten"
DIGITS = MappingProxyType({"none": "0"} | {word: str(number) for number, word in enumerate(NUMBER_WORDS.split())})
CONTRACTIONS = """
    ain't aren't can't couldn't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't needn't oughtn't
    shan't shouldn't wasn't weren't won't wouldn't he'd how'd it'd someone'd something'd there'd they'd where'd who'd
    you'd how'll it'll somebody'll someone'll something'll they'll what'll who'll why'll you'll there're they're
    what're why're you're he's how's somebody's someone's that's there's what's when's where's who's why's could've
    might've must've not've should've they've we've what've where've who've would've you've ma'am o'clock 'twas y'all
    couldn't've hadn't've mightn't've shouldn't've wouldn't've he'd've it'd've she'd've somebody'd've someone'd've
    something'd've there'd've they'd've we'd've who'd've y'all'd've you'd've y'all'll 'ow's'at"""
APOSTROPHES = MappingProxyType(  # each contraction, found by what is left of it when exactly one apostrophe is missing
    {word[:i] + word[i + 1 :]: word for word in CONTRACTIONS.split() for i, letter in enumerate(word) if letter == "'"}
    | {"somebody'd": "somebodyd"}  # the other way round: a slip of the authors' table, kept
)


def strip_marks(text: str) -> str:
    """Each mark becomes a space ("t-shirt" → "t shirt"), or nothing where it touches one ("red, white" → "red white").

    Whether a mark touches a space is asked once for the whole text: "t-shirt - red" becomes "tshirt  red". And where a
    comma stands between two digits anywhere, every mark becomes nothing: "1,000" → "1000", "1,000-2,000" → "10002000".
    """
    has_digit_comma = re.search(r"\d,\d", text) is not None
    stripped = text
    for mark in MARKS:
        touches_space = f"{mark} " in text or f" {mark}" in text
        stripped = stripped.replace(mark, "" if touches_space or has_digit_comma else " ")
    return stripped


def strip_periods(text: str) -> str:
    r"""Drop each period that no digit follows, 32 at most: "st. paul" → "st paul"; "2.5", ".5" and "no.1" stay.

    The authors' pattern ``(?!<=\d)(\.)(?!\d)`` was surely meant to spare a period after a digit too, with ``(?<!\d)``.
    As it is written, its first group asks whether the period is a "<", which it never is, so "3." becomes "3".
    """
    return re.sub(r"\.(?!\d)", "", text, count=MOST_PERIODS)


def strip_punctuation(text: str) -> str:
    """Marks, then periods: all that is done to a ground truth. Nothing is trimmed, so "yes!" becomes "yes " there."""
    return strip_periods(strip_marks(text))


def digits_for_number_words(words: list[str]) -> list[str]:
    """ "zero" to "ten" and "none" → "0" to "10"; larger number words stay."""
    return [DIGITS.get(word, word) for word in words]


def drop_articles(words: list[str]) -> list[str]:
    """Without "a", "an" and "the", wherever they stand: the answer "a" becomes empty."""
    return [word for word in words if word not in ARTICLES]


def restore_apostrophes(words: list[str]) -> list[str]:
    """ "dont" → "don't", "couldnt've" → "couldn't've" (one apostrophe may be missing, not two).

    "im" and "ive" stay: the authors' table has them as "Im" and "Ive", which no word in lower case equals.
    """
    return [APOSTROPHES.get(word, word) for word in words]


def normalize_answer(text: str) -> str:
    """A prediction as it is compared: "The T-shirts,\\ntwo of them." → "t shirts 2 of them"."""
    line = text.replace("\n", " ").replace("\t", " ").strip()
    words = strip_punctuation(line).lower().split()
    return " ".join(restore_apostrophes(drop_articles(digits_for_number_words(words))))


def comparable(prediction: str, answers: Sequence[str]) -> tuple[str, list[str]]:
    """The prediction and the ground truths, written such that equal strings are equal answers.

    Several answers: the prediction is normalised in full, and the ground truths lose punctuation unless all are equal.
    One answer, as in a made world: both stay as they are, since such a world writes each answer in one way only.

    Raises:
        ValueError: if there is no answer, or ``answers`` is one string instead of a sequence of them.
    """
    if isinstance(answers, str) or not answers:
        raise ValueError(f"answers must be a sequence of at least one string, got {answers!r}")
    if len(answers) == 1:
        return prediction, list(answers)
    annotators_agree = len(set(answers)) == 1
    return normalize_answer(prediction), [
        answer if annotators_agree else strip_punctuation(answer) for answer in answers
    ]


def vqa_accuracy_spec(prediction: str, answers: Sequence[str]) -> float:
    r"""The mean of :math:`\min(n/3, 1)` with each annotator left out in turn; n of the others gave this answer."""
    said, truths = comparable(prediction, answers)
    if len(truths) == 1:
        return float(said == truths[0])
    accuracies = []
    for left_out in range(len(truths)):
        n = sum(truth == said for i, truth in enumerate(truths) if i != left_out)
        accuracies.append(min(n / NEEDED, 1))
    return sum(accuracies) / len(accuracies)


def accuracy_of_matches(k: int, annotators: int) -> float:
    r"""Accuracy of an answer that k of N annotators gave; for N = 10: 0, 0.3, 0.6, 0.9, and 1 from k = 4 on.

    Leaving out one of the k who agree leaves k − 1 matches, leaving out one of the N − k others leaves k:
    :math:`\frac{1}{N}\left[k \min(\tfrac{k-1}{3}, 1) + (N-k) \min(\tfrac{k}{3}, 1)\right]`. It needs N ≥ 4 to reach 1.
    For N = 1 nobody remains to agree and the formula is 0 for either k, so there the accuracy is k itself.
    """
    if annotators == 1:
        return float(k)
    return (k * min(k - 1, NEEDED) + (annotators - k) * min(k, NEEDED)) / (NEEDED * annotators)


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    r"""Accuracy of one prediction in [0, 1]: :func:`vqa_accuracy_spec` by counting the matches once.

    Raises:
        ValueError: if there is no answer, or ``answers`` is one string instead of a sequence of them.
    """
    said, truths = comparable(prediction, answers)
    return accuracy_of_matches(truths.count(said), len(truths))


def most_frequent_answers(answer_lists: Iterable[Sequence[str]], count: int) -> tuple[str, ...]:
    """Section 5's answer vocabulary (K = 1000): the ``count`` most frequent majority answers, most frequent first.

    Each question has one vote, the answer that most of its annotators gave. Ties, within a question and between
    answers, go to what comes first in the alphabet, so the order of the annotators does not matter. (The authors read
    the majority answer out of their annotation file, and order ties as their dictionary happened to.) Answers stay as
    they were written. Fewer than ``count`` are returned where there are no more.

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


@runtime_checkable
class Answered(Protocol):
    """Anything with answers, such as a ``vqa.data.Record``."""

    answers: tuple[str, ...]


def ceiling(records: Iterable[Answered], vocabulary: Sequence[str]) -> float:
    """The mean accuracy when the best answer in ``vocabulary`` is always picked: no classifier over it does better.

    The best answer is the one that most annotators gave, because accuracy only grows with their number.

    Raises:
        ValueError: if there are no records, or one has no answer.
    """
    as_written = set(vocabulary)
    normalized = {normalize_answer(answer) for answer in vocabulary}
    best = []
    for record in records:
        _, truths = comparable("", record.answers)
        reachable = as_written if len(truths) == 1 else normalized
        k = max((count for truth, count in Counter(truths).items() if truth in reachable), default=0)
        best.append(accuracy_of_matches(k, len(truths)))
    if not best:
        raise ValueError("records must hold at least one record, got none")
    return sum(best) / len(best)
