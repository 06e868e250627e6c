r"""The words, how often each is read, and how often each is drawn as noise (Mikolov et al. 2013b, arXiv 1310.4546,
sections 2.2 and 2.3).

A vocabulary is a list of words, the most frequent first, with their counts. Everything else here is a vector with a
number for each word: the probability with which it is kept when the corpus is read, and with which it is drawn as a
negative sample.

What differs: equation 5 of the paper and the authors' code do not say the same about frequent words. Both forms are
here, ``keep_probability_paper`` and ``keep_probability``; training uses the code's, as gensim does.
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
    """Words with their counts in the corpus, the most frequent first."""

    words: tuple[str, ...]
    counts: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """The number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def numbers(self, sentence: Iterable[str]) -> list[int]:
        """The numbers of a sentence's words; a word that is not in the vocabulary leaves no gap."""
        return [self.index[word] for word in sentence if word in self.index]


def build_vocabulary(counts: Counter[str], min_count: int = 1) -> Vocabulary:
    """The words that occur at least ``min_count`` times; of two equally frequent ones, the first to be seen is first.

    Raises:
        ValueError: if fewer than two words are left: there would be nothing to tell apart.
    """
    kept = [(word, count) for word, count in counts.most_common() if count >= min_count]
    if len(kept) < 2:
        raise ValueError(
            f"min_count must leave two words or more, got {min_count}, which leaves {len(kept)} of {len(counts)}"
        )
    return Vocabulary(*zip(*kept, strict=True))


def frequencies(counts: Sequence[int]) -> Float[Tensor, " v"]:
    """:math:`f(w)`: which part of the corpus each word is; float64."""
    counts = torch.tensor(counts, dtype=torch.float64)
    return counts / counts.sum()


def keep_probability_paper(counts: Sequence[int], sample: float | int) -> Float[Tensor, " v"]:
    r"""2013b, equation 5: a word is discarded with :math:`P(w) = 1 - \sqrt{t / f(w)}`, and kept otherwise.

    Args:
        sample: the threshold t, above 0; words less frequent than that are always kept.
    """
    return (sample / frequencies(counts)).sqrt().clamp(max=1)  # 1 - P(w)


def keep_probability(counts: Sequence[int], sample: float | int) -> Float[Tensor, " v"]:
    r"""The authors' code, and gensim: a word is kept with :math:`\sqrt{t / f(w)} + t / f(w)`, if that is below 1.

    The second summand keeps more of the frequent words: where f = t all of them in both forms, where f = 100 t
    0.11 instead of 0.10, and words up to 2.6 t are never discarded.

    Args:
        sample: the threshold t; 0 keeps every word.
    """
    ratio = sample / frequencies(counts)  # t / f(w)
    return (ratio.sqrt() + ratio).clamp(max=1) if sample else torch.ones(len(counts), dtype=torch.float64)


def noise_distribution(counts: Sequence[int], power: float | int = 0.75) -> Float[Tensor, " v"]:
    r"""2013b, section 2.2: :math:`P_n(w) = U(w)^{3/4} / Z`, between the words' frequencies and all equally often."""
    return (power * frequencies(counts).log()).softmax(dim=0)  # U(w)^¾ / Z, by logarithms: no power is too large


def draw_noise(noise: Float[Tensor, " v"], size: tuple[int, ...], generator: torch.Generator) -> Int[Tensor, "..."]:
    """Words' numbers, drawn independently from ``noise``: a uniform number falls into one word's part of [0, 1)."""
    ends = noise.cumsum(0)  # (v,), where each word's part ends
    uniform = torch.rand(size, dtype=torch.float64, generator=generator)
    return torch.searchsorted(ends / ends[-1], uniform, right=True)
