r"""The two kinds of image encoders (Radford et al. 2021, section 2.4): a residual CNN, and a Vision Transformer.

The CNN follows the paper's ResNet (He et al. 2016): residual blocks, antialiased downsampling, and attention pooling in
the place of average pooling. The Vision Transformer is that of Dosovitskiy et al. 2021, with one more layer norm before
the Transformer.

What differs from the paper: the CNN is small, and it has no batch norm, so that the embedding of an image does not
depend on the other images of its batch.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from clip_mini.model import Transformer


class ResidualBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.Conv2d(outputs, outputs, 3, padding=1)
        )
        self.shortcut = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x):
        return (self.shortcut(x) + self.layers(x)).relu()


class AttentionPool(nn.Module):
    """Section 2.4: one layer of multi-head attention whose query is the mean over all places."""

    def __init__(self, places: int, width: int, heads: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.randn(places + 1, width) * width**-0.5)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.heads = heads

    def forward(self, grid: Float[Tensor, "n width rows columns"]) -> Float[Tensor, "n width"]:
        n, width = grid.shape[:2]
        places = grid.flatten(2).mT  # (n, rows*columns, width)
        x = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + self.positions  # (n, 1 + places, width)
        q, k, v = (
            layer(part).view(n, -1, self.heads, width // self.heads).transpose(1, 2)  # (n, heads, 1 or 1 + places, d)
            for layer, part in ((self.query, x[:, :1]), (self.key, x), (self.value, x))
        )
        return scaled_dot_product_attention(q, k, v).flatten(1)  # (n, width)


class ResidualCNN(nn.Module):
    def __init__(self, image_size: int, channels: Sequence[int], heads: int, background: float) -> None:
        super().__init__()
        layers = [nn.Conv2d(3, channels[0], 4, stride=2, padding=1), nn.ReLU()]
        size = image_size // 2
        for inputs, outputs in zip(channels, channels[1:]):
            layers += [ResidualBlock(inputs, outputs), nn.AvgPool2d(2)]
            size //= 2
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.pool = AttentionPool(size * size, channels[-1], heads)
        self.features, self.background = channels[-1], background

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n features"]:
        return self.pool(self.layers(2 * (images - self.background)))


class VisionTransformer(nn.Module):
    """Patches as words (Dosovitskiy et al. 2021), read at the class token.

    Args:
        image_size, patch: in pixels; ``patch`` divides ``image_size``.
        width, layers, heads, hidden, activation: of the Transformer.
    """

    def __init__(
        self, image_size: int, patch: int, width: int, layers: int, heads: int, hidden: int, activation: str
    ) -> None:
        super().__init__()
        places = (image_size // patch) ** 2
        self.patches = nn.Conv2d(3, width, patch, stride=patch, bias=False)  # a linear map of each patch's pixels
        self.class_token = nn.Parameter(torch.randn(width) * width**-0.5)
        self.positions = nn.Parameter(torch.randn(places + 1, width) * width**-0.5)
        self.norm_before, self.norm_after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, layers, heads, hidden, activation)
        self.features = width

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n width"]:
        n = len(images)
        patches = self.patches(images).flatten(2).mT  # (n, places, width)
        x = torch.cat([self.class_token.expand(n, 1, -1), patches], dim=1) + self.positions  # (n, 1 + places, width)
        x = self.transformer(self.norm_before(x), causal=False)
        return self.norm_after(x[:, 0])  # (n, width)
