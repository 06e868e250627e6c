r"""The loss of "Objects as Points" (Zhou et al. 2019, sections 3 and 4): heatmap, offset, and attributes.

What differs: the paper has a loss for width and height, with weight 0.1. Here the cross-entropy of the attributes takes
its place, with weight 1. The Gaussian's standard deviation is a third of the object's radius.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

ALPHA, BETA = 2, 4  # the exponents of equation 1, as in the paper


def gaussian_heatmap(
    image_of: Int[Tensor, " n"],
    centres: Float[Tensor, "n 2"],
    deviations: Float[Tensor, " n"],
    size: tuple[int, int, int],
) -> Float[Tensor, "m rows columns"]:
    r"""The target: :math:`Y_{xy} = \max_p \exp\left(-\frac{(x-\tilde p_x)^2 + (y-\tilde p_y)^2}{2\sigma_p^2}\right)`.

    It is 1 in the cell :math:`\tilde p = \lfloor p / R \rfloor` of each centre, and falls off around it. Where two
    Gaussians meet, the larger one counts.

    Args:
        image_of: centre k is in image ``image_of[k]``.
        centres: x and y in cells.
        deviations: the standard deviation of each Gaussian, in cells.
        size: m images, rows, columns.
    """
    m, rows, columns = size
    cell = centres.floor()  # (n, 2)
    across = torch.arange(columns, device=cell.device) - cell[:, :1]  # (n, columns): x - p_x
    down = torch.arange(rows, device=cell.device) - cell[:, 1:]  # (n, rows): y - p_y
    squared = down[:, :, None].square() + across[:, None, :].square()  # (n, rows, columns)
    gaussians = torch.exp(-squared / (2 * deviations[:, None, None].square()))
    index = image_of[:, None, None].expand_as(gaussians)
    return centres.new_zeros(m, rows, columns).scatter_reduce(0, index, gaussians, "amax")


def heatmap_loss(logits: Float[Tensor, "m rows columns"], target: Float[Tensor, "m rows columns"]) -> Float[Tensor, ""]:
    r"""Equation 1, the focal loss with less penalty near a centre; :math:`\hat Y` is the sigmoid of the logits.

    .. math::
        L_k = -\frac{1}{N} \sum_{xy} \begin{cases}
            (1 - \hat Y_{xy})^\alpha \log \hat Y_{xy} & \text{if } Y_{xy} = 1 \\
            (1 - Y_{xy})^\beta \hat Y_{xy}^\alpha \log(1 - \hat Y_{xy}) & \text{otherwise}
        \end{cases}
    """
    y = logits.sigmoid()
    at_centre = (1 - y) ** ALPHA * logsigmoid(logits)
    elsewhere = (1 - target) ** BETA * y**ALPHA * logsigmoid(-logits)  # log(1 - y) = logsigmoid(-logits)
    return -torch.where(target == 1, at_centre, elsewhere).sum() / (target == 1).sum()


def offset_loss(offsets: Float[Tensor, "n 2"], centres: Float[Tensor, "n 2"]) -> Float[Tensor, ""]:
    r"""Equation 2: :math:`L_{off} = \frac{1}{N} \sum_p |\hat O_{\tilde p} - (\frac{p}{R} - \tilde p)|`, in cells.

    ``offsets`` are those of the cell of each centre; ``centres`` holds p / R.
    """
    return (offsets - (centres - centres.floor())).abs().sum(dim=1).mean()


def detection_loss(
    logits: Float[Tensor, "m channels rows columns"],
    image_of: Int[Tensor, " n"],
    centres: Float[Tensor, "n 2"],
    radii: Float[Tensor, " n"],
    labels: Int[Tensor, "n a"],
    attributes: Sequence[int],
) -> Float[Tensor, ""]:
    r"""Equation 4: :math:`L = L_k + L_{off} + L_{att}`, for n objects in m images. :math:`L_{att}` is the sum of the
    attributes' cross-entropies in the cells of the centres; the paper has :math:`0.1\, L_{size}` in its place.

    Args:
        centres: x in image widths, y in image heights.
        radii: in image widths.
        labels: the value of each of the attributes, from 0 on.
        attributes: how many values each attribute has.
    """
    m, _, rows, columns = logits.shape
    centres = centres * centres.new_tensor([columns, rows])  # in cells
    target = gaussian_heatmap(image_of, centres, radii * columns / 3, (m, rows, columns))
    column, row = centres.floor().long().T
    at_centre = logits[image_of, :, row, column]  # (n, channels)
    _, offsets, *values = at_centre.split([1, 2, *attributes], dim=1)
    loss = heatmap_loss(logits[:, 0], target) + offset_loss(offsets, centres)
    for value, label in zip(values, labels.T, strict=True):
        loss = loss + cross_entropy(value, label)  # -log p(label), the mean over n objects
    return loss
