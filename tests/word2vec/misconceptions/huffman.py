"""Wrong hierarchical softmaxes that people write. Each must fail the tests of ``word2vec.extensions.huffman``."""

import torch
from torch.nn.functional import logsigmoid

from word2vec.extensions.huffman import Paths, huffman_tree, log_probabilities


def balanced_tree(counts):
    """Tempting because depth log₂ v is what a binary tree promises; frequent words then get no shorter path."""
    return huffman_tree([1] * len(counts))


def most_frequent_first(counts):
    """Tempting because vocabularies are sorted so; what is joined first lies deepest, so it must be the rarest."""
    return huffman_tree([max(counts) - count for count in counts])


def sums_not_put_back(counts):
    """Tempting because the counts are sorted once; a joined tree must queue again, or the tree is one long chain."""
    order = sorted(range(len(counts)), key=lambda word: counts[word])
    return huffman_tree([2 ** order.index(word) for word in range(len(counts))])


def a_vector_for_each_level(counts):
    """Tempting because a code has a j-th bit; different nodes of one depth must not share a question."""
    paths = huffman_tree(counts)
    level = torch.arange(paths.nodes.shape[1]).expand_as(paths.nodes)
    return Paths(level * paths.signs.abs().long(), paths.signs, paths.lengths)


def signs_forgotten(scores, signs):
    """Tempting because the loss falls; both children then have σ(s), and probabilities do not sum to 1."""
    return log_probabilities(scores, signs.abs())


def code_taken_for_the_sign(scores, signs):
    """Tempting because a code is 0 or 1; the sign is 1 - 2 code, and a score times 0 says ½ whatever it is."""
    return (logsigmoid(scores * signs.clamp(min=0)) * signs.abs()).sum(dim=1)


def complement_of_the_bit(scores, signs):
    """Tempting because the gradient is 1 - code - σ(s); its other side is σ(-s) and not 1 - ln σ(s)."""
    log_sigmoid = logsigmoid(scores)
    return torch.where(signs > 0, log_sigmoid, torch.where(signs < 0, 1 - log_sigmoid, 0)).sum(dim=1)


def padding_not_masked(scores, signs):
    """Tempting because the sign 0 looks like a mask; σ(0) is ½, so each place behind the end costs ln 2."""
    return logsigmoid(signs * scores).sum(dim=1)


def mean_over_the_path(scores, signs):
    """Tempting because losses are means; a loss for each node makes all words equally long, and no probability."""
    return log_probabilities(scores, signs) / signs.abs().sum(dim=1)


TREES = (balanced_tree, most_frequent_first, sums_not_put_back, a_vector_for_each_level)
PROBABILITIES = (
    signs_forgotten,
    code_taken_for_the_sign,
    complement_of_the_bit,
    padding_not_masked,
    mean_over_the_path,
)
