r"""Hierarchical softmax over a Huffman tree (Mikolov et al. 2013b, arXiv 1310.4546, section 2.1).

The words are the leaves of a binary tree. Each inner node has a vector; its score with the centre word decides between
its two children. The probability of a word is the product of the probabilities of the decisions on its path from the
root. The probabilities of all words then sum to 1 without a sum over all words. A pair needs one score for each node of
its path. Huffman's tree (1952) gives frequent words short paths: no binary tree has a shorter mean path.

What differs: the paper lets ch(n) be "an arbitrary fixed child". Here it is the less frequent child, with the sign +1.
The authors' code and gensim do the same and store a bit: code 0 for that child, so sign = 1 - 2 code. The three
programs break ties between equal counts differently, which changes paths but not their mean length. Without ties the
paths are the same. The loss is the mean over pairs; the authors' code updates pair by pair and has no mean.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import logsigmoid
from torch.nn.utils.rnn import pad_sequence


@dataclass(frozen=True)
class Paths:
    """The path from the root to each word, one row for each word, padded with node 0 and sign 0."""

    nodes: Int[Tensor, "v depth"]  # n(w, j): inner nodes, in the order in which they are made; the root is v - 2
    signs: Float[Tensor, "v depth"]  # +1 if the path goes on to ch(n), -1 if to the other child
    lengths: Int[Tensor, " v"]


def huffman_tree(counts: Sequence[int]) -> Paths:
    """Joins the two trees with the smallest counts until one tree is left.

    Among equal counts, the word with the smaller id comes first, words come before joined trees, and older trees before
    newer ones. Many trees can have the shortest mean path. Of these, this tree has the smallest depth.

    Args:
        counts: of the words, in any order.

    Raises:
        ValueError: if there are fewer than two words, or a count is negative.
    """
    v = len(counts)
    if v < 2 or min(counts) < 0:
        raise ValueError(
            f"counts must be two or more, none below 0, got {v} of them, the smallest {min(counts, default=None)}"
        )
    heap = [(count, word) for word, count in enumerate(counts)]  # words are 0 … v-1, inner node n is v + n
    heapq.heapify(heap)
    parent, sign = {}, {}
    for node in range(v - 1):
        (rare, first), (less_rare, second) = heapq.heappop(heap), heapq.heappop(heap)
        parent[first], parent[second] = node, node
        sign[first], sign[second] = 1.0, -1.0
        heapq.heappush(heap, (rare + less_rare, v + node))
    nodes, signs = [], []
    for word in range(v):
        climb = [word]  # from the word up to the root
        while climb[-1] in parent:
            climb.append(v + parent[climb[-1]])
        nodes.append(torch.tensor([above - v for above in climb[:0:-1]]))
        signs.append(torch.tensor([sign[below] for below in climb[-2::-1]]))
    lengths = torch.tensor([len(path) for path in nodes])
    return Paths(pad_sequence(nodes, batch_first=True), pad_sequence(signs, batch_first=True), lengths)


def log_probabilities(scores: Float[Tensor, "n depth"], signs: Float[Tensor, "n depth"]) -> Float[Tensor, " n"]:
    r"""2013b, equation 3, as a logarithm in nats:

    .. math:: p(w | w_I) = \prod_{j=1}^{L(w)-1}
        \sigma\big([\![n(w, j+1) = \mathrm{ch}(n(w, j))]\!] \cdot {v'_{n(w,j)}}^\top v_{w_I}\big)

    where :math:`[\![x]\!]` is 1 if x is true and -1 otherwise. L(w) - 1 is the number of inner nodes on the path.

    Args:
        scores: :math:`{v'_{n(w,j)}}^\top v_{w_I}` for the nodes of each word's path.
        signs: the brackets; 0 for padding.
    """
    return logsigmoid(signs * scores).masked_fill(signs == 0, 0.0).sum(dim=1)  # Σ_j ln σ([[·]] v'_{n(w,j)} · v_{w_I})


def hierarchical_softmax_loss(scores: Float[Tensor, "n depth"], signs: Float[Tensor, "n depth"]) -> Float[Tensor, ""]:
    r"""The mean of :math:`-\ln p(w_O | w_I)` over pairs, in nats; see ``log_probabilities``."""
    return -log_probabilities(scores, signs).mean()


def hierarchical_softmax_loss_spec(scores: Sequence[Sequence[float]], signs: Sequence[Sequence[float]]) -> float:
    """Equation 3 in loops."""
    total = 0.0
    for row, row_signs in zip(scores, signs, strict=True):
        probability = 1.0
        for score, sign in zip(row, row_signs, strict=True):
            if sign != 0:  # the path has not ended
                probability *= 1 / (1 + math.exp(-sign * score))
        total -= math.log(probability)
    return total / len(scores)


class HierarchicalSkipGram(nn.Module):
    """Skip-gram with a second table, ``nodes``, that has one row for each inner node of the tree instead of each word.

    The first weights are those of ``SkipGram``: ``centre`` uniform within ±1/(2 dim), ``nodes`` zero. Every decision
    then has probability 1/2, and the loss at step 0 is ln 2 times the mean length of the context words' paths.

    Args:
        counts: of the words, as for ``huffman_tree``.
        dim: the size of a word vector.

    Raises:
        ValueError: as ``huffman_tree``, or if ``dim`` is below 1.
    """

    def __init__(self, counts: Sequence[int], dim: int) -> None:
        super().__init__()
        if dim < 1:
            raise ValueError(f"dim must be at least 1, got {dim}")
        paths = huffman_tree(counts)
        self.centre = nn.Parameter((torch.rand(len(counts), dim) - 0.5) / dim)  # v_w
        self.nodes = nn.Parameter(torch.zeros(len(counts) - 1, dim))  # v'_n
        self.register_buffer("path_nodes", paths.nodes)
        self.register_buffer("path_signs", paths.signs)

    def path_scores(
        self, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"]
    ) -> tuple[Float[Tensor, "n depth"], Float[Tensor, "n depth"]]:
        """The scores of each centre with the nodes on its context's path, and the path's signs."""
        v = self.centre[centres]  # (n, d)
        nodes = self.nodes[self.path_nodes[contexts]]  # (n, depth, d)
        return (nodes @ v.unsqueeze(2)).flatten(1), self.path_signs[contexts]  # v'_{n(w,j)} · v_{w_I}

    def log_probabilities(self, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        r""":math:`\ln p(w_O | w_I)` of each pair, in nats."""
        return log_probabilities(*self.path_scores(centres, contexts))


def hierarchical_loss(
    model: HierarchicalSkipGram, centres: Int[Tensor, " n"], contexts: Int[Tensor, " n"]
) -> Float[Tensor, ""]:
    """The mean loss of a batch of pairs, in nats."""
    return hierarchical_softmax_loss(*model.path_scores(centres, contexts))
