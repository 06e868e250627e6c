r"""The two kinds of image encoders (Radford et al. 2021, section 2.4): a residual CNN, and a Vision Transformer.

The CNN has residual blocks (He et al. 2016), and attention pooling in the place of average pooling. The Vision
Transformer is that of Dosovitskiy et al. 2021, with one more layer norm before the Transformer.

What differs from the paper, and why:

- The CNN is small. It begins with one convolution; the paper has three. Each further stage has max-pooling and one
  residual block; the paper has several, and antialiased pooling. Inside a block are 3/4 of its channels; the paper
  has 1/4.
- The CNN has no batch norm. So an image's vector does not depend on the other images of its batch. The first weights
  are those of He et al. 2015; with PyTorch's own, shapes are learned much later.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from clip_mini.model import Transformer


class ResidualBlock(nn.Module):
    r"""He et al. 2016, equation 2: :math:`y = \mathrm{ReLU}(W_s x + F(x))`.

    F is a bottleneck (their figure 5): convolutions of 1×1 to ``inside`` channels, 3×3, and 1×1 to ``outputs``.
    """

    def __init__(self, inputs: int, inside: int, outputs: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(inputs, outputs, 1)
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, inside, 1), nn.ReLU(),
            nn.Conv2d(inside, inside, 3, padding=1), nn.ReLU(),
            nn.Conv2d(inside, outputs, 1),
        )  # fmt: skip

    def forward(self, x: Float[Tensor, "n inputs h w"]) -> Float[Tensor, "n outputs h w"]:
        return (self.shortcut(x) + self.layers(x)).relu()


class AttentionPool(nn.Module):
    r"""Section 2.4: one layer of multi-head attention; the query is the mean over all places, :math:`\bar x`.

    Keys and values are the mean and the places. A learned vector for each of them says where it is.

    Args:
        places: rows times columns of the grid.
        width: of each place's vector.
        heads: how many. ``heads`` divides ``width``.
    """

    def __init__(self, places: int, width: int, heads: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(width**-0.5 * torch.randn(1 + places, width))
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.heads = heads

    def forward(self, grid: Float[Tensor, "n width rows columns"]) -> Float[Tensor, "n width"]:
        n, width = grid.shape[:2]
        places = grid.flatten(2).mT  # (n, places, width)
        x = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + self.positions  # (n, 1 + places, width)
        q, k, v = (
            layer(part).view(n, -1, self.heads, width // self.heads).transpose(1, 2)  # (n, heads, 1 or 1 + places, d)
            for layer, part in ((self.query, x[:, :1]), (self.key, x), (self.value, x))
        )
        return scaled_dot_product_attention(q, k, v).flatten(1)  # (n, width); the projection is CLIP's own


class ResidualCNN(nn.Module):
    """A convolution at half resolution, then for each further stage max-pooling and a residual block.

    Args:
        image_size: in pixels, a multiple of 2 to the power of the number of stages.
        channels: of each stage, the first convolution included.
        heads: of the attention pooling.
        background: brightness of an empty pixel, from 0 to 1; it is subtracted first.

    Raises:
        ValueError: if ``image_size`` is not a multiple of that.
    """

    def __init__(self, image_size: int, channels: Sequence[int], heads: int, background: float) -> None:
        super().__init__()
        shrinks = 2 ** len(channels)  # each stage halves height and width
        if image_size % shrinks:
            stages = f"{len(channels)} stages"
            raise ValueError(f"image_size must be a multiple of {shrinks} pixels with {stages}, got {image_size}")
        layers = [nn.Conv2d(3, channels[0], 6, stride=2, padding=2), nn.ReLU()]
        for inputs, outputs in pairwise(channels):
            layers += [nn.MaxPool2d(2), ResidualBlock(inputs, math.ceil(0.75 * outputs), outputs)]
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.pool = AttentionPool((image_size // shrinks) ** 2, channels[-1], heads)
        self.features, self.background = channels[-1], background
        for layer in self.layers.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n features"]:
        return self.pool(self.layers(2 * (images - self.background)))


class VisionTransformer(nn.Module):
    """Patches instead of words, read at the class token (Dosovitskiy et al. 2021, equations 1 to 4).

    Args:
        image_size, patch: in pixels. What is left beyond the last whole patch is not read.
        width, layers, heads, hidden, activation: of the Transformer.
    """

    def __init__(
        self, image_size: int, patch: int, width: int, layers: int, heads: int, hidden: int, activation: str
    ) -> None:
        super().__init__()
        places = (image_size // patch) ** 2
        self.patches = nn.Conv2d(3, width, patch, stride=patch, bias=False)  # E: a linear map of each patch's pixels
        self.class_token = nn.Parameter(width**-0.5 * torch.randn(width))
        self.positions = nn.Parameter(width**-0.5 * torch.randn(1 + places, width))
        self.norm_before, self.norm_after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads, hidden, activation)
        self.features = width

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n width"]:
        n = len(images)
        patches = self.patches(images).flatten(2).mT  # (n, places, width)
        x = torch.cat([self.class_token.expand(n, 1, -1), patches], dim=1) + self.positions  # (n, 1 + places, width)
        x = self.transformer(self.norm_before(x), causal=False)
        return self.norm_after(x[:, 0])  # (n, width)
