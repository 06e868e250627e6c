r"""BLEU (Papineni et al. 2002, "BLEU: a method for automatic evaluation of machine translation", section 2).

BLEU counts which n-grams of a caption are in its references. It belongs to a whole corpus: matches and n-grams are
added up over all captions before they are divided. BLEU-n is the geometric mean of the precisions for 1 to n words,
times a penalty for captions that are shorter than their references.

"Show, Attend and Tell" (section 5) reports BLEU **without** the brevity penalty; other papers report it with. So
both are here. Values are between 0 and 1; papers multiply them by 100.

Where libraries differ, this is as in the paper: no smoothing, so one precision of 0 makes BLEU 0. Each row is a test.

| | here | pycocoevalcap | nltk | sacrebleu |
| --- | --- | --- | --- | --- |
| range | 0 to 1 | 0 to 1 | 0 to 1 | 0 to 100 |
| a precision of 0 | BLEU is 0 | 1e-15 in place of 0 | 2e-308 in place of 0, a warning | "exp": half, a quarter, … |
| no caption has n words | BLEU-n is 0 | 1e-15 / 1e-9 in place of p_n | 2e-308 in place of p_n | 0 |
| one caption has fewer than n words | no n-gram | no n-gram | one that does not match | no n-gram |
| two references equally near in length | the shorter | the shorter | the shorter | the shorter |
| words of a text | given as a list | split at spaces | given as a list | its own tokenizer, "13a" |
| all captions empty | 0 | 0 | 0 | 0 |
"""

import math
from collections import Counter
from collections.abc import Sequence

from show_attend_tell.extensions.metrics.words import Words, check_references, ngrams


def closest_length(candidate: Words, references: Sequence[Words]) -> int:
    """Section 2.2.2: the "best match length". Of two that are equally near, the shorter one."""
    return min((len(reference) for reference in references), key=lambda r: (abs(r - len(candidate)), r))


def clipped_matches(candidate: Words, references: Sequence[Words], n: int) -> tuple[int, int]:
    r"""Section 2.1: the n-grams that match, :math:`\sum \min(\text{count}, \text{max count in a reference})`; and all.

    "The the the" matches "the cat" once and not three times.
    """
    counts = ngrams(candidate, n)
    most = Counter()
    for reference in references:
        most |= ngrams(reference, n)  # the larger of both counts
    return (counts & most).total(), counts.total()  # & takes the smaller of both counts


def brevity_penalty(c: int, r: int) -> float:
    r"""Section 2.3: 1 if c > r, else :math:`e^{1 - r/c}`. All captions have c words, the closest references r."""
    if c == 0:
        return 0.0
    return min(1.0, math.exp(1 - r / c))


def bleu(
    candidates: Sequence[Words], references: Sequence[Sequence[Words]], order: int = 4, brevity: bool = True
) -> list[float]:
    r"""Section 2.3, for BLEU-1 to BLEU-``order``: :math:`\mathrm{BP} \cdot \exp\left(\sum_n \frac1N \log p_n\right)`.

    Args:
        candidates: a caption for each image, as a list of words.
        references: for each image all the captions that people wrote.
        order: N, the longest n-grams.
        brevity: whether there is the brevity penalty; without it BP is 1.

    Raises:
        ValueError: if a caption has no reference, or there is no caption.
    """
    check_references(candidates, references)
    c = sum(len(candidate) for candidate in candidates)
    r = sum(map(closest_length, candidates, references))
    penalty = brevity_penalty(c, r) if brevity else 1.0
    values, product = [], 1.0
    for n in range(1, order + 1):
        pairs = [clipped_matches(*pair, n) for pair in zip(candidates, references, strict=True)]
        matches, total = map(sum, zip(*pairs, strict=True))
        product *= matches / total if total else 0.0  # p_1 · … · p_n
        values.append(penalty * product ** (1 / n))
    return values
