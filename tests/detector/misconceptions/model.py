"""Wrong ways to read a heatmap that people really write. Each must fail the tests of ``detector.model``."""

from dataclasses import replace

import torch
from torch.nn.functional import max_pool2d

from detector.decode import detect
from detector.model import THRESHOLD, peaks


def everything_above_the_threshold(heatmap):
    """Tempting because a threshold is enough for one sharp cell; an object is then found once for each warm cell."""
    return heatmap >= THRESHOLD


def only_the_largest_of_each_image(heatmap):
    """Tempting because ``argmax`` finds a peak; an image has several objects."""
    return heatmap == heatmap.amax(dim=(1, 2), keepdim=True)


def peaks_of_a_coarser_grid(heatmap):
    """Tempting because max-pooling has a stride of its own size; neighbours across its borders are not compared."""
    largest = max_pool2d(heatmap[:, None], 2, ceil_mode=True).repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    _, rows, columns = heatmap.shape
    return (heatmap == largest[:, 0, :rows, :columns]) & (heatmap > 0.1)


def _parts(model, images):
    heatmap, _, *attributes = model(images).split([1, 2, *model.attributes], dim=1)
    return heatmap, attributes


def one_softmax_for_all_attributes(model, images):
    """Tempting because one call is enough; an object that is surely red then has no probability left for its shape."""
    heatmap, attributes = _parts(model, images)
    found = peaks(heatmap[:, 0].sigmoid())[:, None]
    return found * torch.cat([torch.ones_like(heatmap), torch.cat(attributes, dim=1).softmax(dim=1)], dim=1)


def attributes_of_empty_cells(model, images):
    """Tempting because a softmax is a probability already; empty cells then count as objects."""
    heatmap, attributes = _parts(model, images)
    found = peaks(heatmap[:, 0].sigmoid())[:, None]
    return torch.cat([found.to(heatmap), *(logits.softmax(dim=1) for logits in attributes)], dim=1)


def heat_in_place_of_peaks(model, images):
    """Tempting because the heatmap is a probability; the cells around a centre are warm too, and counts are wrong."""
    heatmap, attributes = _parts(model, images)
    ones = torch.ones_like(heatmap)
    return heatmap.sigmoid() * torch.cat([ones, *(logits.softmax(dim=1) for logits in attributes)], dim=1)


def offsets_forgotten(model, images):
    """Tempting because a cell is a place already; centres are then wrong by up to a cell."""
    found, (_, _, rows, columns) = detect(model, images), model(images).shape
    return [
        [replace(o, x=(o.x * columns // 1) / columns, y=(o.y * rows // 1) / rows) for o in objects] for objects in found
    ]


def x_and_y_exchanged(model, images):
    """Tempting because a grid's index is (row, column), which is (y, x)."""
    return [[replace(o, x=o.y, y=o.x) for o in objects] for objects in detect(model, images)]


def in_the_order_of_the_cells(model, images):
    """Tempting because ``nonzero`` gives them so; the most confident one must come first."""
    return [sorted(objects, key=lambda o: o.confidence) for objects in detect(model, images)]


PEAKS = (everything_above_the_threshold, only_the_largest_of_each_image, peaks_of_a_coarser_grid)
GRIDS = (one_softmax_for_all_attributes, attributes_of_empty_cells, heat_in_place_of_peaks)
DETECTIONS = (offsets_forgotten, x_and_y_exchanged, in_the_order_of_the_cells)
