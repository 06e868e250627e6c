"""From the heatmap's peaks to a list of objects (Zhou et al. 2019, section 4, "From points to bounding boxes")."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from detector.data import ATTRIBUTES
from detector.model import Detector, peaks


@dataclass(frozen=True)
class Detection:
    """An object that was found; ``x`` and ``y`` of its centre are in image widths and heights, from the top left."""

    colour: str
    shape: str
    size: str
    x: float
    y: float
    confidence: float  # the heatmap at the peak, 0 to 1


@torch.no_grad()
def detect(model: Detector, images: Float[Tensor, "m 3 h w"]) -> list[list[Detection]]:
    r"""Section 4: the objects of each image, the most confident one first.

    The centre of a peak in cell :math:`(\hat x, \hat y)` is :math:`(\hat x + \delta\hat x, \hat y + \delta\hat y)`,
    with the offsets :math:`\delta\hat x, \delta\hat y` of that cell.

    Args:
        model: a trained detector.
        images: with values from 0 to 1, and sides that are multiples of 4 pixels.
    """
    logits = model(images)
    m, _, rows, columns = logits.shape
    heatmap = logits[:, 0].sigmoid()
    found: list[list[Detection]] = [[] for _ in range(m)]
    for image, row, column in peaks(heatmap).nonzero().tolist():
        _, (right, down), *values = logits[image, :, row, column].split([1, 2, *model.attributes])
        names = [allowed[value.argmax()] for allowed, value in zip(ATTRIBUTES.values(), values, strict=True)]
        x, y = (column + right.item()) / columns, (row + down.item()) / rows
        found[image].append(Detection(*names, x, y, heatmap[image, row, column].item()))
    return [sorted(objects, key=lambda o: -o.confidence) for objects in found]
