"""Wrong losses of a detector that people really write. Each must fail the tests of ``detector.loss``."""

import torch

from detector.loss import detection_loss, gaussian_heatmap


def gaussians_added_up(image_of, centres, deviations, size):
    """Tempting because ``index_add`` is at hand; between two objects the target is then above 1."""
    one = [gaussian_heatmap(image_of[k : k + 1], centres[k : k + 1], deviations[k : k + 1], size) for k in range(2)]
    return sum(one)


def gaussian_around_the_exact_centre(image_of, centres, deviations, size):
    """Tempting because the centre is known exactly; the target is then never 1, and no cell counts as a centre."""
    _, rows, columns = size
    x, y = torch.arange(columns) - centres[:, :1], torch.arange(rows) - centres[:, 1:]
    squared = y[:, :, None].square() + x[:, None, :].square()
    out = torch.zeros(size).double()
    for image, gaussian in zip(image_of, torch.exp(-squared / (2 * deviations[:, None, None] ** 2)), strict=True):
        out[image] = torch.maximum(out[image], gaussian)
    return out


def centre_in_the_nearest_cell(image_of, centres, deviations, size):
    """Tempting because rounding sounds more exact; the cell that contains the centre is found by ``floor``."""
    return gaussian_heatmap(image_of, centres.round(), deviations, size)


def rows_for_columns(image_of, centres, deviations, size):
    """Tempting because (x, y) is how points are written; a grid is stored (y, x)."""
    return gaussian_heatmap(image_of, centres.flip(1), deviations, size)


def _focal(logits, target, alpha=2, beta=4, count=None):
    p = logits.sigmoid()
    at_centre = (1 - p) ** alpha * p.log()
    elsewhere = (1 - target) ** beta * p**alpha * (1 - p).log()
    return -torch.where(target == 1, at_centre, elsewhere).sum() / (count or (target == 1).sum())


def exponents_exchanged(logits, target):
    """Tempting because α and β are two small numbers without a meaning of their own."""
    return _focal(logits, target, alpha=4, beta=2)


def near_cells_penalised_in_full(logits, target):
    """Tempting because an ordinary focal loss knows only 0 and 1; a near miss then costs as much as a far one."""
    return _focal(logits, target, beta=0)


def mean_over_all_cells(logits, target):
    """Tempting because "mean" is the default; N is the number of objects, and most cells are empty."""
    return _focal(logits, target, count=target.numel())


def offset_from_the_middle_of_the_cell(offsets, centres):
    """Tempting because a cell's place is its middle; equation 2 counts from its corner."""
    return (offsets - (centres - centres.floor() - 0.5)).abs().sum(dim=1).mean()


def mean_over_both_directions(offsets, centres):
    """Tempting because ``l1_loss`` does so; the paper divides by the number of objects alone."""
    return (offsets - (centres - centres.floor())).abs().mean()


def squared_offset(offsets, centres):
    """Tempting because a squared error is usual for places."""
    return (offsets - (centres - centres.floor())).square().sum(dim=1).mean()


def read_at_row_x(logits, image_of, centres, radii, labels, attributes):
    """Tempting because (x, y) is the order of the centres; the logits are stored (y, x)."""
    return detection_loss(logits.transpose(2, 3), image_of, centres, radii, labels, attributes)


def all_in_the_first_image(logits, image_of, centres, radii, labels, attributes):
    """Tempting to forget: a batch of one image hides it."""
    return detection_loss(logits, torch.zeros_like(image_of), centres, radii, labels, attributes)


HEATMAPS = (gaussians_added_up, gaussian_around_the_exact_centre, centre_in_the_nearest_cell, rows_for_columns)
FOCAL_LOSSES = (exponents_exchanged, near_cells_penalised_in_full, mean_over_all_cells)
OFFSETS = (offset_from_the_middle_of_the_cell, mean_over_both_directions, squared_offset)
SUMS = (read_at_row_x, all_in_the_first_image)
