r"""Vocabulary, subsampling and noise distribution (Mikolov et al. 2013b, arXiv 1310.4546, sections 2.2 and 2.3).

A vocabulary is a list of words with their counts, the most frequent word first. A word's place in the list is its id.
The other functions return one probability for each word: that it is kept when the text is read, or that it is drawn as
a noise word.

What differs: equation 5 of the paper and the authors' code treat frequent words differently. Both are here,
``keep_probability_paper`` and ``keep_probability``. Training uses the form of the code, as gensim does.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Vocabulary:
    """Words with their counts in the corpus, the most frequent word first."""

    words: tuple[str, ...]
    counts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """The id of each word."""
        return {word: i for i, word in enumerate(self.words)}

    def ids(self, sentence: Iterable[str]) -> list[int]:
        """The ids of a sentence's words. Unknown words are left out.

        Raises:
            ValueError: if the sentence is one string: its letters would be taken for words.
        """
        if isinstance(sentence, str):
            raise ValueError(f"sentence must be a list of words, got the string {sentence!r}: split it first")
        return [self.index[word] for word in sentence if word in self.index]


def build_vocabulary(counts: Counter[str], min_count: int = 1) -> Vocabulary:
    """The words with at least ``min_count`` occurrences; words with equal counts keep the order of ``counts``.

    Raises:
        ValueError: if fewer than two words are left.
    """
    kept = [(word, count) for word, count in counts.most_common() if count >= min_count]
    if len(kept) < 2:
        raise ValueError(
            f"min_count must leave two words or more, got {min_count}, which leaves {len(kept)} of {len(counts)}"
        )
    return Vocabulary(*zip(*kept, strict=True))


def frequencies(counts: Sequence[int]) -> Float[Tensor, " v"]:
    """:math:`f(w)`: each word's share of the corpus, in float64."""
    counts = torch.tensor(counts, dtype=torch.float64)
    return counts / counts.sum()


def keep_probability_paper(counts: Sequence[int], sample: float | int) -> Float[Tensor, " v"]:
    r"""2013b, equation 5: a word is discarded with probability :math:`P(w) = 1 - \sqrt{t / f(w)}`; this is 1 - P(w).

    Args:
        counts: of the words in the corpus.
        sample: the threshold t, above 0. Words that are less frequent are always kept.
    """
    return (sample / frequencies(counts)).sqrt().clamp(max=1)  # 1 - P(w) = √(t / f(w))


def keep_probability(counts: Sequence[int], sample: float | int) -> Float[Tensor, " v"]:
    r"""The form of the authors' code and of gensim: a word is kept with probability :math:`\sqrt{t / f(w)} + t / f(w)`,
    at most 1.

    The second term keeps more of the frequent words. For f = 100 t it gives 0.11 instead of 0.10, and words up to
    f = 2.6 t are never discarded.

    Args:
        counts: of the words in the corpus.
        sample: the threshold t; 0 keeps every word.
    """
    ratio = sample / frequencies(counts)  # t / f(w)
    return (ratio.sqrt() + ratio).clamp(max=1) if sample else torch.ones(len(counts), dtype=torch.float64)


def noise_distribution(counts: Sequence[int], power: float | int = 0.75) -> Float[Tensor, " v"]:
    r"""2013b, section 2.2: :math:`P_n(w) = U(w)^{3/4} / Z`, where U(w) is the unigram distribution.

    Args:
        counts: of the words in the corpus.
        power: the exponent; 0 makes all words equally probable.
    """
    powers = frequencies(counts) ** power  # U(w)^¾
    return powers / powers.sum()  # U(w)^¾ / Z


def draw_noise(
    distribution: Float[Tensor, " v"], size: tuple[int, ...], generator: torch.Generator
) -> Int[Tensor, "..."]:
    """Word ids, drawn independently from a noise distribution: each word owns a part of [0, 1) of its probability's
    length, and a uniform number falls into one of the parts.

    Args:
        distribution: the probability of each word, for example from ``noise_distribution``.
        size: the shape of the result, for example (pairs, negatives).
        generator: of random numbers.
    """
    ends = distribution.cumsum(0)  # (v,), the upper end of each word's part
    uniform = torch.rand(size, dtype=torch.float64, generator=generator)
    return torch.searchsorted(ends / ends[-1], uniform, right=True)  # the last end is exactly 1, also after rounding
