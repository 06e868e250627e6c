"""Wrong versions of what an object anywhere needs, each with the reason why it is tempting."""

import torch
from torch.nn.functional import affine_grid, grid_sample

from cgan.extensions.anywhere import EncoderDiscriminator, PlacedGenerator, PooledEncoder, placed
from cgan.model import leaky


def sampled(canvas, matrix, align=False):
    grid = affine_grid(matrix, [*canvas.shape[:2], 32, 32], align_corners=align)
    return grid_sample(canvas, grid, align_corners=align)


def matrix_of(zoom, shift):
    """Rows of (zoom, 0, shift_x) and (0, zoom, shift_y)."""
    return torch.cat([torch.eye(2).to(zoom) * zoom[:, :, None], shift[:, :, None]], dim=2)


def forwards(canvas, centre, scale):
    """Tempting because the canvas goes to c + s q. But the grid says for each pixel of the picture what it shows."""
    return sampled(canvas, matrix_of(scale, centre))


def shift_not_scaled(canvas, centre, scale):
    """Tempting because the centre is a place of the picture. The grid is in lengths of the canvas."""
    return sampled(canvas, matrix_of(1 / scale, -centre))


def rows_first(canvas, centre, scale):
    """Tempting because tensors have the height first. A grid has x first."""
    return placed(canvas, centre.flip(1), scale)


def aligned(canvas, centre, scale):
    """Tempting because it was once the default. −1 is then the middle of the first pixel, not its left edge."""
    return sampled(canvas, matrix_of(1 / scale, -centre / scale), align=True)


PLACINGS = (forwards, shift_not_scaled, rows_first, aligned)


class MeanOfPlaces(PooledEncoder):
    """Tempting because pooling is often a mean. Of 64 places a small object fills a few."""

    def forward(self, images):
        return self.output(self.places(images).mean(dim=(2, 3)))


class MaximumOfChannels(PooledEncoder):
    """Tempting because both are a maximum. It keeps where something is, and forgets what."""

    def forward(self, images):
        return self.output(self.places(images).amax(dim=1).flatten(1)[:, : self.output.in_features])


ENCODERS = (MeanOfPlaces, MaximumOfChannels)


class PictureAlone(EncoderDiscriminator):
    """Tempting because h comes from a network that knows sentences. ψ alone never reads one."""

    def match(self, seen, vectors):
        return self.real(seen)[:, 0] + 0 * vectors.sum(dim=1)


class SentenceAlone(EncoderDiscriminator):
    """Tempting because φ(v) · φ(t) is what was trained. A good fake of another world could be real, too."""

    def match(self, seen, vectors):
        return (self.encoder.output(seen.chunk(2, dim=1)[0]) * vectors).sum(dim=1) + 0 * self.real(seen)[:, 0]


class MeanMeetsTheSentence(EncoderDiscriminator):
    """Tempting because both are h. φ(v) learned with the maximum."""

    def match(self, seen, vectors):
        return self.real(seen)[:, 0] + (self.encoder.output(seen.chunk(2, dim=1)[1]) * vectors).sum(dim=1)


DISCRIMINATORS = (PictureAlone, SentenceAlone, MeanMeetsTheSentence)


class MaskOnce(PlacedGenerator):
    """Tempting because the object is already drawn on its canvas. Around it the canvas covers the background."""

    def forward(self, noise, vectors):
        drawn, mask = self.canvas(noise, vectors).split([3, 1], dim=1)
        centre, scale, background = self.place(torch.cat([noise, leaky(self.canvas.compress(vectors))], dim=1)).split(
            [2, 1, 3], dim=1
        )
        both = placed(torch.cat([drawn, (1 + mask) / 2], dim=1), centre.tanh(), scale.sigmoid())
        return both[:, :3] + (1 - both[:, 3:]) * background.tanh()[:, :, None, None]


class MaskFromMinusOne(PlacedGenerator):
    """Tempting because all four planes come from one tanh. A mask of −1 is a negative object."""

    def forward(self, noise, vectors):
        drawn, mask = self.canvas(noise, vectors).split([3, 1], dim=1)
        centre, scale, background = self.place(torch.cat([noise, leaky(self.canvas.compress(vectors))], dim=1)).split(
            [2, 1, 3], dim=1
        )
        both = placed(torch.cat([mask * drawn, mask], dim=1), centre.tanh(), scale.sigmoid())
        return both[:, :3] + (1 - both[:, 3:]) * background.tanh()[:, :, None, None]


GENERATORS = (MaskOnce, MaskFromMinusOne)
