r"""Which words are neighbours (Mikolov et al. 2013a, arXiv 1301.3781, section 3.2; 2013b, equation 1 and section 2.3).

A window is measured in words on each side: with c = 5 a word has up to ten neighbours. Some texts count the whole
span and would call the same window 11. Each word draws its own window from 1 … c, so that a neighbour at distance
j is met with probability (c − j + 1)/c: near ones count more. A sentence is subsampled before windows are cut, so
that a window reaches farther where words were dropped, and no window reaches out of its sentence.

What differs: here, as in the paper, a word predicts those in its own window. In the authors' code, and in gensim, the
words in a word's window predict that word. Both meet the same pairs equally often; which word's window decides is not
the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Text:
    """A stretch of text, subsampled: the words' numbers, the sentence each stands in (never falling), and the window
    that each has drawn, in words on each side."""

    numbers: Int[Tensor, " n"]
    sentence: Int[Tensor, " n"]
    windows: Int[Tensor, " n"]


def draw_text(
    numbers: Int[Tensor, " n"],
    sentence: Int[Tensor, " n"],
    keep: Float[Tensor, " v"],
    window: int,
    generator: torch.Generator,
) -> Text:
    """Drops words and draws windows.

    Args:
        keep: with which probability each word of the vocabulary is kept.
        window: the largest window.
    """
    kept = subsample(numbers, keep, generator)
    return Text(numbers[kept], sentence[kept], draw_windows(int(kept.sum()), window, generator))


def subsample(numbers: Int[Tensor, " n"], keep: Float[Tensor, " v"], generator: torch.Generator) -> Bool[Tensor, " n"]:
    """2013b, section 2.3: for each word of a text whether it is kept, decided for each by itself."""
    return torch.rand(len(numbers), dtype=keep.dtype, generator=generator) < keep[numbers]


def draw_windows(n: int, window: int, generator: torch.Generator) -> Int[Tensor, " n"]:
    """2013a, section 3.2: "a number R in range <1; C>" for each word, all equally likely."""
    return torch.randint(1, window + 1, (n,), generator=generator)


def reach(text: Text) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """How many neighbours each word has on its left and on its right: its window, cut at the ends of its sentence."""
    _, sentence, lengths = text.sentence.unique_consecutive(return_inverse=True, return_counts=True)
    last = lengths.cumsum(0)[sentence] - 1  # (n,), the place of the sentence's last word
    first = last + 1 - lengths[sentence]
    place = torch.arange(len(text.numbers))
    return torch.minimum(text.windows, place - first), torch.minimum(text.windows, last - place)


def skip_gram_pairs(text: Text) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """Every pair (centre, context) of equation 1, in the order of their distance."""
    left, right = reach(text)
    numbers, place = text.numbers, torch.arange(len(text.numbers))
    centres, contexts = [numbers[:0]], [numbers[:0]]
    for j in range(1, int(torch.stack([left, right]).max()) + 1 if len(place) else 1):
        for side, offset in ((left, -j), (right, j)):
            centre = place[side >= j]
            centres.append(numbers[centre])  # w_t
            contexts.append(numbers[centre + offset])  # w_{t+j}, -c ≤ j ≤ c, j ≠ 0
    return torch.cat(centres), torch.cat(contexts)


def skip_gram_pairs_spec(sentence: Sequence[int], windows: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of one sentence, as equation 1 sums over them: for each place t, all offsets within its window."""
    pairs = []
    for t, (word, c) in enumerate(zip(sentence, windows, strict=True)):
        for j in range(-c, c + 1):
            if j != 0 and 0 <= t + j < len(sentence):
                pairs.append((word, sentence[t + j]))
    return pairs
