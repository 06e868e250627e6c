r"""What two objects with a relation need, as in "a large red square left of a small blue star".

- **φ(t) has parts**: a vector for each object, t₁ and t₂, and two numbers r for the relation. **φ(v) has regions**: a
  vector for each of 8×8 places. Each part looks for its best region, and the products are added (Karpathy & Fei-Fei
  2015, arXiv 1412.2306, equation 8, where a part is a word). So "red" and "square" must be found at one place, and the
  other object may be anywhere.
- **The relation is a direction.** Each part's expected place is a spatial softmax of its products (Finn et al. 2016,
  arXiv 1509.06113, section V). The product of r with the difference of both places is large if r points from the
  second to the first. So "left of" is learned as one direction, for all objects.
- **The generator draws an object for each part.** Both times it is the same network, the canvas of ``anywhere.py``.

``cgan/report/measured.md`` has what was measured.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from cgan.extensions.anywhere import EncoderDiscriminator, PooledEncoder, placed
from cgan.model import leaky
from cgan.text_to_image import TextGenerator

OBJECTS = 2


def sentence_size(part: int) -> int:
    """How many numbers φ(t) has, if a part has this many."""
    return OBJECTS * part + 2


def parts_of(vectors: Float[Tensor, "n d"]) -> tuple[Tensor, Tensor, Tensor]:
    """φ(t) = [t₁, t₂, r]."""
    part = (vectors.shape[1] - 2) // OBJECTS
    return vectors.split([part, part, 2], dim=1)


class RegionEncoder(PooledEncoder):
    r"""A vector for each region, :math:`v_i = W h_i`, where h_i is the maximum of a place and its eight neighbours.

    Args:
        channels: of the first convolution; twice and four times as many follow.
        size: numbers in v_i, and in a part of φ(t).
    """

    def __init__(self, channels: int, size: int) -> None:
        super().__init__(channels, size)
        self.relation = nn.Parameter(torch.tensor(4.0))  # γ

    def forward(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n places size"]:
        return self.regions(self.places(images))

    def regions(self, places: Float[Tensor, "n c h w"]) -> Float[Tensor, "n places size"]:
        return self.output(max_pool2d(places, 3, stride=1, padding=1).flatten(2).mT)

    def score(self, regions: Float[Tensor, "n places size"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        r""":math:`\sum_k \max_i v_i \cdot t_k + \gamma\, r \cdot (c_1 - c_2)` of each picture with its sentence, where
        :math:`c_k = \sum_i \mathrm{softmax}_i(v_i \cdot t_k)\, p_i`, and p_i is the place of region i."""
        first, second, relation = parts_of(vectors)
        products = (torch.einsum("nik,nk->ni", regions, part) for part in (first, second))
        return self.matched(*products, relation)

    def scores(self, regions: Float[Tensor, "n places size"], vectors: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
        """The same for each picture with each sentence."""
        first, second, relation = parts_of(vectors)
        products = (torch.einsum("nik,mk->nmi", regions, part) for part in (first, second))
        return self.matched(*products, relation)

    def matched(
        self, first: Float[Tensor, "*n i"], second: Float[Tensor, "*n i"], relation: Float[Tensor, "m 2"]
    ) -> Float[Tensor, "*n"]:
        r"""The score from :math:`v_i \cdot t_1` and :math:`v_i \cdot t_2`."""
        side = round(first.shape[-1] ** 0.5)
        middles = (2 * torch.arange(side).to(first) + 1) / side - 1  # −1 is the left or top edge, 1 the other
        places = torch.cartesian_prod(middles, middles).flip(1)  # (i, 2): x and y of each region
        apart = (first.softmax(dim=-1) - second.softmax(dim=-1)) @ places  # (*n, 2): c₁ − c₂
        return first.amax(dim=-1) + second.amax(dim=-1) + self.relation * (relation * apart).sum(dim=-1)


class RegionDiscriminator(EncoderDiscriminator):
    r""":math:`\psi(h, \bar h)` plus the score of the picture with the sentence, in place of φ(v) · φ(t)."""

    def look(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n c 8 8"]:
        """What is seen at each place, before the sentence is known."""
        return self.encoder.places(images)

    def match(self, seen: Float[Tensor, "n c 8 8"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        h = torch.cat([seen.amax(dim=(2, 3)), seen.mean(dim=(2, 3))], dim=1)  # (n, 2c)
        return self.real(h)[:, 0] + self.encoder.score(self.encoder.regions(seen), vectors)


class PairGenerator(nn.Module):
    r""":math:`\hat x = m_2 o_2 + (1 - m_2)(m_1 o_1 + (1 - m_1) b)`: two objects before a background of one colour b.

    A third of the noise goes to each object's canvas. All of it decides the places.

    Args:
        sentence: numbers in φ(t) = [t₁, t₂, r].
        noise: numbers in z, a multiple of 3.
        compressed: numbers in each part, compressed.
        channels: at 4×4 and at 8×8 places of the canvas. Two of them lead to a canvas of 16×16 pixels.
    """

    def __init__(self, sentence: int, noise: int, compressed: int, channels: Sequence[int]) -> None:
        super().__init__()
        part = (sentence - 2) // OBJECTS
        self.canvas = TextGenerator(part, noise // (OBJECTS + 1), compressed, channels, planes=4)
        self.meet = nn.Linear(noise + OBJECTS * compressed + 2, OBJECTS * compressed)
        self.place = nn.Linear(OBJECTS * compressed, 3 * OBJECTS + 3)  # x, y and scale of each; the background's colour

    def forward(self, noise: Float[Tensor, "n z"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, "n 3 h w"]:
        *parts, relation = parts_of(vectors)
        own = torch.cat(noise.chunk(OBJECTS + 1, dim=1)[:OBJECTS])  # (2n, z / 3): all first objects, then all second
        drawn, mask = self.canvas(own, torch.cat(parts)).split([3, 1], dim=1)
        mask = (1 + mask) / 2  # from 0 to 1
        compressed = (leaky(self.canvas.compress(part)) for part in parts)
        layout = self.place(leaky(self.meet(torch.cat([noise, *compressed, relation], dim=1))))  # (n, 9)
        *where, background = layout.split([3] * OBJECTS + [3], dim=1)
        centre, scale = torch.cat(where).split([2, 1], dim=1)  # (2n, 2), (2n, 1)
        both = placed(torch.cat([mask * drawn, mask], dim=1), centre.tanh(), scale.sigmoid())
        picture = background.tanh()[:, :, None, None]  # (n, 3, 1, 1)
        for one in both.chunk(OBJECTS):  # (n, 4, 32, 32): the object times its mask, and the mask
            picture = one[:, :3] + (1 - one[:, 3:]) * picture
        return picture
