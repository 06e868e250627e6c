r"""Pairs of a centre word and a context word (Mikolov et al. 2013a, arXiv 1301.3781, section 3.2; 2013b, equation 1 and
section 2.3).

A window is measured in words on each side: with c = 5 a word has up to ten neighbours. Each word draws its own window
from 1 … c. So a neighbour at distance j is in the window with probability (c - j + 1)/c: near words count more.
Frequent words are dropped before windows are drawn, so a window reaches over dropped words. A window ends at its
sentence's end.

What differs: here, as in the paper, a centre predicts the words of its own window. In the authors' code and in gensim
the words of a word's window predict that word. Both give the same pairs on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Text:
    """A subsampled text, word by word."""

    ids: Int[Tensor, " n"]  # of the words
    sentence: Int[Tensor, " n"]  # the number of the word's sentence, in ascending order
    windows: Int[Tensor, " n"]  # the window that the word has drawn, in words on each side


def skip_gram_pairs_spec(sentence: Sequence[int], windows: Sequence[int]) -> list[tuple[int, int]]:
    """The pairs of one sentence, as equation 1 sums over them: for each position t, all offsets j in its window.

    The sentence [7, 8, 9] with the windows [1, 1, 2] has the pairs (7, 8), (8, 7), (8, 9), (9, 7), (9, 8).
    """
    pairs = []
    for t, (centre, c) in enumerate(zip(sentence, windows, strict=True)):
        for j in range(-c, c + 1):
            if j != 0 and 0 <= t + j < len(sentence):
                pairs.append((centre, sentence[t + j]))  # (w_t, w_{t+j}), -c ≤ j ≤ c, j ≠ 0
    return pairs


def skip_gram_pairs(text: Text) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    r"""The pairs :math:`(w_t, w_{t+j})` of 2013b, equation 1, as centre ids and context ids, ordered by distance."""
    left, right = reach(text)
    ids, position = text.ids, torch.arange(len(text.ids))
    centres, contexts = [ids[:0]], [ids[:0]]
    farthest = int(torch.maximum(left, right).max()) if len(ids) else 0  # the largest distance, in words
    for j in range(1, farthest + 1):
        for side, offset in ((left, -j), (right, j)):
            t = position[side >= j]  # the words that have a neighbour at this offset
            centres.append(ids[t])  # w_t
            contexts.append(ids[t + offset])  # w_{t+j}, -c ≤ j ≤ c, j ≠ 0
    return torch.cat(centres), torch.cat(contexts)


def reach(text: Text) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
    """The number of neighbours of each word on its left and on its right: its window, cut at its sentence's ends."""
    _, sentence, lengths = text.sentence.unique_consecutive(return_inverse=True, return_counts=True)
    last = lengths.cumsum(0)[sentence] - 1  # (n,), the position of the sentence's last word
    first = last + 1 - lengths[sentence]
    position = torch.arange(len(text.ids))
    return torch.minimum(text.windows, position - first), torch.minimum(text.windows, last - position)


def draw_text(
    ids: Int[Tensor, " n"],
    sentence: Int[Tensor, " n"],
    keep: Float[Tensor, " v"],
    window: int,
    generator: torch.Generator,
) -> Text:
    """Drops words, then draws the windows of the words that are left.

    Args:
        ids: of the words of the text.
        sentence: the number of each word's sentence.
        keep: the probability with which each word of the vocabulary is kept.
        window: the largest window.
        generator: of random numbers.
    """
    kept = subsample(ids, keep, generator)
    return Text(ids[kept], sentence[kept], draw_windows(int(kept.sum()), window, generator))


def subsample(ids: Int[Tensor, " n"], keep: Float[Tensor, " v"], generator: torch.Generator) -> Bool[Tensor, " n"]:
    """2013b, section 2.3: whether each word of a text is kept. Every occurrence is decided independently."""
    return torch.rand(len(ids), dtype=keep.dtype, generator=generator) < keep[ids]


def draw_windows(n: int, window: int, generator: torch.Generator) -> Int[Tensor, " n"]:
    """2013a, section 3.2: "a number R in range <1; C>" for each of n words, uniformly."""
    return torch.randint(1, window + 1, (n,), generator=generator)
