r"""ROUGE-L (Lin 2004, "ROUGE: a package for automatic evaluation of summaries", section 3), as captions use it.

A caption and a reference share a longest common subsequence (LCS): words in the same order, others between them are
allowed. Its length, over that of the caption, is a precision; over that of the reference, a recall. ROUGE-L is their
weighted harmonic mean.

Where implementations differ, this is as in ``pycocoevalcap``, the code of MS COCO. Each row is a test.

| | here and pycocoevalcap | elsewhere |
| --- | --- | --- |
| several references | the largest precision and the largest recall, maybe of two of them | the best F (Lin's paper) |
| β | 1.2: recall counts more | 1 (``torchmetrics``); towards infinity (DUC) |
| of several captions | the mean | the mean |
| an empty caption | 0 | pycocoevalcap reads one empty word, which an empty reference has too: then 1 |
"""

from collections.abc import Sequence

from show_attend_tell.extensions.metrics.words import Words, check_references

BETA = 1.2  # how many times more important recall is than precision


def longest_common_subsequence(a: Words, b: Words) -> int:
    """Its length. Row by row, ``best[j]`` is that of the words of ``a`` so far and the first j words of ``b``."""
    best = [0] * (len(b) + 1)
    for word in a:
        before = best.copy()
        for j, other in enumerate(b, start=1):
            best[j] = before[j - 1] + 1 if word == other else max(before[j], best[j - 1])
    return best[-1]


def f_measure(precision: float, recall: float, beta: float = BETA) -> float:
    r"""Section 3.1: :math:`F = \frac{(1 + \beta^2) R P}{R + \beta^2 P}`, and 0 if both are 0."""
    if precision == 0 or recall == 0:
        return 0.0
    return (1 + beta**2) * recall * precision / (recall + beta**2 * precision)


def rouge_l_of_one(candidate: Words, references: Sequence[Words]) -> float:
    """ROUGE-L of one caption: the best precision and the best recall, which may come from two references."""
    common = [longest_common_subsequence(candidate, reference) for reference in references]
    precision = max(length / max(len(candidate), 1) for length in common)
    recall = max(length / max(len(reference), 1) for length, reference in zip(common, references, strict=True))
    return f_measure(precision, recall)


def rouge_l(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> float:
    """The mean over all captions, between 0 and 1.

    Raises:
        ValueError: if a caption has no reference, or there is no caption.
    """
    check_references(candidates, references)
    return sum(map(rouge_l_of_one, candidates, references)) / len(candidates)
