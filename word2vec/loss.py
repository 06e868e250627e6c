r"""The losses of skip-gram: the full softmax and negative sampling (Mikolov et al. 2013b, arXiv 1310.4546, section 2).

Both take scores and return the mean loss of a pair (centre, context), in nats. The softmax asks which word of the
vocabulary is the context. It needs the scores of all words. Negative sampling asks for each of k + 1 words: is this the
context, or is it noise? It needs k + 1 scores and no normalisation.

What differs: the authors' code skips a noise word that is the context itself. Equation 4 does not, and neither do we.
"""

import math
from collections.abc import Sequence

from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid


def softmax_loss(scores: Float[Tensor, "n v"], contexts: Int[Tensor, " n"]) -> Float[Tensor, ""]:
    r"""2013b, equation 2: :math:`-\ln p(w_O | w_I) = -\ln \frac{\exp(v'_{w_O} \cdot v_{w_I})}{\sum_w \exp(v'_w \cdot
    v_{w_I})}`, the mean over n pairs.

    Args:
        scores: the scores of each centre with every word.
        contexts: the id of each centre's context word.
    """
    return cross_entropy(scores, contexts)  # mean over pairs of -ln(exp s_{w_O} / Σ_w exp s_w)


def softmax_loss_spec(scores: Sequence[Sequence[float]], contexts: Sequence[int]) -> float:
    """Equation 2 in loops."""
    total = 0.0
    for row, context in zip(scores, contexts, strict=True):
        total -= math.log(math.exp(row[context]) / sum(math.exp(score) for score in row))
    return total / len(contexts)


def negative_sampling_loss(
    positive_scores: Float[Tensor, " n"], noise_scores: Float[Tensor, "n k"]
) -> Float[Tensor, ""]:
    r"""2013b, equation 4, with its sign changed, for k noise words :math:`w_i \sim P_n(w)` of each pair:
    :math:`-\ln\sigma(v'_{w_O} \cdot v_{w_I}) - \sum_{i=1}^{k} \ln\sigma(-v'_{w_i} \cdot v_{w_I})`, the mean over n
    pairs.

    Args:
        positive_scores: the score of each centre with its context word.
        noise_scores: the scores of each centre with its k noise words.
    """
    return -(logsigmoid(positive_scores) + logsigmoid(-noise_scores).sum(dim=1)).mean()  # ln σ(s_O) + Σ_i ln σ(-s_i)


def negative_sampling_loss_spec(positive_scores: Sequence[float], noise_scores: Sequence[Sequence[float]]) -> float:
    """Equation 4 in loops."""
    total = 0.0
    for positive_score, row in zip(positive_scores, noise_scores, strict=True):
        total -= math.log(1 / (1 + math.exp(-positive_score)))
        for noise_score in row:
            total -= math.log(1 / (1 + math.exp(noise_score)))
    return total / len(positive_scores)
