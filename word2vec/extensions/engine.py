r"""The block engine: skip-gram with negative sampling on real text, with gradients written by hand (Mikolov et al.
2013b, equation 4).

The authors' loop takes one pair after the other: six short products of vectors, then seven vectors change. Here the
text is cut into **rows** of ``ROW`` consecutive words. All neighbours of a row's words are in one **band**: the row and
one window on each side. The words of a row share their noise words. So the words of a row are compared with one small
matrix, the vectors of its band and of its noise. All scores are one matrix product, the gradients of both sides are two
more, and a **block** of rows is computed at once. Some words of the band are not neighbours of the centre. Their scores
are computed and not used, which costs less than the matrix form saves.

The loss of a pair is ``mean_noise_loss``: equation 4 contains expectations, and ``negatives`` times the mean over the
row's noise words estimates their sum. If the bound is not reached, the step of a block is a step of gradient descent on
the sum of its pairs' losses; a test compares the two.

**The bound.** All gradients of a block are computed at the same point. A word may occur a hundred times in a block. Its
gradients then point in similar directions, and their sum moves it a hundred times as far as one of them. It overreaches
the minimum, then swings back even further, until numbers overflow. The step of a word is a sum of terms; each is a rate
times a number below 1 times a vector. If the sum of a word's rates in a block exceeds ``BOUND``, its whole step is
scaled down to the bound. The reason: the second derivative of the logistic loss is at most 1/4, so steps along a vector
u with total rate r converge if r |u|²/4 < 2. With r = 1.5 this holds up to |u| = 2.3. Longer vectors have most scores
far from 0, where the second derivative is small. This is no proof. Tests try the worst texts that we could think of.

The bound is a part of the learning rate. A centre with ten neighbours has a total rate of 10 (1 + k) · 0.05 = 3 by
itself. At the first rate most words of a block are scaled in W, at a tenth of it few; ``python -m bench bound`` counts
them.

What differs from the authors' code: the bound; the noise is shared; all words of a block are compared before any of
them changes; a noise word may be a true neighbour; the rate falls once per chunk of text, not every 10,000 words.
"""

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid, pad

from word2vec.model import SkipGram
from word2vec.pairs import Text, reach
from word2vec.vocabulary import draw_noise

ROW = 32  # words that share their noise words
NOISE = 48  # noise words of each row
ROWS = 32  # rows in a block
BOUND = 1.5  # largest total rate with which one block moves a word's vector

Block = tuple[Int[Tensor, "n l"], Int[Tensor, "n others"], Int[Tensor, "n l"]]


def mean_noise_loss(
    positive_scores: Float[Tensor, " n"], noise_scores: Float[Tensor, "n draws"], negatives: int
) -> Float[Tensor, ""]:
    r"""2013b, equation 4, with its sign changed and k expectations over the same noise distribution:
    :math:`-\ln\sigma(v'_{w_O} \cdot v_{w_I}) - k\,\mathbb{E}_{w \sim P_n}[\ln\sigma(-v'_w \cdot v_{w_I})]`. The mean
    over any number of draws estimates the expectation. With k draws this is ``word2vec.loss.negative_sampling_loss``.

    ``Engine.loss`` and ``Engine.step`` compute it and its gradient block by block; this form is for tests.

    Args:
        positive_scores: the score of each centre with its context word.
        noise_scores: the scores of each centre with its noise words.
        negatives: k.
    """
    return -(logsigmoid(positive_scores) + negatives * logsigmoid(-noise_scores).mean(dim=1)).mean()


def mean_noise_loss_spec(
    positive_scores: Sequence[float], noise_scores: Sequence[Sequence[float]], negatives: int
) -> float:
    """The same in loops."""
    total = 0.0
    for positive_score, row in zip(positive_scores, noise_scores, strict=True):
        expectation = sum(math.log(1 / (1 + math.exp(noise_score))) for noise_score in row) / len(row)  # E[ln σ(-s)]
        total -= math.log(1 / (1 + math.exp(-positive_score))) + negatives * expectation
    return total / len(positive_scores)


class Engine:
    """Trains ``model`` on chunks of text by changing its tables in place. For the CPU.

    Args:
        model: is trained.
        noise_distribution: the probability of each word as noise.
        window: the largest window, in words on each side.
        negatives: k of equation 4, the weight of the noise.
        bound: see the module's docstring; infinity for none.
    """

    def __init__(
        self,
        model: SkipGram,
        noise_distribution: Float[Tensor, " v"],
        window: int,
        negatives: int,
        bound: float | int = BOUND,
    ) -> None:
        self.centre, self.context = model.centre.detach(), model.context.detach()  # they share the model's memory
        self.noise_distribution, self.window, self.bound = noise_distribution, window, bound
        self.neighbours, self.weights = (table.to(self.centre) for table in patterns(window, negatives))
        self.sums = self.centre.new_zeros(len(noise_distribution))  # zero except inside ``limit``

    def learn(self, text: Text, rate: float, generator: torch.Generator) -> float | None:
        """Trains on a text once. Returns the mean loss of a pair in the first block that has pairs, before its step, in
        nats; None if no block has any."""
        targets, weights = rate * self.neighbours, rate * self.weights
        loss = None
        for block in self.blocks(text, generator):
            if loss is None and self.neighbours[block[2]].any():
                loss = self.loss(*block)
            self.step(*block, targets, weights)
        return loss

    def blocks(self, text: Text, generator: torch.Generator) -> Iterator[Block]:
        """The blocks of a text. Each has, for its rows: the ids of the centres; the ids they are compared with (the
        row's band, then its noise words); and for each centre its line in the tables of ``patterns``.

        The last row is padded with words that have no neighbours.
        """
        n = math.ceil(len(text.ids) / ROW)
        if n == 0:
            return
        left, right = reach(text)
        lines = (left * (self.window + 1) + right) * ROW + torch.arange(len(left)) % ROW
        missing = n * ROW - len(lines)
        lines = pad(lines, (0, missing)).view(n, ROW)  # line 0 has no neighbours
        words = pad(text.ids, (self.window, self.window + missing))
        band = words.unfold(0, ROW + 2 * self.window, ROW)  # (n, b)
        others = torch.cat([band, draw_noise(self.noise_distribution, (n, NOISE), generator)], dim=1)
        centres = band[:, self.window : self.window + ROW]
        yield from zip(centres.split(ROWS), others.split(ROWS), lines.split(ROWS), strict=True)

    def step(self, centres: Tensor, others: Tensor, lines: Tensor, targets: Tensor, weights: Tensor) -> None:
        """One step of gradient descent for a block.

        ``targets`` and ``weights`` are the two tables of ``patterns``, times the learning rate.
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
        """Scales the steps of each word whose total rate exceeds the bound, in place."""
        self.sums.index_add_(0, words, rates)
        steps.mul_((self.bound / self.sums.index_select(0, words)).clamp_(max=1).unsqueeze(1))
        self.sums.index_fill_(0, words, 0)

    def scaled(self, centres: Tensor, others: Tensor, lines: Tensor, rate: float) -> float:
        """The share of a block's centres that the bound scales down in W, at this rate."""
        sums = self.sums.index_add(0, centres.flatten(), rate * self.weights[lines].sum(2).flatten())
        above = sums[centres] > (1 + 1e-6) * self.bound  # tolerates rounding
        return above.double().mean().item()

    def loss(self, centres: Tensor, others: Tensor, lines: Tensor) -> float:
        """The mean loss of a block's pairs, in nats: ``mean_noise_loss`` with the row's noise words."""
        scores = torch.bmm(self.centre[centres], self.context[others].mT)  # (n, row, b + k)
        near, weight = self.neighbours[lines], self.weights[lines]
        total = (near * logsigmoid(scores) + (weight - near) * logsigmoid(-scores)).sum()
        return -(total / near.sum()).item()


def patterns(window: int, negatives: int) -> tuple[Float[Tensor, "lines others"], Float[Tensor, "lines others"]]:
    """Two tables with one line for each number of neighbours on the left, on the right, and each position in a row. A
    line has one entry for each word of the band and each noise word.

    Returns:
        The targets, 1 for a neighbour and 0 for all others; and the weights, 1 for a neighbour, k/NOISE for a noise
        word times the number of the centre's pairs, and 0 for words of the band that are no neighbours.
    """
    counts = torch.arange(window + 1)
    left, right = counts[:, None, None, None], counts[None, :, None, None]
    offset = torch.arange(ROW + 2 * window) - window - torch.arange(ROW)[:, None]  # (l, b), seen from the centre
    near = ((-left <= offset) & (offset <= right) & (offset != 0)).double()  # (w + 1, w + 1, l, b)
    noise = ((left + right).double() * negatives / NOISE).expand(-1, -1, ROW, NOISE)
    neighbours, weights = torch.cat([near, 0 * noise], dim=3), torch.cat([near, noise], dim=3)
    return neighbours.flatten(0, 2), weights.flatten(0, 2)
