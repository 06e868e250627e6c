r"""What skip-gram learns by: the full softmax, and negative sampling (Mikolov et al. 2013b, arXiv 1310.4546).

Both take scores and give the mean loss of a pair (centre, context), in nats. The softmax asks which of all words is
the neighbour, and costs a score for each of them. Negative sampling asks of k + 1 words one by one whether they are
a neighbour or noise, and never normalises.

What differs: in equation 4 an expectation stands behind the sum over i = 1 … k. With k draws for a pair it is
estimated by one draw for each i. The mean over any number of draws, times k, estimates the same thing; that is the form
here, and with k draws both are equal. The authors' code skips a negative that happens to be the context itself. The
equation does not, and neither do we.
"""

import math
from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid


def softmax_loss(scores: Float[Tensor, "n v"], contexts: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    r"""2013b, equation 2: :math:`-\ln p(w_O | w_I) = \ln \sum_w \exp(v'_w \cdot v_{w_I}) - v'_{w_O} \cdot v_{w_I}`.

    Args:
        scores: of each centre with every word.
        contexts: the neighbour that each centre has.
    """
    return cross_entropy(scores, contexts)  # mean over pairs of ln Σ_w exp s_w − s_{w_O}


def softmax_loss_spec(scores: Sequence[Sequence[float]], contexts: Sequence[int]) -> float:
    """Equation 2 in loops."""
    total = 0.0
    for row, context in zip(scores, contexts, strict=True):
        total -= math.log(math.exp(row[context]) / sum(math.exp(score) for score in row))
    return total / len(contexts)


def negative_sampling_loss(
    positive: Float[Tensor, " n"], negative: Float[Tensor, "n draws"], negatives: int
) -> Float[Tensor, ""]:
    r"""2013b, equation 4, with its sign changed:
    :math:`-\ln\sigma(v'_{w_O} \cdot v_{w_I}) - k\,\mathbb{E}_{w \sim P_n}[\ln\sigma(-v'_w \cdot v_{w_I})]`.

    Args:
        positive: the score of each centre with its neighbour.
        negative: its scores with words drawn from the noise, whose mean stands for the expectation.
        negatives: k, how much the noise weighs; as a rule, and in the paper, the number of draws.
    """
    return -(logsigmoid(positive) + negatives * logsigmoid(-negative).mean(dim=1)).mean()


def negative_sampling_loss_spec(
    positive: Sequence[float], negative: Sequence[Sequence[float]], negatives: int
) -> float:
    """Equation 4 in loops."""
    total = 0.0
    for score, row in zip(positive, negative, strict=True):
        expectation = sum(math.log(1 / (1 + math.exp(noise))) for noise in row) / len(row)  # E[ln σ(−s)]
        total -= math.log(1 / (1 + math.exp(-score))) + negatives * expectation
    return total / len(positive)
