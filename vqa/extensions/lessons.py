r"""Lessons, the pretraining of the image stream: it learns to see before it is asked about what it sees.

The paper's VGGNet learned from ImageNet, one label a picture. The lessons tell far more: the place, the colour, the
shape and the size of each object in scenes of the toy world's training split. On the toy world, without them, the model
learned colours but hardly any shapes in as many steps (our guess: the question stream, itself untrained, sends every
question's gradient in another direction).

From Zhou et al. 2019, "Objects as Points" (arXiv 1904.07850), comes the idea that a thing is its centre on a coarse
grid. What differs: the target is bilinear instead of a Gaussian, so that a thing's shares sum to one and their mean
place is exactly its centre, and things can be counted and located; the loss is plain cross-entropy instead of a focal
one; and one objectness for all classes stands beside a softmax for each attribute.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from toyworld.drawing import draw
from toyworld.scenes import COLOURS, MOST, SHAPES, SIZES, scene_at
from vqa.model import ImageStream

ATTRIBUTES = (len(COLOURS), len(SHAPES), len(SIZES))
Lesson = tuple[Float[Tensor, "m 3 h w"], Float[Tensor, "n 3"], Int[Tensor, "n attributes"]]


def toy_lessons(seed: int, pictures: int, image_size: int) -> Callable[[int], Lesson]:
    """``batch_at`` for the lessons: where the objects stand in pictures that show as many as there can be, and the
    numbers of their colours, shapes and sizes."""

    def batch_at(step: int) -> tuple[Tensor, Tensor, Tensor]:
        scenes = [scene_at("train", seed, step * pictures + k, MOST) for k in range(pictures)]
        objects = [(k, o) for k, scene in enumerate(scenes) for o in scene.objects]
        names = [(COLOURS.index(o.colour), SHAPES.index(o.shape), SIZES.index(o.size)) for _, o in objects]
        places = torch.tensor([(k, o.x, o.y) for k, o in objects])
        return draw(scenes, image_size), places, torch.tensor(names)

    return batch_at


def shares(
    places: Float[Tensor, "n 3"], rows: int, columns: int
) -> tuple[Int[Tensor, "4 n"], Int[Tensor, "4 n"], Int[Tensor, "4 n"], Float[Tensor, "4 n"]]:
    r"""The four places of a grid around each centre, and the centre's share in each: bilinear interpolation.

    A place of the grid stands for its middle. A centre that lies u columns right of the one and 1 − u left of the next
    gives them 1 − u and u, and likewise for rows; the share of a place is the product. Beyond the border, a share goes
    to the place at the border.

    Args:
        places: for each centre the number of its picture, and x and y in picture widths, 0 to 1.

    Returns:
        picture, row, column and share.
    """
    picture, x, y = places.T
    x, y = x * columns - 0.5, y * rows - 0.5  # in places of the grid, 0 is the middle of the first
    left, top = x.floor(), y.floor()
    found = []
    for down in (0, 1):
        for right in (0, 1):
            share = (1 - (y - top - down).abs()) * (1 - (x - left - right).abs())
            row, column = (top + down).clamp(0, rows - 1), (left + right).clamp(0, columns - 1)
            found.append((picture.long(), row.long(), column.long(), share))
    return tuple(torch.stack(column) for column in zip(*found, strict=True))


def lesson_loss(
    stream: ImageStream,
    images: Float[Tensor, "m 3 h w"],
    places: Float[Tensor, "n 3"],
    names: Int[Tensor, "n attributes"],
) -> Float[Tensor, ""]:
    r"""How far off objectness and names are, in nats a thing.

    .. math::
        L = \frac{1}{n} \left[ \sum_{\text{places}} \mathrm{BCE}(o, s) + \sum_{\text{things}}
            \sum_{\text{places}} s_{\text{thing}} \sum_a -\ln p_a(\text{name}) \right]

    with s the shares, summed over the things of a picture, at most 1. Its least value is not 0: where s = 1/2, o = 1/2
    is best, and that costs ln 2.
    """
    logits = stream.detect(images)  # (m, 1 + names, rows, columns)
    picture, row, column, share = shares(places, *logits.shape[2:])
    wanted = torch.zeros_like(logits[:, 0]).index_put((picture, row, column), share, accumulate=True).clamp(max=1)
    loss = binary_cross_entropy_with_logits(logits[:, 0], wanted, reduction="sum")
    there = logits[picture, :, row, column]  # (4, n, 1 + names)
    for k, of_attribute in enumerate(there[..., 1:].split(stream.attributes, dim=-1)):
        surprise = cross_entropy(of_attribute.flatten(0, 1), names[:, k].repeat(4), reduction="none")  # (4*n,)
        loss = loss + share.flatten() @ surprise
    return loss / len(places)
