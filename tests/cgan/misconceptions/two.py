"""Wrong versions of what two objects need, each with the reason why it is tempting."""

import torch

from cgan.extensions.anywhere import placed
from cgan.extensions.two import PairGenerator, RegionEncoder, parts_of
from cgan.model import leaky


class MeanOfRegions(RegionEncoder):
    """Tempting because pooling is often a mean. Of 64 regions an object fills a few."""

    def matched(self, first, second, relation):
        largest = super().matched(first, second, relation) - first.amax(dim=-1) - second.amax(dim=-1)
        return largest + first.mean(dim=-1) + second.mean(dim=-1)


class OneRegionForAll(RegionEncoder):
    """Tempting because it is the largest sum. But both objects would have to be at one place."""

    def matched(self, first, second, relation):
        largest = super().matched(first, second, relation) - first.amax(dim=-1) - second.amax(dim=-1)
        return largest + (first + second).amax(dim=-1)


class Backwards(RegionEncoder):
    """Tempting because a difference is often "second minus first". Then r of a sentence points the other way."""

    def matched(self, first, second, relation):
        return super().matched(first, second, -relation)


class RowsFirst(RegionEncoder):
    """Tempting because tensors have the rows first: y, then x."""

    def matched(self, first, second, relation):
        return super().matched(first, second, relation.flip(1))


class NoNeighbours(RegionEncoder):
    """Tempting because a convolution sees enough. Parts of one shape are found at neighbouring places."""

    def regions(self, places):
        return self.output(places.flatten(2).mT)


ENCODERS = (MeanOfRegions, OneRegionForAll, Backwards, RowsFirst, NoNeighbours)


class OnePart(PairGenerator):
    """Tempting because the sentence is one. Then both objects are the same."""

    def forward(self, noise, vectors):
        first, _, relation = parts_of(vectors)
        return drawn_pair(self, noise, (first, first), relation)


class FirstInFront(PairGenerator):
    """Tempting because the first object is drawn first. What is drawn last lies in front."""

    def forward(self, noise, vectors):
        *parts, relation = parts_of(vectors)
        return drawn_pair(self, noise, parts, relation, order=(1, 0))


class OneNoise(PairGenerator):
    """Tempting because z is one vector. Then both objects vary together."""

    def forward(self, noise, vectors):
        *parts, relation = parts_of(vectors)
        return drawn_pair(self, noise, parts, relation, thirds=(0, 0))


class NoRelation(PairGenerator):
    """Tempting because the parts say what to draw. Then nothing says where."""

    def forward(self, noise, vectors):
        *parts, relation = parts_of(vectors)
        return drawn_pair(self, noise, parts, 0 * relation)


def drawn_pair(model, noise, parts, relation, order=(0, 1), thirds=(0, 1)):
    own = torch.cat([noise.chunk(3, dim=1)[k] for k in thirds])
    drawn, mask = model.canvas(own, torch.cat(list(parts))).split([3, 1], dim=1)
    mask = (1 + mask) / 2
    compressed = [leaky(model.canvas.compress(part)) for part in parts]
    told = model.place(leaky(model.meet(torch.cat([noise, *compressed, relation], dim=1))))
    where = torch.cat([told[:, :3], told[:, 3:6]])
    both = placed(torch.cat([mask * drawn, mask], dim=1), where[:, :2].tanh(), where[:, 2:].sigmoid()).chunk(2)
    picture = told[:, 6:].tanh()[:, :, None, None]
    for k in order:
        picture = both[k][:, :3] + (1 - both[k][:, 3:]) * picture
    return picture


GENERATORS = (OnePart, FirstInFront, OneNoise, NoRelation)
