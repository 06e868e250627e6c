"""Wrong image encoders that people really write. Each must fail the tests of ``vqa.encoders``."""

import torch

from vqa.encoders import CONSTANT, EDGE


def _h(encoder, grid):
    return torch.einsum("ci,mihw->mchw", encoder.read.weight, grid).relu()  # (m, channels, rows, columns)


def _places(h):
    rows, columns = h.shape[2:]
    x = EDGE * ((2 * torch.arange(columns).double() + 1) / columns - 1)
    y = EDGE * ((2 * torch.arange(rows).double() + 1) / rows - 1)
    return x, y


def _pooled(h, x, y):
    constant = torch.full((len(h), 1), CONSTANT).double()
    return torch.cat([h.sum((2, 3)), h.sum(2) @ x, h.sum(3) @ y, constant], dim=1)


def moments_with_axes_exchanged(encoder, grid):
    """Tempting because (x, y) is how points are written; a grid is stored (y, x)."""
    h = _h(encoder, grid)
    total, across, down, constant = _pooled(h, *_places(h)).split([h.shape[1]] * 3 + [1], dim=1)
    return torch.cat([total, down, across, constant], dim=1)


def mean_in_place_of_the_sum(encoder, grid):
    """Tempting because average pooling is usual; a mean over the objects no longer says how many there are."""
    objects = grid[:, 0].sum(dim=(1, 2))[:, None]
    h = _h(encoder, grid)
    total, constant = _pooled(h, *_places(h)).split([3 * h.shape[1], 1], dim=1)
    return torch.cat([total / objects, constant], dim=1)


def relu_after_the_sum(encoder, grid):
    """Tempting because sum and linear map commute; ReLU does not, and "red and a star" is lost."""
    summed = encoder.read(grid.sum(dim=(2, 3))).relu()
    x, y = _places(grid)
    moments = [encoder.read(grid.sum(2) @ x).relu(), encoder.read(grid.sum(3) @ y).relu()]
    return torch.cat([summed, *moments, torch.full((len(grid), 1), CONSTANT).double()], dim=1)


def cells_counted_from_zero(encoder, grid):
    """Tempting because ``arange`` is at hand; the moments then hold the sum once more, and grow with the grid."""
    h = _h(encoder, grid)
    return _pooled(h, torch.arange(h.shape[3]).double(), torch.arange(h.shape[2]).double())


def without_the_constant(encoder, grid):
    """Tempting because the paper has no such entry; after "norm I" two stars then look like one."""
    out = encoder(grid)
    return torch.cat([out[:, :-1], torch.zeros_like(out[:, -1:])], dim=1)


def background_not_subtracted(cnn, images):
    """Tempting because pixels are numbers from 0 to 1 already; the empty background then has the largest values."""
    return cnn(images + cnn.background)


def mean_over_the_places(cnn, images):
    """Tempting because global average pooling is usual; a small object is then a small number."""
    return cnn.layers(2 * (images - cnn.background)).mean(dim=(2, 3))


GRID_ENCODERS = (
    moments_with_axes_exchanged,
    mean_in_place_of_the_sum,
    relu_after_the_sum,
    cells_counted_from_zero,
    without_the_constant,
)
CNNS = (background_not_subtracted, mean_over_the_places)
