"""Figures of a search: a grid of images, and an image beside its captions."""

import math
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from lab.figure import PALETTE, drawing

COLUMNS = 5
FRAMES = {
    True: (PALETTE.green, " ✓"),
    False: (PALETTE.vermillion, " ✗"),
    None: ("#9A9A9A", ""),
}  # right, wrong, unknown


def draw_grid(
    path: Path,
    query: str,
    images: Sequence[np.ndarray],
    cosines: Sequence[float],
    right: Sequence[bool | None],
    names: Sequence[str] = (),
) -> None:
    """The images that a search found, the nearest first, each with its rank and cosine.

    The other sequences may be longer than ``images``.

    Args:
        query: what was searched for; the title.
        images: (height, width, 3) each, of any sizes.
        right: whether the query is true of the image; None if nobody knows.
        names: of the images, written under them.
    """
    columns = min(COLUMNS, max(3, len(images)))  # room for the query
    rows, lines = math.ceil(len(images) / columns), fill(query, 22 * columns)
    below = 26 if names else 0
    height = 30 + 24 * len(lines.splitlines()) + rows * (250 + below)
    with drawing(path, 40 + 215 * columns, height) as figure:
        figure.suptitle(lines, fontsize=16)
        panels = figure.subplots(rows, columns, squeeze=False).flatten()
        for k, (image, cosine, true) in enumerate(zip(images, cosines, right, strict=False)):
            colour, sign = FRAMES[true]
            draw_image(panels[k], image, colour)
            panels[k].set_title(f"{k + 1} · {cosine:.3f}{sign}", color=colour, fontweight="bold")
            if names:
                panels[k].set_xlabel(names[k] if len(names[k]) <= 24 else f"…{names[k][-23:]}", fontsize=12)
        for axes in panels[len(images) :]:
            axes.set_visible(False)


def draw_captions(path: Path, image: np.ndarray, captions: Sequence[str], cosines: Sequence[float]) -> None:
    """An image beside the captions that are nearest to it, with bars as long as their cosines."""
    n = len(captions)
    with drawing(path, 1100, 120 + max(220, 56 * n)) as figure:
        left, axes = figure.subplots(1, 2, width_ratios=(1, 2.4))
        figure.get_layout_engine().set(w_pad=0.12)
        draw_image(left, image, FRAMES[None][0])
        axes.barh(range(n), cosines, height=0.36, color=PALETTE.blue)
        for k, (caption, cosine) in enumerate(zip(captions, cosines, strict=True)):
            axes.text(
                0.01, k - 0.26, f"{k + 1} · {cosine:.3f}  {shortened(caption, 70)}",
                transform=axes.get_yaxis_transform(), va="bottom", fontsize=13,
            )  # fmt: skip
        axes.set_ylim(n - 0.5, -0.9)
        axes.set_xlim(min(0, *cosines), 1)
        axes.set_yticks([])
        axes.grid(visible=False, axis="y")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("cosine")


def draw_image(axes: Axes, image: np.ndarray, colour: str) -> None:
    """An image in a frame."""
    axes.imshow(image)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=4)


def shortened(words: str, longest: int) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"
