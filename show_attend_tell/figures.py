"""Figures: where the model looks at each word of a caption, and the captions' quality during training."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor
from torch.nn.functional import interpolate

from lab.figure import PALETTE, drawing

COLUMNS = 6  # panels in a row
CURVES = {"right": "true and complete", "true": "true", "complete": "complete", "pointing": "pointing game"}


def draw_attention(
    path: Path, image: Float[Tensor, "3 h w"], words: Sequence[str], weights: Float[Tensor, "t L"], rows: int = 0
) -> None:
    """The image, then a panel for each word: the image is bright where the model looks.

    Args:
        weights: row t is the attention for word t.
        rows: of the grid of places; by default the grid is a square.
    """
    rows = rows or round(weights.shape[1] ** 0.5)
    lines = math.ceil((len(words) + 1) / COLUMNS)
    with drawing(path, 1100, 30 + 200 * lines) as figure:
        panels = figure.subplots(lines, COLUMNS, squeeze=False).flatten()
        show(panels[0], image, "the image")
        for axes, word, row in zip(panels[1:], words, weights, strict=False):
            share = interpolate(row.view(1, 1, rows, -1).float(), image.shape[1:], mode="nearest")[0]  # (1, h, w)
            brightness = 0.25 + 0.75 * share / share.max()
            show(axes, image * brightness, word)
        for axes in panels[len(words) + 1 :]:
            axes.set_visible(False)


def show(axes: Axes, image: Float[Tensor, "3 h w"], title: str) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy())
    axes.set_title(title)
    axes.set_axis_off()


def draw_training(path: Path, history: Sequence[Mapping[str, float | int]]) -> None:
    """Shares of captions, and of the pointing game's hits, over steps, on scenes held out of training."""
    steps = [point["steps"] for point in history]
    with drawing(path, 1000, 480) as figure:
        axes = figure.subplots()
        for (name, label), colour in zip(CURVES.items(), PALETTE, strict=False):
            reached = [100 * point[name] for point in history]
            axes.plot(steps, reached, marker="o", markersize=5, color=colour, label=f"{label}: {reached[-1]:.1f}%")
        axes.set_xlabel("steps")
        axes.set_ylabel("share (%)")
        axes.set_xlim(0, 1.04 * max(steps))
        axes.set_ylim(0, 104)
        axes.set_title("Captions of scenes held out of training")
        axes.legend(loc="lower right")
