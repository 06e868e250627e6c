r"""CIDEr-D (Vedantam et al. 2015, arXiv 1411.5726, equations 1 and 4), as ``pycocoevalcap`` computes it.

Every caption is a vector with one number for each n-gram: how often it comes, times how rare it is (TF-IDF). A caption
is compared with each reference of its image by the cosine of both vectors. So "a dog on" counts little, because many
images have it, and what is special about this image counts much.

CIDEr-D adds two things against captions that please the metric and no reader. A word that is repeated counts at most as
often as in the reference, and a caption of another length than the reference loses.

Where the paper and the code differ, this is as in the code. Each row is a test.

| | here and pycocoevalcap | the paper |
| --- | --- | --- |
| TF | the count | the count over all n-grams of the caption; without clipping the cosine is the same |
| length of a caption | its bigrams | its words; the differences are equal, unless a caption is empty |
| an n-gram that no reference has | IDF as if one image had it | infinite |
| one image alone | 0: log 1 = 0 is every word's IDF | the same |

The images that are scored together give the IDF. So a part of a dataset has other values than the whole.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from show_attend_tell.extensions.metrics.words import Ngram, Words, check_references, ngrams

ORDER = 4  # the longest n-grams
SIGMA = 6.0  # of the penalty on the difference in length, in words
FACTOR = 10.0


class Vector(NamedTuple):
    """A caption as TF-IDF numbers."""

    values: list[dict[Ngram, float]]  # g_n, for n = 1 to ORDER
    norms: list[float]  # their lengths
    length: int  # bigrams in the caption


def documents(references: Sequence[Sequence[Words]]) -> Counter[Ngram]:
    r"""For each n-gram, how many images have it in a reference: :math:`\sum_{I_p} \min(1, \sum_q h_k(s_{pq}))`."""
    found: Counter[Ngram] = Counter()
    for group in references:
        found.update({piece for words in group for n in range(1, ORDER + 1) for piece in ngrams(words, n)})
    return found


def tf_idf(words: Words, images_with: Mapping[Ngram, int], images: int) -> Vector:
    r"""Equation 1: :math:`g_k(s) = h_k(s) \log \frac{|I|}{\text{images that have } k}`, with the plain count as TF."""
    values = []
    for n in range(1, ORDER + 1):
        counts = ngrams(words, n)
        values.append({piece: h * math.log(images / max(1, images_with[piece])) for piece, h in counts.items()})
    norms = [math.sqrt(sum(value**2 for value in numbers.values())) for numbers in values]
    return Vector(values, norms, max(0, len(words) - 1))


def similarity(c: Vector, s: Vector) -> float:
    r"""CIDEr-D, equation 4 without its factor 10, of one caption c and one reference s, the mean over n:

    .. math:: e^{-(l(c) - l(s))^2 / 2\sigma^2} \; \frac{\min(g^n(c), g^n(s)) \cdot g^n(s)}{\|g^n(c)\| \|g^n(s)\|}
    """
    total = 0.0
    for of_c, of_s, norm_c, norm_s in zip(c.values, s.values, c.norms, s.norms, strict=True):
        if norm_c and norm_s:
            clipped = sum(min(value, of_s[piece]) * of_s[piece] for piece, value in of_c.items() if piece in of_s)
            total += clipped / (norm_c * norm_s)
    return math.exp(-((c.length - s.length) ** 2) / (2 * SIGMA**2)) * total / ORDER


def cider_d(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> tuple[float, list[float]]:
    """The mean over all images, and each image's own number: ten times the mean similarity to its references.

    Raises:
        ValueError: if a caption has no reference, or there is no caption.
    """
    check_references(candidates, references)
    images_with = documents(references)
    scores = []
    for candidate, group in zip(candidates, references, strict=True):
        c = tf_idf(candidate, images_with, len(references))
        similarities = [similarity(c, tf_idf(words, images_with, len(references))) for words in group]
        scores.append(FACTOR * sum(similarities) / len(group))
    return sum(scores) / len(scores), scores
