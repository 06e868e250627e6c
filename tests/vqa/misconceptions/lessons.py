"""Wrong lessons that people really give. Each must fail the tests of ``vqa.extensions.lessons``."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from vqa.extensions.lessons import lesson_loss, shares


def all_to_the_nearest_place(places, rows, columns):
    """Tempting because it needs one place instead of four; where the thing stands is then known to a whole place."""
    picture, row, column, share = shares(places, rows, columns)
    most = share == share.max(dim=0).values
    return picture, row, column, most.to(share)


def places_that_stand_for_their_corners(places, rows, columns):
    """Tempting because x times columns is the place; its middle lies half a place further."""
    shifted = places + torch.tensor([0, 0.5 / columns, 0.5 / rows]).to(places)
    return shares(shifted, rows, columns)


def rows_for_columns(places, rows, columns):
    """Tempting because (x, y) is how points are written; a grid is stored (y, x)."""
    picture, row, column, share = shares(places[:, [0, 2, 1]], rows, columns)
    return picture, row, column, share


def _loss(stream, images, places, names, of_names):
    """``lesson_loss``, but for the part of the names: ``of_names(logits, share, wanted)``, each (4, n, …) or (n,)."""
    logits = stream.detect(images)
    picture, row, column, share = shares(places, *logits.shape[2:])
    wanted = torch.zeros_like(logits[:, 0]).index_put((picture, row, column), share, accumulate=True).clamp(max=1)
    loss = binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="sum")
    there = logits[picture, :, row, column]
    for k, of_attribute in enumerate(there[..., 1:].split(stream.attributes, dim=-1)):
        loss = loss + of_names(of_attribute.flatten(0, 1), share, names[:, k])
    return loss / len(places)


def names_everywhere_alike(stream, images, places, names):
    """Tempting because four places hold the thing; one that holds a hundredth of it then counts like one with all."""
    return _loss(
        stream,
        images,
        places,
        names,
        lambda logits, _, name: cross_entropy(logits, name.repeat(4), reduction="sum") / 4,
    )


def names_of_another_thing(stream, images, places, names):
    """Tempting because ``repeat_interleave`` sounds like what is wanted; the rows come place by place."""
    return _loss(
        stream,
        images,
        places,
        names,
        lambda logits, share, name: (
            share.flatten() @ cross_entropy(logits, name.repeat_interleave(4), reduction="none")
        ),
    )


def mean_over_all_places(stream, images, places, names):
    """Tempting because "mean" is the default; most places are empty, and what is there hardly counts."""
    rows, columns = stream.detect(images).shape[2:]
    return lesson_loss(stream, images, places, names) * len(places) / (len(images) * rows * columns)


SHARES = (all_to_the_nearest_place, places_that_stand_for_their_corners, rows_for_columns)
LOSSES = (names_everywhere_alike, mean_over_all_places, names_of_another_thing)
ALL = (*SHARES, *LOSSES)
