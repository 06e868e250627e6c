r"""The accuracy of VQA (Antol et al. 2015, arXiv 1505.00468, section 3, "Testing").

Ten annotators answered each question. An answer that n of them gave has the accuracy :math:`\min(n/3, 1)`. A machine
and a human annotator are measured in the same way: the accuracy is averaged over all sets of nine of the ten
annotators. That is why an answer of three annotators has 0.9, and an answer of four has 1.

Answers are compared as strings. ``vqa.answer_text`` first normalises them as the authors' code does.

What differs from the paper: with a single answer, as in the toy world, nobody can be left out. The accuracy is then 1
for the same string and 0 for any other.
"""

from collections.abc import Sequence

ENOUGH = 3  # annotators whose agreement makes an answer right


def agreement(n: int) -> float:
    r"""Section 3: :math:`\text{accuracy} = \min(n/3, 1)`, for an answer that n annotators gave."""
    return min(n / ENOUGH, 1.0)


def mean_agreement_spec(prediction: str, answers: Sequence[str]) -> float:
    r"""The mean over the annotators j: :math:`\frac{1}{N} \sum_j \min(n_j/3, 1)`.

    :math:`n_j` of the others, without j, gave this answer.
    """
    if len(answers) == 1:
        return float(prediction == answers[0])
    accuracies = []
    for left_out in range(len(answers)):
        others = [answer for j, answer in enumerate(answers) if j != left_out]
        accuracies.append(agreement(others.count(prediction)))  # min(n_j / 3, 1)
    return sum(accuracies) / len(accuracies)


def mean_agreement_of_matches(k: int, annotators: int) -> float:
    r"""The mean for an answer that k of N annotators gave. For N = 10: 0, 0.3, 0.6, 0.9, and 1 from k = 4 on.

    Without one of the k annotators who gave it, k − 1 are left; without one of the N − k others, k are left:
    :math:`\frac{1}{N}\left[k \min(\tfrac{k-1}{3}, 1) + (N-k) \min(\tfrac{k}{3}, 1)\right]`. It needs N ≥ 4 to reach 1.
    """
    if annotators == 1:
        return float(k)
    return (k * agreement(k - 1) + (annotators - k) * agreement(k)) / annotators


def mean_agreement(prediction: str, answers: Sequence[str]) -> float:
    """``mean_agreement_spec``, but the matches are counted once."""
    return mean_agreement_of_matches(answers.count(prediction), len(answers))
