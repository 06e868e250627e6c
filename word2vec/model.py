r"""The skip-gram model (Mikolov et al. 2013a, arXiv 1301.3781, section 3.2; 2013b, arXiv 1310.4546, section 2).

It is two tables with a row for each word: :math:`v_w` for the word as a centre, :math:`v'_w` for the word as somebody's
neighbour. There is no hidden layer and no non-linearity: what a pair of words scores is the product of two rows. So the
whole model is a matrix of scores, W W'ᵀ, that is allowed no more than ``dim`` dimensions.

Which table is meant by "the word vectors" is a choice that the papers do not mention; the authors' code saves W, and so
do we. Which of two words predicts the other is told in ``word2vec.pairs``.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding


class SkipGram(nn.Module):
    """The tables W (``centre``) and W' (``context``), with scores that are products of their rows.

    The first weights are those of the authors' code: W uniform within ±1/(2 dim), W' zero. Hence all scores are 0 at
    first, and the loss of step 0 is known.

    Args:
        words: the size of the vocabulary.
        dim: numbers in a word's vector.

    Raises:
        ValueError: if there are fewer than two words, or ``dim`` is below 1.
    """

    def __init__(self, words: int, dim: int) -> None:
        super().__init__()
        if words < 2 or dim < 1:
            raise ValueError(f"words must be at least 2 and dim at least 1, got {words} and {dim}")
        self.centre = nn.Parameter((torch.rand(words, dim) - 0.5) / dim)  # W
        self.context = nn.Parameter(torch.zeros(words, dim))  # W'

    def scores(self, centres: Int[Tensor, " n"], contexts: Int[Tensor, "n k"]) -> Float[Tensor, "n k"]:
        r""":math:`v'_{w_O} \cdot v_{w_I}` for each centre and k words that are, or are not, its neighbours."""
        v = embedding(centres, self.centre).unsqueeze(1)  # (n, 1, d)
        return (embedding(contexts, self.context) * v).sum(dim=2)  # v'_{w_O} · v_{w_I}

    def all_scores(self, centres: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
        r""":math:`v'_w \cdot v_{w_I}` for each centre and every word w."""
        return embedding(centres, self.centre) @ self.context.T
