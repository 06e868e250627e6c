"""Block engines with a mistake that people make; ``tests/word2vec/test_engine.py`` shows that each is caught."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from word2vec.extensions import engine as module
from word2vec.extensions.engine import Engine, mean_noise_loss


class AssignsInsteadOfAdding(Engine):
    """``table[words] += steps`` looks like a sum, but a word that occurs twice keeps its last step only."""

    def step(self, centres: Tensor, others: Tensor, lines: Tensor, targets: Tensor, weights: Tensor) -> None:
        table, self.centre = self.centre, Assigned(self.centre)
        try:
            super().step(centres, others, lines, targets, weights)
        finally:
            self.centre = table


class Assigned(torch.Tensor):
    """A table whose ``index_add_`` is ``table[words] = table[words] + steps``."""

    @staticmethod
    def __new__(cls, table: Tensor) -> "Assigned":
        return table.as_subclass(cls)

    def index_add_(self, dim: int, words: Tensor, steps: Tensor) -> Tensor:
        table = self.as_subclass(Tensor)
        table[words] = table[words] + steps
        return self


class CountsEachDrawFully(Engine):
    """k negatives a pair, so each draw counts 1: but a row has NOISE draws for each of its pairs, not k."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        noise = self.weights[:, -module.NOISE :]
        noise.copy_((noise > 0).to(noise))


class ForgetsThatOneWordHasManyPairs(Engine):
    """Noise once for each word of the row: but the paper draws it for each pair, and a word has up to 2c of them."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.weights[:, -module.NOISE :] /= self.neighbours.sum(1, keepdim=True).clamp(min=1)


class ComparesAWordWithItself(Engine):
    """The window is -c … c, and offset 0 is forgotten: a word is its own neighbour."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        place = torch.arange(len(self.neighbours)) % module.ROW
        own = place + (self.neighbours.shape[1] - module.NOISE - module.ROW) // 2
        some = self.neighbours.sum(1) > 0
        for table in (self.neighbours, self.weights):
            table[torch.arange(len(table))[some], own[some]] = 1


class UsesTheNewCentres(Engine):
    """One table after the other: the neighbours' gradient is taken when the centres have moved already."""

    def step(self, centres: Tensor, others: Tensor, lines: Tensor, targets: Tensor, weights: Tensor) -> None:
        context = self.context.clone()
        super().step(centres, others, lines, targets, weights)
        after = self.centre.clone()
        self.context.copy_(context)
        super().step(centres, others, lines, targets, weights)
        self.centre.copy_(after)


class LetsWindowsCrossSentences(Engine):
    """The text is one long line of words for the engine, so windows are cut at its ends only."""

    def blocks(self, text: module.Text, generator: torch.Generator):
        return super().blocks(module.Text(text.ids, torch.zeros_like(text.sentence), text.windows), generator)


def sum_over_the_draws(positive_scores, noise_scores, negatives):
    """Tempting because with k draws it is the same; with more draws their number is the weight, not k."""
    return mean_noise_loss(positive_scores, noise_scores, noise_scores.shape[1])


def mean_without_k(positive_scores, noise_scores, negatives):
    """Tempting because losses are means; the noise then weighs as much as one noise word."""
    return mean_noise_loss(positive_scores, noise_scores, 1)


def mean_before_the_sigmoid(positive_scores, noise_scores, negatives):
    """Tempting because means commute with nearly everything; ln σ of a mean is not the mean of ln σ."""
    return -(logsigmoid(positive_scores) + negatives * logsigmoid(-noise_scores.mean(dim=1))).mean()


LOSSES = (sum_over_the_draws, mean_without_k, mean_before_the_sigmoid)
