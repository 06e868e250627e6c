r"""A sentence as a vector, trained first and then frozen (Reed et al. 2016, arXiv 1605.05396, sections 3.2 and 4.1).

Two encoders learn together, φ(v) of a picture and φ(t) of a sentence. The product φ(v) · φ(t) becomes large where the
sentence is true of the picture. So φ(t) learns what can be seen, and players that get φ(t) need not learn English.
Afterwards φ(t) is used, and nothing changes it any more.

What differs from the paper, and why:

- The paper's sentence encoder reads letters with convolutions, then a recurrent network. Ours reads words with a GRU.
- The paper's picture encoder is a pretrained GoogLeNet. Ours is small and learns from scratch.
- The paper's classes are species of birds. Here a sentence is a class of its own.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence

PAD = 0  # the id that fills up short sentences


class SentenceEncoder(nn.Module):
    r""":math:`\varphi(t) = W h_T`, where h is the state of a GRU after the last word; each number is normalised.

    Args:
        words: ids, the padding included.
        size: numbers in :math:`\varphi(t)`, 1024 in the paper.
    """

    def __init__(self, words: int, size: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, size, padding_idx=PAD)
        self.read = nn.GRU(size, size, batch_first=True)
        self.output = nn.Linear(size, size)
        self.norm = nn.BatchNorm1d(size, affine=False)  # so the players get numbers of mean 0 and variance 1

    def forward(self, ids: Int[Tensor, "n t"]) -> Float[Tensor, "n d"]:
        lengths = (ids != PAD).sum(dim=1)  # (n,); packed, the padding is never read
        _, last = self.read(pack_padded_sequence(self.embed(ids), lengths.cpu(), True, enforce_sorted=False))
        return self.norm(self.output(last[0]))


class PictureEncoder(nn.Module):
    """φ(v): three convolutions with stride 2, and a linear layer.

    Args:
        channels: of the first convolution; twice and four times as many follow.
        size: numbers in φ(v).
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 4, stride=2, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 4, stride=2, padding=1)
        self.third = nn.Conv2d(2 * channels, 4 * channels, 4, stride=2, padding=1)
        self.output = nn.Linear(4 * channels * 16, size)

    def forward(self, images: Float[Tensor, "n 3 32 32"]) -> Float[Tensor, "n d"]:
        h = self.second(self.first(images).relu()).relu()  # (n, 2 * channels, 8, 8)
        return self.output(self.third(h).relu().flatten(1))


def joint_embedding_loss(scores: Float[Tensor, "n n"], true: Bool[Tensor, "n n"]) -> Float[Tensor, ""]:
    r"""Equation 2 with a loss that has a gradient, a hinge in place of the 0-1 loss Δ.

    :math:`\frac1N \sum_n \ell_v(n) + \ell_t(n)`, for N pairs. :math:`\ell_v(n)` is the mean of
    :math:`\max(0,\, 1 + \varphi(v_n) \cdot \varphi(t_j) - \varphi(v_n) \cdot \varphi(t_n))` over all sentences j that
    are false of picture n, :math:`\ell_t(n)` that of :math:`\max(0,\, 1 + \varphi(v_j) \cdot \varphi(t_n) -
    \varphi(v_n) \cdot \varphi(t_n))` over all pictures j of which sentence n is false. A mean over nothing is 0.

    Args:
        scores: :math:`\varphi(v_i) \cdot \varphi(t_j)`. Row i is picture i, and sentence i is its own.
        true: whether sentence j is true of picture i. Such a pair is no mistake.
    """
    own, false = scores.diagonal(), (~true).to(scores.dtype)  # (n,), (n, n)
    of_sentences = (1 + scores - own[:, None]).relu() * false  # row n: all sentences j with picture n
    of_pictures = (1 + scores - own[None, :]).relu() * false  # column n: all pictures i with sentence n
    losses = of_sentences.sum(dim=1) / false.sum(dim=1).clamp(min=1)
    return (losses + of_pictures.sum(dim=0) / false.sum(dim=0).clamp(min=1)).mean()
