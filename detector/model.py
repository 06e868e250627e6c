r"""The detector of "Objects as Points" (Zhou, Wang & Krähenbühl 2019, arXiv 1904.07850, sections 3 and 4).

An object is one point, its centre. A fully convolutional network computes three things for each cell of a grid: how
likely an object's centre is in this cell (the heatmap), where in the cell it is (the offset), and what the object is.

What differs from the paper, and why:

- There is one heatmap for all objects, and a softmax for each attribute (colour, shape, size). The paper has one
  heatmap for each class. The toy world has 8 · 6 · 2 = 96 classes, and some of them never occur in training.
- Size is one of the attributes, because the toy world has two sizes. The paper regresses width and height.
- The backbone is small and has two pathways, each with a head of its own. The shape pathway sees how far a pixel's
  colour is from the background, but not in which direction. What it learns about a shape therefore holds for every
  colour. The colour pathway is a 1×1 convolution: what it learns about a colour holds for every shape.
- The heads are linear. The paper's heads have a hidden layer.
- A peak is an object from ``THRESHOLD`` on. The paper keeps the 100 highest peaks.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

CELL = 4  # pixels, height and width of a cell: the paper's output stride R
BACKGROUND = 0.93  # brightness of an empty pixel, from 0 to 1
SHAPE_CHANNELS = (24, 48, 64)  # of the three convolutions of the shape pathway
COLOUR_CHANNELS = 32  # of the convolution of the colour pathway
PRIOR = 0.1  # the heatmap before training: most cells are empty, and at 1/2 their loss would be far too large
THRESHOLD = 0.3  # a lower peak of the heatmap is no object


class Detector(nn.Module):
    """A grid of logits for each image: the heatmap, the offset in x and y, then the values of each attribute.

    Args:
        attributes: how many values each attribute has, such as 8 colours, 6 shapes and 2 sizes. The colour is first.
    """

    def __init__(self, attributes: Sequence[int] = (8, 6, 2)) -> None:
        super().__init__()
        first, second, third = SHAPE_CHANNELS
        self.shape_pathway = nn.Sequential(
            nn.PixelUnshuffle(2),  # 2×2 pixels become 4 channels: the same numbers in fewer places
            nn.Conv2d(4, first, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(second, third, 3, padding=2, dilation=2),  # sees 32×32 pixels; the largest object has 20
            nn.ReLU(),
        ).to(memory_format=torch.channels_last)
        self.colour_pathway = nn.Sequential(nn.AvgPool2d(CELL), nn.Conv2d(3, COLOUR_CHANNELS, 1), nn.ReLU())
        colours, *others = attributes
        self.colour_head = nn.Conv2d(COLOUR_CHANNELS, colours, 1)
        self.shape_head = nn.Conv2d(third, 3 + sum(others), 1)  # heatmap, offset, and the other attributes
        self.attributes = tuple(attributes)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        with torch.no_grad():
            self.shape_head.weight[:3] *= 0.1  # heatmap and offset are nearly the same in all cells at the start
            self.shape_head.bias[0] = torch.tensor(PRIOR).logit()

    def forward(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m channels rows columns"]:
        """Logits in 3 + 16 channels (1 heatmap, 2 offset, 8 + 6 + 2 attributes); ``images`` has values from 0 to 1.

        Raises:
            ValueError: if height or width is not a multiple of ``CELL``.
        """
        h, w = images.shape[2:]
        if h % CELL or w % CELL:
            raise ValueError(f"images must have sides that are multiples of {CELL} pixels, got {h}×{w}")
        difference = images - BACKGROUND  # near 0 in the background
        distance = difference.square().sum(dim=1, keepdim=True).sqrt()  # (m, 1, h, w), of each pixel's colour
        shape = self.shape_pathway((4 * distance).tanh())  # (m, 64, rows, columns); tanh(4d) > 0.96 from d = 0.5 on
        colour = self.colour_pathway(3 * difference)  # (m, 32, rows, columns)
        heatmap_and_offset, others = self.shape_head(shape).tensor_split([3], dim=1)
        return torch.cat([heatmap_and_offset, self.colour_head(colour), others], dim=1)

    @torch.no_grad()
    def grid(self, images: Float[Tensor, "m 3 h w"]) -> Float[Tensor, "m features rows columns"]:
        r"""The frozen features: :math:`[1, p(\text{colour}), p(\text{shape}), p(\text{size})]` where an object's centre
        is, and 0 elsewhere. There are no offsets in it: it shows the cell of a centre, not the place in the cell."""
        heatmap, _, *attributes = self(images).split([1, 2, *self.attributes], dim=1)
        found = peaks(heatmap[:, 0].sigmoid())[:, None]  # (m, 1, rows, columns)
        ones = torch.ones_like(heatmap)
        return found * torch.cat([ones, *(logits.softmax(dim=1) for logits in attributes)], dim=1)


def peaks(heatmap: Float[Tensor, "m rows columns"]) -> Bool[Tensor, "m rows columns"]:
    r"""Section 4, "From points to bounding boxes": cells that are at least ``THRESHOLD``, and not below any of their
    eight neighbours, found by 3×3 max-pooling."""
    largest = max_pool2d(heatmap[:, None], 3, stride=1, padding=1)[:, 0]  # of each cell and its neighbours
    return (heatmap == largest) & (heatmap >= THRESHOLD)
