r"""Image encoders, in the place of the paper's VGGNet (Antol et al. 2015, section 5.2).

``GridEncoder`` reads the grid of a frozen, pretrained detector, as the paper reads VGGNet's features. ``SmallCNN``
reads pixels and learns with the rest of the model.

What the paper does not have, and why the toy world needs it:

- An object fills one cell of the detector's grid. A linear map and ReLU read each object by itself, so that one channel
  can detect "red and a star". After the objects are added up, no linear map can.
- Each channel is summed over the objects, because a question may ask how many there are. It is also summed with the
  objects' x and y as weights (the first moments), because a question may ask what is left of what.
- A constant entry follows the sums. Without it, "norm I" gives one star and two stars the same vector.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

CONSTANT = 10.0  # about as large as the length of the sums before training
EDGE = 2.0  # x and y run from −2 to 2; with −1 to 1, relations are learned later


class GridEncoder(nn.Module):
    r"""Sums over the objects o of a grid: :math:`[\sum_o h_o,\; \sum_o x_o h_o,\; \sum_o y_o h_o,\; k]`, h = ReLU(W f).

    x and y are those of the middle of the object's cell. x is -2 at the left edge of the image and 2 at the right edge;
    y is -2 at the top and 2 at the bottom.

    At the start, each channel of h has weights for a random half of the attributes. So some channels depend on the
    colour alone, and others on colour and shape. Without this start, fewer answers about held-out pairs are right.

    Args:
        channels: how many numbers h has.
        attributes: how many values each attribute has. The grid holds 1 where an object is, then the probabilities of
            the values of each attribute; all are 0 where no object is.
    """

    def __init__(self, channels: int, attributes: Sequence[int] = (8, 6, 2)) -> None:
        super().__init__()
        self.read = nn.Linear(1 + sum(attributes), channels, bias=False)
        self.features = 3 * channels + 1
        nn.init.kaiming_normal_(self.read.weight, nonlinearity="relu")
        asked = (torch.rand(channels, len(attributes)) < 0.5).repeat_interleave(torch.tensor(attributes), dim=1)
        with torch.no_grad():
            self.read.weight[:, 0] = 0
            self.read.weight[:, 1:] *= asked

    def forward(self, grid: Float[Tensor, "m inputs rows columns"]) -> Float[Tensor, "m features"]:
        m, _, rows, columns = grid.shape
        image, row, column = grid[:, 0].nonzero(as_tuple=True)  # the cells with an object; the others would add 0
        h = self.read(grid[image, :, row, column]).relu()  # (objects, channels)
        x = EDGE * ((2 * column[:, None].to(h) + 1) / columns - 1)  # (objects, 1)
        y = EDGE * ((2 * row[:, None].to(h) + 1) / rows - 1)
        moments = torch.cat([h, x * h, y * h], dim=1)  # (objects, 3*channels)
        sums = moments.new_zeros(m, moments.shape[1]).index_add(0, image, moments)  # over the objects of each image
        return torch.cat([sums, sums.new_full((m, 1), CONSTANT)], dim=1)


class SmallCNN(nn.Module):
    """Convolution, ReLU, 2×2 max-pooling, once for each number in ``channels``; then the largest value of each channel.

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
        self.features, self.background = channels[-1], background
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m features"]:
        return self.layers(2 * (images - self.background)).amax(dim=(2, 3))  # (m, channels[-1])
