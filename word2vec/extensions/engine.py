r"""The block engine: skip-gram with negative sampling on real text, with gradients written by hand (Mikolov et al.
2013b, equation 4).

The authors' loop takes one pair after the other: six short products of vectors, then seven vectors change. Here the
text is cut into **rows** of ``ROW`` consecutive words. The neighbours of a row's words all stand in one **band**, the
row itself with one window on either side, and the words of a row share their noise. So everything that a row's words
are compared with is one small matrix: the vectors of its band and of its noise. All scores are one product of
matrices, the gradients of both sides are two more, and a **block** of rows goes through them at once. Scores of words
in the band that are no neighbours are computed in vain; this costs less than the matrix form saves.

One pair's loss is that of the core with as many draws as a row has noise: the noise of equation 4 is an expectation, so
``negatives`` times the mean over the row's draws estimates it. With the same pairs and the same noise, and where the
bound is not reached, a block's step is the one that ``word2vec.train`` would take by plain gradient descent on the sum
of its pairs' losses; a test compares them.

**The bound.** Within a block all gradients are taken at the same place. For a word that stands in a block a hundred
times they point to the same side, and their sum goes a hundred times as far as one would: past the minimum, then back
by more, until numbers overflow. A word's step is a sum of terms, each a rate times a number below 1 times a vector.
Where the sum of these rates over a block exceeds ``BOUND``, the word's whole step is scaled down so that it does not.
Why that helps: the logistic loss bends by at most 1/4, so steps along a vector u with rates that sum up to r come to
rest while r |u|²/4 < 2; with r = 1.5 that is up to |u| = 2.3, and where vectors are longer most scores are far from 0
and the loss bends less. This is an argument and no proof; tests look at the worst texts that we could think of.

The bound is part of the learning rate, and no mere safety net. A centre with ten neighbours has rates of
10 (1 + k) · 0.05 = 3 in its own right. At the first rate most words of a block are scaled in W, at a tenth of it few;
``python -m bench bound`` counts them.

What differs from the authors' code: the bound; the noise is shared; all words of a block are compared before any of
them changes; a word of noise may be a true neighbour; rates fall once a stretch of text and not every 10,000 words.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid, pad

from word2vec.model import SkipGram
from word2vec.pairs import Text, reach
from word2vec.vocabulary import draw_noise

ROW = 32  # words that share their noise
NOISE = 48  # words of noise for each row
ROWS = 32  # in a block
BOUND = 1.5  # the sum of the rates with which one block may move a word's vector

Rows = tuple[Int[Tensor, "n l"], Int[Tensor, "n others"], Int[Tensor, "n l"]]


class Engine:
    """Learns from stretches of text, and changes the tables of ``model`` in place. For the CPU.

    Args:
        model: what learns.
        noise: how likely each word is to be drawn as noise.
        window: the largest window, in words on each side.
        negatives: how much the noise weighs beside a neighbour, k of equation 4.
        bound: see above; infinity for none.
    """

    def __init__(
        self, model: SkipGram, noise: Float[Tensor, " v"], window: int, negatives: int, bound: float | int = BOUND
    ) -> None:
        self.centre, self.context = model.centre.detach(), model.context.detach()  # they share the model's memory
        self.noise, self.window, self.bound = noise, window, bound
        self.neighbours, self.weights = (table.to(self.centre) for table in patterns(window, negatives))
        self.sums = self.centre.new_zeros(len(noise))  # zero, but while ``limit`` is at work

    def learn(self, text: Text, rate: float, generator: torch.Generator) -> float:
        """Goes through a text once. Gives the mean loss of a pair in its first block, in nats, as it was before."""
        targets, weights = rate * self.neighbours, rate * self.weights
        loss = math.nan
        for block in self.blocks(text, generator):
            if math.isnan(loss):
                loss = self.loss(*block)
            self.step(*block, targets, weights)
        return loss

    def blocks(self, text: Text, generator: torch.Generator) -> Iterator[Rows]:
        """A text in blocks of rows: the centres of each row, what they are compared with (the row's band, then its
        noise), and for each centre the line of the patterns that tells which of these are its neighbours.

        The last row is filled up with words that have no neighbours.
        """
        n = math.ceil(len(text.numbers) / ROW)
        if n == 0:
            return
        left, right = reach(text)
        lines = (left * (self.window + 1) + right) * ROW + torch.arange(len(left)) % ROW
        missing = n * ROW - len(lines)
        lines = pad(lines, (0, missing)).view(n, ROW)  # line 0 has no neighbours
        words = pad(text.numbers, (self.window, self.window + missing))
        band = words.unfold(0, ROW + 2 * self.window, ROW)  # (n, b)
        others = torch.cat([band, draw_noise(self.noise, (n, NOISE), generator)], dim=1)
        centres = band[:, self.window : self.window + ROW]
        yield from zip(centres.split(ROWS), others.split(ROWS), lines.split(ROWS), strict=True)

    def step(self, centres: Tensor, others: Tensor, lines: Tensor, targets: Tensor, weights: Tensor) -> None:
        """One step of gradient descent for a block.

        ``targets`` and ``weights`` are the patterns, times the learning rate.
        """
        n, row = centres.shape  # n rows of words
        centres, others, lines = centres.flatten(), others.flatten(), lines.flatten()
        v = self.centre.index_select(0, centres).view(n, row, -1)  # (n, row, d)
        u = self.context.index_select(0, others).view(n, -1, v.shape[2])  # (n, b + k, d)
        weight = weights.index_select(0, lines).view(n, row, -1)  # (n, row, b + k)
        target = targets.index_select(0, lines).view_as(weight)
        slope = target.addcmul_(weight, torch.bmm(v, u.mT).sigmoid_(), value=-1)  # −rate ∂loss/∂score: y − w σ(s)
        to_centres, to_others = torch.bmm(slope, u).flatten(0, 1), torch.bmm(slope.mT, v).flatten(0, 1)
        if self.bound < math.inf:
            self.limit(to_centres, centres, weight.sum(2).flatten())
            self.limit(to_others, others, weight.sum(1).flatten())
        self.centre.index_add_(0, centres, to_centres)
        self.context.index_add_(0, others, to_others)

    def limit(self, steps: Float[Tensor, "m d"], words: Int[Tensor, " m"], rates: Float[Tensor, " m"]) -> None:
        """Scales the steps of each word whose rates sum up to more than the bound, in place."""
        self.sums.index_add_(0, words, rates)
        steps.mul_((self.bound / self.sums.index_select(0, words)).clamp_(max=1).unsqueeze(1))
        self.sums.index_fill_(0, words, 0)

    def scaled(self, centres: Tensor, others: Tensor, lines: Tensor, rate: float) -> float:
        """Which part of a block's centres the bound would scale down in W, at this rate."""
        sums = self.sums.index_add(0, centres.flatten(), rate * self.weights[lines].sum(2).flatten())
        above = sums[centres] > (1 + 1e-6) * self.bound  # not those that rounding alone lifts above it
        return above.double().mean().item()

    def loss(self, centres: Tensor, others: Tensor, lines: Tensor) -> float:
        """The mean loss of a block's pairs, in nats: equation 4, with the row's noise for its expectation."""
        scores = torch.bmm(self.centre[centres], self.context[others].mT)  # (n, row, b + k)
        near, weight = self.neighbours[lines], self.weights[lines]
        total = (near * logsigmoid(scores) + (weight - near) * logsigmoid(-scores)).sum()
        return -(total / near.sum()).item()


def patterns(window: int, negatives: int) -> tuple[Float[Tensor, "lines others"], Float[Tensor, "lines others"]]:
    """What a centre is compared with, and how: for each number of neighbours on its left and on its right, and each
    place l in a row, a line over the band and the noise.

    Returns:
        1 for a neighbour and 0 for all others; and the weights: 1 for a neighbour, k/NOISE for noise, for each pair
        of the centre, and 0 for words of the band that are no neighbours.
    """
    counts = torch.arange(window + 1)
    left, right = counts[:, None, None, None], counts[None, :, None, None]
    offset = torch.arange(ROW + 2 * window) - window - torch.arange(ROW)[:, None]  # (l, b), seen from the centre
    near = ((-left <= offset) & (offset <= right) & (offset != 0)).double()  # (w + 1, w + 1, l, b)
    noise = ((left + right).double() * negatives / NOISE).expand(-1, -1, ROW, NOISE)
    neighbours, weights = torch.cat([near, 0 * noise], dim=3), torch.cat([near, noise], dim=3)
    return neighbours.flatten(0, 2), weights.flatten(0, 2)
