r"""The skip-gram model (Mikolov et al. 2013a, arXiv 1301.3781, section 3.2; 2013b, arXiv 1310.4546, section 2).

The model has two tables with one row for each word: :math:`v_w` is the vector of w as a centre word, :math:`v'_w` its
vector as a context word. The score of a pair is the product of two rows. There is no hidden layer and no non-linearity:
all scores together are the matrix W W'ᵀ, whose rank is at most ``dim``.

The papers do not say which table holds "the word vectors". The authors' code saves W, and so do we. ``word2vec.pairs``
says which word of a pair is the centre.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding


class SkipGram(nn.Module):
    """The tables W (``centre``) and W' (``context``); a score is the product of a row of each.

    The first weights are those of the authors' code: W is uniform within ±1/(2 dim), W' is zero. So all scores are 0
    at step 0, and the first loss is known.

    Args:
        words: the size of the vocabulary.
        dim: the size of a word vector.

    Raises:
        ValueError: if there are fewer than two words, or ``dim`` is below 1.
    """

    def __init__(self, words: int, dim: int) -> None:
        super().__init__()
        if words < 2 or dim < 1:
            raise ValueError(f"words must be at least 2 and dim at least 1, got {words} and {dim}")
        self.centre = nn.Parameter((torch.rand(words, dim) - 0.5) / dim)  # W
        self.context = nn.Parameter(torch.zeros(words, dim))  # W'

    def scores(self, centres: Int[Tensor, " n"], contexts: Int[Tensor, "n *k"]) -> Float[Tensor, "n *k"]:
        r""":math:`v'_{w_O} \cdot v_{w_I}`: each centre with its own context word, or with k words of its own."""
        v = embedding(centres, self.centre)  # (n, d)
        u = embedding(contexts, self.context)  # v' in the paper, (n, d) or (n, k, d)
        return torch.einsum("nd, n...d -> n...", v, u)  # v'_{w_O} · v_{w_I}

    def all_scores(self, centres: Int[Tensor, " n"]) -> Float[Tensor, "n v"]:
        r""":math:`v'_w \cdot v_{w_I}`: each centre with every word w of the vocabulary."""
        return embedding(centres, self.centre) @ self.context.T  # (n, V); v'_w · v_{w_I}
