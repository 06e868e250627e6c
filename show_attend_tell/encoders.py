"""Annotation vectors of an image (Xu et al. 2015, section 3.1.1).

The paper takes them from a lower convolutional layer than the last one, so that each belongs to a part of the image.
``with_places`` makes them from any grid of features, such as that of the frozen detector. ``SmallCNN`` computes a grid
from pixels, and learns with the rest of the model.

What the paper does not have: each annotation ends with the x and y of its cell, because the detector's grid does not
say where a cell is. (Features of a deep CNN say it, through the padding at the image's edges.)
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

SCALE = 8.0  # the detector's features are multiplied by it


def with_places(grid: Float[Tensor, "m channels rows columns"]) -> Float[Tensor, "m rows*columns channels+2"]:
    """The cells of a grid, row by row, each followed by the x and y of its middle: from -1, at the left and at the top
    of the image, to 1."""
    m, _, rows, columns = grid.shape
    x = (2 * torch.arange(columns).to(grid) + 1) / columns - 1
    y = (2 * torch.arange(rows).to(grid) + 1) / rows - 1
    places = torch.stack([x.expand(rows, columns), y[:, None].expand(rows, columns)])  # (2, rows, columns)
    return torch.cat([grid, places.expand(m, 2, rows, columns)], dim=1).flatten(2).transpose(1, 2)


def of_detector(grid: Float[Tensor, "m channels rows columns"]) -> Float[Tensor, "m rows*columns channels+2"]:
    """The annotations of a detector's grid, whose cells are 0 where no object is. The features are multiplied by 8.

    One or two cells of 256 hold an object. Without the factor, the mean annotation would be near 0 for all images, and
    the first state of the LSTM nearly the same.
    """
    return with_places(SCALE * grid)


class SmallCNN(nn.Module):
    """Convolution, ReLU, 2×2 max-pooling, once for each number in ``channels``; each cell then is an annotation.

    Args:
        channels: of each of the 3×3 convolutions.
        background: brightness of an empty pixel, from 0 to 1; it is subtracted first.
    """

    def __init__(self, channels: Sequence[int], background: float) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *channels), channels, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.annotation, self.background = channels[-1] + 2, background  # with x and y
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m L annotation"]:
        return with_places(self.layers(2 * (images - self.background)))
