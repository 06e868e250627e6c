r"""What one object anywhere in the picture needs, and Reed et al. 2016 do not have. Its radius is 3 to 5 pixels.

- **The discriminator begins as φ(v).** The picture encoder has learned beside the sentence encoder which sentence is
  true of a picture: φ(v) · φ(t) is larger. So the discriminator begins with its weights and learns on. (Projected GANs,
  Sauer et al. 2021, arXiv 2111.01007, section 3, also begin with a trained network, but freeze it.)
- **The maximum over the places** is what both see: it counts what there is, not where.
- **The generator places what it draws**, with the affine grid of a spatial transformer (Jaderberg et al. 2015, arXiv
  1506.02025, equation 1). It draws an object and its mask on a canvas, as close up. A linear layer says where the
  canvas lies, how large it is, and which colour the background has. So a shape is learned once, not at each place.

``cgan/report/measured.md`` has what was measured.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from cgan.model import leaky
from cgan.text_to_image import TextGenerator

SIDE = 32  # pixels of a picture, height and width


class PooledEncoder(nn.Module):
    r"""φ(v) = W h: three convolutions, of each channel the maximum over the places, and a linear layer.

    Args:
        channels: of the first convolution; twice and four times as many follow.
        size: numbers in φ(v).
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, channels, 4, stride=2, padding=1)
        self.second = nn.Conv2d(channels, 2 * channels, 3, padding=1)  # all 16×16 places: shapes are small
        self.third = nn.Conv2d(2 * channels, 4 * channels, 4, stride=2, padding=1)
        self.output = nn.Linear(4 * channels, size)

    def places(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c 8 8"]:
        """What is seen at each place.

        Raises:
            ValueError: if the pictures have another size than 32×32 pixels.
        """
        if images.shape[2:] != (SIDE, SIDE):
            raise ValueError(f"images must have {SIDE}×{SIDE} pixels, got {images.shape[2]}×{images.shape[3]}")
        h = leaky(self.second(leaky(self.first(images))))  # (n, 2 * channels, 16, 16)
        return leaky(self.third(h))

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        return self.output(self.places(images).amax(dim=(2, 3)))


class EncoderDiscriminator(nn.Module):
    r""":math:`\psi(h, \bar h) + \varphi(v)^\top \varphi(t)`, where φ(v) = W h and ψ is a linear layer.

    ψ also sees the mean over the places, :math:`\bar h`. So the generator gets a gradient at each of them.

    Args:
        encoder: φ(v). It learns on with the discriminator.
    """

    def __init__(self, encoder: PooledEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.real = nn.Linear(2 * encoder.output.in_features, 1)  # ψ

    def forward(self, images: Float[Tensor, "n 3 h w"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return self.match(self.look(images), vectors)

    def look(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c"]:
        """h and its mean, what the discriminator sees in a picture before it knows the sentence."""
        h = self.encoder.places(images)
        return torch.cat([h.amax(dim=(2, 3)), h.mean(dim=(2, 3))], dim=1)

    def match(self, seen: Float[Tensor, "n c"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        largest, _ = seen.chunk(2, dim=1)
        return self.real(seen)[:, 0] + (self.encoder.output(largest) * vectors).sum(dim=1)


def placed(
    canvas: Float[Tensor, "n c k k"], centre: Float[Tensor, "n 2"], scale: Float[Tensor, "n 1"]
) -> Float[Tensor, "n c h w"]:
    r"""Each canvas in a picture, which is 0 elsewhere.

    The picture's point p shows the canvas' point :math:`(p - c) / s`, with centre c and scale s. Both go from −1 at the
    left (top) to 1 at the right (bottom). Between the canvas' pixels the colour is interpolated.
    """
    zoom = torch.eye(2).to(scale) / scale[:, :, None]  # (n, 2, 2)
    matrix = torch.cat([zoom, (-centre / scale)[:, :, None]], dim=2)  # (n, 2, 3)
    grid = affine_grid(matrix, [*canvas.shape[:2], SIDE, SIDE], align_corners=False)
    return grid_sample(canvas, grid, align_corners=False)


class PlacedGenerator(nn.Module):
    r""":math:`\hat x = m o + (1 - m) b`: an object o with its mask m, both placed, before a background of one colour b.

    Args:
        sentence, noise, compressed: as in ``TextGenerator``.
        channels: at 4×4 and at 8×8 places of the canvas. Two of them lead to a canvas of 16×16 pixels.
    """

    def __init__(self, sentence: int, noise: int, compressed: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.canvas = TextGenerator(sentence, noise, compressed, channels, planes=4)  # an object's colours, its mask
        self.place = nn.Linear(
            noise + compressed, 6
        )  # x and y of the centre, the scale, the background's three colours

    def forward(self, noise: Float[Tensor, "n z"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n 3 h w"]:
        drawn, mask = self.canvas(noise, vectors).split([3, 1], dim=1)  # each from −1 to 1
        mask = (1 + mask) / 2  # from 0 to 1
        told = torch.cat([noise, leaky(self.canvas.compress(vectors))], dim=1)
        centre, scale, background = self.place(told).split([2, 1, 3], dim=1)
        both = placed(torch.cat([mask * drawn, mask], dim=1), centre.tanh(), scale.sigmoid())
        return both[:, :3] + (1 - both[:, 3:]) * background.tanh()[:, :, None, None]
