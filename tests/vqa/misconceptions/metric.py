"""Wrong VQA accuracies that people really write. Each must fail the tests of ``vqa.metric``."""

import re

from vqa.metric import normalize_answer, strip_marks, strip_punctuation


def _mean_without_one(said, truths):
    n, k = len(truths), truths.count(said)
    return float(k) if n == 1 else (k * min(k - 1, 3) + (n - k) * min(k, 3)) / (3 * n)


def _truths(answers, change=strip_punctuation):
    return [change(answer) for answer in answers] if len(set(answers)) > 1 else list(answers)


def nobody_left_out(prediction, answers):
    """Tempting because it is the paper's formula, min(n/3, 1) over all ten; three who agree then give 1 and not 0.9."""
    matches = _truths(answers).count(normalize_answer(prediction))
    return min(matches / 3, 1)


def fraction_of_annotators(prediction, answers):
    """Tempting because it is a mean; but four who agree are enough, the other six need not."""
    return _truths(answers).count(normalize_answer(prediction)) / len(answers)


def majority_only(prediction, answers):
    """Tempting because the training's label is the majority answer; the metric also pays for what fewer people said."""
    truths = _truths(answers)
    return float(normalize_answer(prediction) == max(sorted(truths), key=truths.count))


def truths_normalized_in_full(prediction, answers):
    """Tempting because it is fair to both sides; the authors' code leaves "two" alone in a ground truth."""
    return _mean_without_one(normalize_answer(prediction), _truths(answers, normalize_answer))


def truths_stripped_always(prediction, answers):
    """Tempting because the condition looks like an optimisation; where all agree the code keeps the truth as it is."""
    return _mean_without_one(normalize_answer(prediction), [strip_punctuation(answer) for answer in answers])


def decimals_lost(prediction, answers):
    """Tempting because a period is punctuation; "2.5" becomes "25"."""
    said = normalize_answer(prediction.replace(".", ""))
    return _mean_without_one(said, _truths(answers, lambda answer: strip_marks(answer).replace(".", "")))


def all_punctuation_removed(prediction, answers):
    """Tempting because it is one line (and what SQuAD does); "t-shirt" becomes "tshirt" and "it's" becomes "its"."""
    said = " ".join(normalize_answer(re.sub(r"[^\w\s.]", "", prediction)).split())
    return _mean_without_one(said, _truths(answers))


def apostrophes_left_out(prediction, answers):
    """Tempting because nobody expects spelling in a metric; "dont" is then never the annotators' "don't"."""
    words = strip_punctuation(prediction.strip()).lower().split()
    numbers = dict(zip(("none", "zero", "one", "two", "three"), "00123", strict=True))
    said = " ".join(numbers.get(word, word) for word in words if word not in ("a", "an", "the"))
    return _mean_without_one(said, _truths(answers))


ALL = (
    nobody_left_out,
    fraction_of_annotators,
    majority_only,
    truths_normalized_in_full,
    truths_stripped_always,
    decimals_lost,
    all_punctuation_removed,
    apostrophes_left_out,
)
