r"""The loss of "Show, Attend and Tell" (Xu et al. 2015, sections 3.1.2 and 4.2.1): the words' negative log-likelihood,
and the doubly stochastic penalty on the attention.

:math:`L_d = -\log P(y \mid x) + \lambda \sum_i^L (1 - \sum_t^C \alpha_{ti})^2` (equation 14). The weights of one word
add up to 1 over the places, because of the softmax. The penalty asks that those of one place add up to 1 over the
words.

The penalty has a floor. All weights add up to C, so the L numbers :math:`1 - \sum_t \alpha_{ti}` add up to L − C. Their
squares then add up to at least (L − C)²/L = L − 2C + C²/L. Uniform attention, α = 1/L, reaches this floor: the penalty
alone never asks for attention to one place.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

PAD = 0  # the token id of padding


def caption_loss(logits: Float[Tensor, "*n t words"], targets: Int[Tensor, "*n t"]) -> Float[Tensor, ""]:
    r""":math:`-\frac1N \sum_t \log p(y_t \mid a, y_1^{t-1})` in nats: the mean over all N words of the batch.

    Here :math:`y_1^{t-1}` are the words before :math:`y_t`. Padding has no part in it. <end> is a word.
    """
    return cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=PAD)


def doubly_stochastic(weights: Float[Tensor, "*n t L"], lengths: Int[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    r"""The penalty of equation 14, one number for each caption: :math:`\sum_i (1 - \sum_t \alpha_{ti})^2`.

    Only the first ``lengths`` rows of a caption belong to words; the others are padding.
    """
    is_word = torch.arange(weights.shape[-2], device=weights.device) < lengths[..., None]  # (*n, t)
    attention_of_place = (weights * is_word[..., None]).sum(dim=-2)  # (*n, L)
    return (1 - attention_of_place).square().sum(dim=-1)
