"""The figure of text-to-image retrieval: captions, each with its nearest images."""

from collections.abc import Callable
from pathlib import Path
from textwrap import fill

import numpy as np
from jaxtyping import Float, Int, UInt8
from matplotlib.axes import Axes
from torch import Tensor

from clip_mini.evaluate import Examples
from lab.figure import PALETTE, drawing

NEAREST = 5  # images for each caption
RIGHT, WRONG = 3, 1  # captions whose own image is the nearest; captions whose own image is not among the nearest
SHOWN = 160  # pixels, height and width of an image


def place_of_own(similarity: Float[Tensor, "n m"], image_of: Int[Tensor, " m"]) -> Int[Tensor, " m"]:
    """For each caption, how many other images are as near as its own, or nearer."""
    own = similarity.gather(0, image_of[None])  # (1, m)
    return (similarity >= own).sum(dim=0) - 1


def chosen_captions(places: Int[Tensor, " m"], image_of: Int[Tensor, " m"]) -> list[int]:
    """Captions that are right, spread over the list, then one that is wrong; each of another image."""
    chosen: list[int] = []
    for wanted, count in ((places >= NEAREST, WRONG), (places == 0, RIGHT)):  # errors are rarer: they choose first
        candidates = wanted.nonzero().flatten().tolist()
        for k in [*candidates[:: max(1, len(candidates) // (count + 1))], *candidates]:
            if count and image_of[k] not in image_of[chosen]:
                chosen.append(k)
                count -= 1
    return sorted(chosen, key=lambda k: places[k].item())


def draw_retrieval(
    path: Path,
    similarity: Float[Tensor, "n m"],
    examples: Examples,
    picture: Callable[[str, int], UInt8[Tensor, "3 h w"]],
) -> None:
    """Three captions that find their image and one that does not, each with its five nearest images.

    The right image has a green frame. If it is not among the five, it is shown behind them, with its place.

    Args:
        similarity: of each image and each caption of ``examples``.
        picture: gives the pixels of an image, 0 to 255, by its name and its size in pixels.
    """
    places = place_of_own(similarity, examples.image_of)
    rows = chosen_captions(places, examples.image_of)
    if not rows:
        raise ValueError("draw_retrieval needs a caption whose own image comes first, or after the nearest five")
    with drawing(path, 1100, 60 + 225 * len(rows)) as figure:
        figure.suptitle(f"Captions and their nearest of {len(examples.names):,} images", fontsize=16)
        parts = figure.subfigures(len(rows), 1, squeeze=False).flatten()
        for part, k in zip(parts, rows, strict=True):
            own = examples.image_of[k].item()
            nearest = similarity[:, k].topk(min(NEAREST, len(similarity))).indices.tolist()
            part.suptitle(fill(examples.captions[k], 100), fontsize=14, x=0.02, ha="left")
            panels = part.subplots(1, NEAREST + 1)
            for axes in panels:
                axes.set_axis_off()
            for axes, image in zip(panels, nearest, strict=False):
                show(axes, picture(examples.names[image], SHOWN), PALETTE.green if image == own else None)
            if own not in nearest:
                show(panels[-1], picture(examples.names[own], SHOWN), PALETTE.green)
                panels[-1].set_title(f"its own: number {places[k] + 1:,}", fontsize=12, color=PALETTE.vermillion)


def show(axes: Axes, pixels: UInt8[Tensor, "3 h w"], frame: str | None) -> None:
    """An image, with a thick frame in a colour."""
    axes.set_axis_on()
    axes.imshow(np.moveaxis(pixels.numpy(), 0, -1))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set(visible=frame is not None, color=frame, linewidth=6)
