r"""CBOW: the neighbours of a word, taken together, predict the word (Mikolov et al. 2013a, arXiv 1301.3781, section
3.1).

The vectors of the neighbours are averaged ("their vectors are averaged", section 3.1; figure 1 of the paper shows a
sum). The mean takes the place of skip-gram's centre vector. The order of the neighbours is lost, hence "bag of words".
The tables are those of skip-gram: rows of W are averaged, and the predicted word has its row in W'. W is saved, as in
skip-gram.

What differs: the gradient of a mean is divided by the number of its words. The authors' code and gensim give each
neighbour the undivided gradient instead, so words in large windows learn faster (İrsoy, Benton & Stratos 2021,
"Corrected CBOW Performs as well as Skip-gram"). Here the gradient is that of the mean.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import embedding

from word2vec.loss import negative_sampling_loss
from word2vec.model import SkipGram
from word2vec.pairs import Text, reach


def bags(text: Text) -> tuple[Int[Tensor, " n"], Int[Tensor, "n m"], Bool[Tensor, "n m"]]:
    """The words that have neighbours, the neighbours of each, and a mask: True for a neighbour, False for padding."""
    left, right = reach(text)
    widest = int(torch.stack([left, right]).max()) if len(left) else 0
    offsets = torch.tensor([j for j in range(-widest, widest + 1) if j != 0], dtype=torch.int64)
    mask = (-left[:, None] <= offsets) & (offsets <= right[:, None])  # (n, 2c)
    positions = (torch.arange(len(left))[:, None] + offsets) * mask  # padding: position 0
    some = mask.any(dim=1)
    return text.ids[some], text.ids[positions[some]], mask[some]


def mean_vectors(model: SkipGram, neighbours: Int[Tensor, "n m"], mask: Bool[Tensor, "n m"]) -> Float[Tensor, "n d"]:
    r"""2013a, section 3.1: :math:`h = \frac{1}{|N|}\sum_{w \in N} v_w`, the mean over the neighbours N."""
    share = mask.to(model.centre) / mask.sum(dim=1, keepdim=True)  # (n, m), 1/|N| for a neighbour
    return (embedding(neighbours, model.centre) * share.unsqueeze(2)).sum(dim=1)  # Σ_w v_w / |N|


def cbow_loss(
    model: SkipGram,
    centres: Int[Tensor, " n"],
    neighbours: Int[Tensor, "n m"],
    mask: Bool[Tensor, "n m"],
    noise: Int[Tensor, "n k"],
) -> Float[Tensor, ""]:
    """2013b, equation 4, with the mean of a word's neighbours in the place of the centre vector; in nats, per word."""
    h = mean_vectors(model, neighbours, mask)  # (n, d)
    positive_scores = torch.einsum("nd, nd -> n", h, embedding(centres, model.context))
    noise_scores = torch.einsum("nd, nkd -> nk", h, embedding(noise, model.context))
    return negative_sampling_loss(positive_scores, noise_scores)


def cbow_loss_spec(
    model: SkipGram, centres: list[int], neighbours: list[list[int]], mask: list[list[bool]], noise: list[list[int]]
) -> Float[Tensor, ""]:
    """The same in loops over words and their neighbours."""
    total = torch.zeros((), dtype=model.centre.dtype)
    for word, others, present, noise_words in zip(centres, neighbours, mask, noise, strict=True):
        vectors = [model.centre[other] for other, yes in zip(others, present, strict=True) if yes]
        h = sum(vectors) / len(vectors)
        total = total - torch.log(torch.sigmoid(model.context[word] @ h))
        for other in noise_words:
            total = total - torch.log(torch.sigmoid(-model.context[other] @ h))
    return total / len(centres)
