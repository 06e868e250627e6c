"""Wrong similarities that people really write. Each must fail the tests of ``word2vec.similarity``."""

import torch

from word2vec.extensions.three_cos_mul import EPSILON
from word2vec.similarity import cosines, three_cos_add


def products_instead_of_cosines(vectors, words):
    """Tempting because the model is made of products; long vectors, those of frequent words, are then near to all."""
    return vectors[words] @ vectors.T


def columns_of_unit_length(vectors, words):
    """Tempting because dim=0 is the first guess; it is a word's vector, a row, that is turned to length one."""
    unit = vectors / vectors.norm(dim=0, keepdim=True)
    return unit[words] @ unit.T


def direction_turned_round(vectors, a, b, c):
    """Tempting because king - man + woman puts the question's second word first; here a is what is taken away."""
    return three_cos_add(vectors, b, a, c)


def without_unit_vectors(vectors, a, b, c):
    """Tempting because the paper writes vector(King) - vector(Man) + vector(Woman); long vectors then decide."""
    target = vectors[b] - vectors[a] + vectors[c]
    return torch.stack([torch.cosine_similarity(row[None], vectors) for row in target])


def cosines_not_moved(vectors, a, b, c):
    """Tempting because the equation shows bare cosines; two negative ones multiply to a positive one."""
    return cosines(vectors, b) * cosines(vectors, c) / (cosines(vectors, a) + EPSILON)


def nothing_left_out(vectors, questions, count=1, score=three_cos_add):
    """Tempting because the best word is the best word; it is nearly always b or c itself."""
    best = three_cos_add(vectors, *questions.unbind(1)).topk(count, dim=1)
    return best.indices, best.values


def only_c_left_out(vectors, questions, count=1, score=three_cos_add):
    """Tempting because a and b seem far away; where d is unknown, b is as near as anything."""
    best = three_cos_add(vectors, *questions.unbind(1)).scatter(1, questions[:, 2:], -torch.inf).topk(count, dim=1)
    return best.indices, best.values


def ties_by_place(values):
    """Tempting because argsort twice gives ranks; equal values then get different ranks by their order."""
    return torch.tensor(values).argsort(stable=True).argsort().double() + 1


def ties_at_their_lowest(values):
    """Tempting because sport ranks so; the ranks' mean is then no longer (n + 1) / 2."""
    tensor = torch.tensor(values)
    return (tensor[None] < tensor[:, None]).sum(1).double() + 1


def argsort_taken_for_ranks(values):
    """Tempting because it comes out of a sort; it lists the value at each rank, not the rank of each value."""
    return torch.tensor(values).argsort().double() + 1


def pearson(one, other):
    """Tempting because it is "the correlation"; people's scores need not lie on a line with cosines."""
    return float(torch.corrcoef(torch.tensor([one, other], dtype=torch.float64))[0, 1])


COSINES = (products_instead_of_cosines, columns_of_unit_length)
ADDITIONS = (direction_turned_round, without_unit_vectors)
MULTIPLICATIONS = (cosines_not_moved,)
ANSWERS = (nothing_left_out, only_c_left_out)
RANKS = (ties_by_place, ties_at_their_lowest, argsort_taken_for_ranks)
CORRELATIONS = (pearson,)
