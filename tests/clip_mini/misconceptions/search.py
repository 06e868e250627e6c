"""Wrong searches that people really write. Each must fail a test of ``clip_mini.extensions.search``."""

import torch


def topk_alone(queries, vectors, top):
    """Tempting because it is one line; which of equal scores ``topk`` takes is not defined, and it differs with n."""
    return tuple((queries @ vectors.T).topk(min(top, len(vectors)), dim=1))


def places_in_the_chunk(queries, vectors, top):
    """Tempting because ``topk`` gives indices; but they count from the beginning of their chunk."""
    best, indices = torch.empty(len(queries), 0), torch.empty(len(queries), 0, dtype=torch.int64)
    for chunk in vectors.split(2):
        scores, places = (queries @ chunk.T).sort(dim=1, descending=True, stable=True)
        best, order = torch.cat([best, scores], dim=1).sort(dim=1, descending=True, stable=True)
        indices = torch.cat([indices, places], dim=1).gather(1, order)
    return best[:, :top], indices[:, :top]


def one_of_each_chunk(queries, vectors, top):
    """Tempting because each chunk gives its best one; but the two nearest vectors may lie in the same chunk."""
    best = [
        (queries @ chunk.T).sort(dim=1, descending=True, stable=True)
        for chunk in vectors.split(-(-len(vectors) // top))
    ]
    starts = range(0, len(vectors), -(-len(vectors) // top))
    scores = torch.cat([values[:, :1] for values, _ in best], dim=1)
    indices = torch.cat([at + places[:, :1] for at, (_, places) in zip(starts, best, strict=True)], dim=1)
    scores, order = scores.sort(dim=1, descending=True, stable=True)
    return scores, indices.gather(1, order)


def smallest_first(queries, vectors, top):
    """Tempting because ``argsort`` sorts in rising order, which is right for distances and wrong for cosines."""
    scores, indices = (queries @ vectors.T).sort(dim=1, stable=True)
    return scores[:, :top], indices[:, :top]


def later_of_equals(queries, vectors, top):
    """Tempting because ``argsort().flip()`` is the usual way to falling order; it also turns equal ones around."""
    scores, indices = (queries @ vectors.T).sort(dim=1, stable=True)
    return scores.flip(1)[:, :top], indices.flip(1)[:, :top]
