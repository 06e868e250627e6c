"""Wrong VQA accuracies that people really write. Each must fail the tests of ``vqa.metric`` or of
``vqa.answer_text``."""

import re

from vqa.answer_text import normalize_answer, strip_marks, strip_periods, strip_punctuation, trim
from vqa.metric import mean_agreement

# The mean over the annotators: (prediction, answers) are compared as they are.


def nobody_left_out(prediction, answers):
    """Tempting because it is the paper's formula, min(n/3, 1), over all ten; three who agree then give 1, not 0.9."""
    return min(answers.count(prediction) / 3, 1)


def fraction_of_annotators(prediction, answers):
    """Tempting because it is a mean; but four who agree are enough, whatever the other six say."""
    return answers.count(prediction) / len(answers)


def majority_only(prediction, answers):
    """Tempting because the label in training is the majority answer; the metric also accepts what fewer people said."""
    return float(answers.count(prediction) > len(answers) / 2)


def own_answer_counts_too(prediction, answers):
    """Tempting because "compare with the other nine" is easily written as ``answer != left_out``; but that also drops
    all others who gave the same answer."""
    accuracies = [
        min(sum(answer == prediction for answer in answers if answer != left_out) / 3, 1) for left_out in answers
    ]
    return sum(accuracies) / len(accuracies)


# How answers are written before they are compared.


def _agree(answers):
    return len(set(answers)) == 1


def normalized_even_if_all_agree(prediction, answers):
    """Tempting because the condition looks like an optimisation; where all agree the official code changes nothing."""
    return mean_agreement(normalize_answer(prediction), [normalize_answer(answer) for answer in answers])


def only_the_prediction_normalized(prediction, answers):
    """Tempting because annotators seem to write well (and it was so until 2021, apart from punctuation); "two" of the
    annotators can then never be reached."""
    return mean_agreement(
        normalize_answer(prediction), answers if _agree(answers) else [strip_punctuation(answer) for answer in answers]
    )


def decimals_lost(prediction, answers):
    """Tempting because a period is punctuation; "2.5" becomes "25"."""
    write = (lambda text: text) if _agree(answers) else (lambda text: normalize_answer(text.replace(".", "")))
    return mean_agreement(write(prediction), [write(answer) for answer in answers])


def all_punctuation_removed(prediction, answers):
    """Tempting because it is one line (SQuAD does so); "t-shirt" becomes "tshirt", which "t shirt" does not equal."""
    write = (lambda text: text) if _agree(answers) else (lambda text: normalize_answer(re.sub(r"[^\w\s.]", "", text)))
    return mean_agreement(write(prediction), [write(answer) for answer in answers])


def apostrophes_left_out(prediction, answers):
    """Tempting because nobody expects spelling in a metric; "dont" is then never the annotators' "don't"."""

    def write(text):
        words = strip_periods(strip_marks(text.strip())).lower().split()
        numbers = dict(zip(("none", "zero", "one", "two", "three"), "00123", strict=True))
        return " ".join(numbers.get(word, word) for word in words if word not in ("a", "an", "the"))

    write = trim if _agree(answers) else write
    return mean_agreement(write(prediction), [write(answer) for answer in answers])
