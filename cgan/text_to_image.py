r"""Two players that see a sentence (Reed et al. 2016, arXiv 1605.05396, section 4.2 and figure 2).

The sentence comes as its vector h = φ(t), from ``text_encoder.py``. Each player has a linear layer of its own that
compresses h, with a leaky ReLU. The generator gets noise beside it, so that one sentence has many pictures. The
discriminator makes a picture into 4×4 places with strided convolutions. It copies the compressed sentence to all
places, joins both in a 1×1 convolution, and gives one logit.

What differs from the paper, and why:

- Pictures have 32×32 pixels, not 64×64, and the networks are much narrower: a CPU trains them in minutes.
- The discriminator has no batch normalisation. So the logit of a picture does not depend on the others of the batch,
  and ``look`` need not run again for a second sentence.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cgan.model import leaky

PLACES = 4  # at the start of the generator and the end of the discriminator, height and width


def places(downs: Iterable[nn.Module], images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c 4 4"]:
    """Strided convolutions, each with a leaky ReLU.

    Raises:
        ValueError: if the pictures have another size than that which leads to 4×4 places.
    """
    h = images
    for down in downs:
        h = leaky(down(h))
    if h.shape[2:] != (PLACES, PLACES):
        raise ValueError(
            f"images must lead to {PLACES}×{PLACES} places, got {images.shape[2]}×{images.shape[3]} pixels"
        )
    return h


class TextGenerator(nn.Module):
    r""":math:`\hat x = G(z, \varphi(t))`. Each transposed convolution doubles the places.

    Args:
        sentence: numbers in φ(t).
        noise: dimensions of z, 100 in the paper.
        compressed: numbers in the compressed sentence, 128 in the paper.
        channels: at 4×4 places, at 8×8, and so on. Three of them lead to 32×32 pixels.
        planes: of the picture. ``extensions/anywhere.py`` has a fourth one, a mask.
    """

    def __init__(self, sentence: int, noise: int, compressed: int, channels: Sequence[int], planes: int = 3) -> None:
        super().__init__()
        self.compress = nn.Linear(sentence, compressed)
        self.start = nn.Linear(noise + compressed, channels[0] * PLACES**2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(size) for size in channels)
        sizes = pairwise((*channels, planes))
        self.ups = nn.ModuleList(nn.ConvTranspose2d(before, after, 4, 2, 1) for before, after in sizes)

    def forward(self, noise: Float[Tensor, "n z"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n c h w"]:
        h = torch.cat([noise, leaky(self.compress(vectors))], dim=1)
        h = self.start(h).unflatten(1, (-1, PLACES, PLACES))  # (n, channels[0], 4, 4)
        for norm, up in zip(self.norms, self.ups, strict=True):
            h = up(norm(h).relu())
        return h.tanh()


class TextDiscriminator(nn.Module):
    r"""The logit of :math:`D(x, \varphi(t))`: how likely x is real, and t true of it.

    Args:
        sentence, compressed: as in the generator.
        channels: after each convolution. Three of them lead from 32×32 pixels to 4×4 places.
        joint: channels of the layer that sees picture and sentence.
    """

    def __init__(self, sentence: int, compressed: int, channels: Sequence[int], joint: int) -> None:
        super().__init__()
        sizes = pairwise((3, *channels))
        self.downs = nn.ModuleList(nn.Conv2d(before, after, 4, 2, 1) for before, after in sizes)
        self.compress = nn.Linear(sentence, compressed)
        self.joint = nn.Conv2d(channels[-1] + compressed, joint, 1)
        self.output = nn.Conv2d(joint, 1, PLACES)

    def forward(self, images: Float[Tensor, "n 3 h w"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return self.match(self.look(images), vectors)

    def look(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c 4 4"]:
        """What the discriminator sees in a picture, before it knows the sentence."""
        return places(self.downs, images)

    def match(self, seen: Float[Tensor, "n c 4 4"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        copied = leaky(self.compress(vectors))[:, :, None, None].expand(-1, -1, PLACES, PLACES)  # (n, compressed, 4, 4)
        return self.output(leaky(self.joint(torch.cat([seen, copied], dim=1)))).flatten()
