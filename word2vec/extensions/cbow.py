r"""CBOW: the words around a place, taken together, predict the word that stands there (Mikolov et al. 2013a, section
3.1).

The vectors of the neighbours are averaged, and the mean takes the place of skip-gram's one centre. Their order is lost,
hence "bag of words". The tables are skip-gram's, with their roles exchanged: W holds the words that are averaged, and
it is W again that is kept.

What differs: a mean passes on its gradient divided by the number of its words. The authors' code, and gensim's after
it, give each neighbour the whole gradient instead, so that words in large windows learn faster (İrsoy, Benton & Stratos
2021, "Corrected CBOW Performs as well as Skip-gram"). Here the gradient is that of the mean.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import embedding

from word2vec.loss import negative_sampling_loss
from word2vec.model import SkipGram
from word2vec.pairs import Text, reach


def bags(text: Text) -> tuple[Int[Tensor, " n"], Int[Tensor, "n m"], Bool[Tensor, "n m"]]:
    """The words that have neighbours; the neighbours of each, filled up to the widest; and which of these are any."""
    left, right = reach(text)
    widest = int(torch.stack([left, right]).max()) if len(left) else 0
    offsets = torch.tensor([j for j in range(-widest, widest + 1) if j != 0], dtype=torch.int64)
    inside = (-left[:, None] <= offsets) & (offsets <= right[:, None])  # (n, 2c)
    places = (torch.arange(len(left))[:, None] + offsets) * inside  # where there is none: any word will do
    some = inside.any(dim=1)
    return text.numbers[some], text.numbers[places[some]], inside[some]


def mean_vectors(model: SkipGram, bag: Int[Tensor, "n m"], inside: Bool[Tensor, "n m"]) -> Float[Tensor, "n d"]:
    r"""2013a, figure 1: :math:`h = \frac{1}{|N|}\sum_{w \in N} v_w` over the neighbours N."""
    share = inside.to(model.centre) / inside.sum(dim=1, keepdim=True)  # (n, m), 1/|N| for a neighbour
    return (embedding(bag, model.centre) * share.unsqueeze(2)).sum(dim=1)


def cbow_loss(
    model: SkipGram,
    centres: Int[Tensor, " n"],
    bag: Int[Tensor, "n m"],
    inside: Bool[Tensor, "n m"],
    noise: Int[Tensor, "n k"],
) -> Float[Tensor, ""]:
    """2013b, equation 4, with the mean of a word's neighbours in the place of the one centre; in nats, per word."""
    h = mean_vectors(model, bag, inside).unsqueeze(1)  # (n, 1, d)
    words = torch.cat([centres[:, None], noise], dim=1)  # (n, 1 + k)
    scores = (embedding(words, model.context) * h).sum(dim=2)
    return negative_sampling_loss(scores[:, 0], scores[:, 1:], noise.shape[1])


def cbow_loss_spec(
    model: SkipGram, centres: list[int], bag: list[list[int]], inside: list[list[bool]], noise: list[list[int]]
) -> Float[Tensor, ""]:
    """The same in loops over words and their neighbours."""
    total = torch.zeros((), dtype=model.centre.dtype)
    for word, words, there, drawn in zip(centres, bag, inside, noise, strict=True):
        neighbours = [model.centre[other] for other, yes in zip(words, there, strict=True) if yes]
        h = sum(neighbours) / len(neighbours)
        total = total - torch.log(torch.sigmoid(model.context[word] @ h))
        for other in drawn:
            total = total - torch.log(torch.sigmoid(-model.context[other] @ h))
    return total / len(centres)
