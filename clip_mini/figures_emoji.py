"""The figure of the emoji data: names as queries, and the drawings of the other style that are nearest to them."""

from pathlib import Path
from textwrap import fill

from jaxtyping import Float
from matplotlib.axes import Axes
from torch import Tensor

from clip_mini.evaluate import Examples
from lab.figure import PALETTE, drawing

FOUND = 5  # images for each query


def rows_to_show(similarity: Float[Tensor, "n m"], image_of: Tensor, count: int = 6) -> list[int]:
    """``count`` queries, evenly spread over all; the last one is wrong: its own image is not the first one found.

    If all are right or all are wrong, the spread alone decides.
    """
    m = similarity.shape[1]
    right = similarity.argmax(dim=0) == image_of  # (m,)
    spread = [round(k * (m - 1) / max(1, count - 1)) for k in range(count)]
    wrong = (~right).nonzero()[:, 0].tolist()
    hits = right.nonzero()[:, 0].tolist()
    if not wrong or len(hits) < count - 1:
        return spread
    return [hits[round(k * (len(hits) - 1) / max(1, count - 2))] for k in range(count - 1)] + [wrong[len(wrong) // 2]]


def draw_emoji(
    path: Path, similarity: Float[Tensor, "n m"], examples: Examples, queries: Float[Tensor, "n 3 h w"] | None = None
) -> None:
    """Each row: a name, its drawing in the training style, and the five nearest images of the unseen style.

    The right image has a green frame; a dashed vermillion frame marks a wrong image in the first place.

    Args:
        similarity: of image i and text j.
        queries: the drawings in the training style, in the order of the images; None leaves them out.
    """
    shown = rows_to_show(similarity, examples.image_of)
    columns = FOUND + 1 + (queries is not None)
    with drawing(path, 1000, 60 + 118 * len(shown)) as figure:
        grid = figure.subplots(len(shown), columns, squeeze=False, width_ratios=[2.3, *[1] * (columns - 1)])
        for axes in grid.flatten():
            axes.set_axis_off()
        grid[0, 1].set_title("trained on" if queries is not None else "found", fontsize=14)
        grid[0, columns - FOUND].set_title("found", fontsize=14)
        for row, text in zip(grid, shown, strict=True):
            own = int(examples.image_of[text])
            row[0].text(0, 0.5, fill(examples.captions[text], 19), fontsize=15, va="center", transform=row[0].transAxes)
            if queries is not None:
                show(row[1], queries[own])
            nearest = similarity[:, text].topk(min(FOUND, len(similarity))).indices.tolist()
            for place, (axes, image) in enumerate(zip(row[columns - FOUND :], nearest, strict=False)):
                show(axes, examples.images[image])
                if image == own:
                    frame(axes, PALETTE.green, "-")
                elif place == 0:
                    frame(axes, PALETTE.vermillion, "--")


def show(axes: Axes, image: Float[Tensor, "3 h w"]) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy(), interpolation="bilinear")


def frame(axes: Axes, colour: str, line: str) -> None:
    axes.set_axis_on()
    axes.set(xticks=[], yticks=[])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=4, linestyle=line)
