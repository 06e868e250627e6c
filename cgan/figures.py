"""Figures: the ring while it trains, also animated; digits by label; the way between two labels; the losses with the
levels that theory gives; and the gradient that vanishes."""

import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.ticker import NullFormatter
from PIL import Image
from torch import Tensor

from cgan.data import RADIUS, SIGMA, ring_means
from cgan.theory import DISCRIMINATOR_AT_OPTIMUM, GENERATOR_AT_OPTIMUM
from lab.checkpoint import write_bytes
from lab.figure import DOTS_PER_INCH, PALETTE, drawing, style

Snapshots = Mapping[int, Float[Tensor, "n 2"]]  # after this many steps, the generator's points
EDGE = RADIUS + 5 * SIGMA  # of the plane that is shown
NAME = RADIUS + 4.2 * SIGMA  # how far from the middle a label's name is
POINTS = 60  # of each label that are shown
FRAME = 400  # pixels of the animation, width and height
GAP = 3  # pixels between two pictures
CANNOT_TELL = {"2 ln 2": DISCRIMINATOR_AT_OPTIMUM, "ln 2": GENERATOR_AT_OPTIMUM}
MILLISECONDS = 150  # of one frame; the last one stays ten times as long


def draw_ring(path: Path, snapshots: Snapshots, labels: Int[Tensor, " n"], panels: int = 6) -> None:
    """The generator's points after several numbers of steps; a colour for each label, and a circle of 3σ
    around its mean."""
    steps = chosen(list(snapshots), panels)
    columns = math.ceil(len(steps) / 2)
    with drawing(path, 330 * columns, 720) as figure:
        grid = figure.subplots(2, columns, squeeze=False).flatten()
        for axes, step in zip(grid, steps, strict=False):
            draw_points(axes, snapshots[step], labels, after(step))
        for axes in grid[len(steps) :]:
            axes.set_visible(False)


def chosen(items: Sequence[int], count: int) -> list[int]:
    """At most ``count`` of the items, the first and the last one among them, denser at the start."""
    last = len(items) - 1
    places = {round(last * (k / (count - 1)) ** 2) for k in range(count)} if last > 0 else {0}
    return [items[place] for place in sorted(places)]


def after(step: int) -> str:
    return f"after {step:,} step{'s' if step > 1 else ''}"


def draw_points(axes: Axes, points: Float[Tensor, "n 2"], labels: Int[Tensor, " n"], title: str) -> None:
    for label, mean in enumerate(ring_means().tolist()):
        own = points[labels == label][:POINTS]
        axes.add_patch(Circle(mean, 3 * SIGMA, fill=False, color=PALETTE[label], linewidth=1))
        axes.plot(own[:, 0].tolist(), own[:, 1].tolist(), "o", color=PALETTE[label], markersize=2.5, alpha=0.7)
        axes.text(*(x * NAME / RADIUS for x in mean), str(label), ha="center", va="center", fontsize=11)
    axes.set_xlim(-EDGE, EDGE)
    axes.set_ylim(-EDGE, EDGE)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_title(title)


def animate_ring(path: Path, snapshots: Snapshots, labels: Int[Tensor, " n"]) -> None:
    """The same as an animated GIF, a frame for each snapshot. The whole file is written, or nothing."""
    frames = []
    for step, points in snapshots.items():
        with style():
            figure = Figure(figsize=(FRAME / DOTS_PER_INCH, FRAME / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
            draw_points(figure.subplots(), points, labels, after(step))
            canvas = FigureCanvasAgg(figure)
            canvas.draw()
        frames.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3]).quantize(64, dither=Image.Dither.NONE))
    buffer, times = io.BytesIO(), [MILLISECONDS] * (len(frames) - 1) + [10 * MILLISECONDS]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)
    write_bytes(path, buffer.getvalue())


def draw_pictures(path: Path, rows: Mapping[str, Float[Tensor, "n c h w"]]) -> None:
    """A row of pictures, grey or in colour, for each name, such as a label or a sentence.

    All of them are one image, which takes less time than many. A grey picture is ink on white: 1 is black.
    """
    count, (channels, height, width) = max(map(len, rows.values())), next(iter(rows.values())).shape[1:]
    sheet = torch.full((len(rows) * (height + GAP), count * (width + GAP), channels), 1.0 if channels == 3 else -1.0)
    for row, pictures in enumerate(rows.values()):
        for column, picture in enumerate(pictures):
            top, left = row * (height + GAP), column * (width + GAP)
            sheet[top : top + height, left : left + width] = picture.permute(1, 2, 0)
    longest = max(len(line) * (1 + (line > "가")) for name in rows for line in name.split("\n"))  # Hangul is wide
    left, wide, high = max(60, 24 + 10 * longest), 62 * count, 62 * len(rows)  # pixels
    with drawing(path, left + wide + 8, high + 12) as figure:
        figure.set_layout_engine("none")  # the names need their place, whatever the shape of the picture
        axes = figure.add_axes(
            (left / (left + wide + 8), 6 / (high + 12), wide / (left + wide + 8), high / (high + 12))
        )
        if channels == 3:
            axes.imshow(((sheet + 1) / 2).clamp(0, 1).numpy())
        else:
            axes.imshow(sheet[:, :, 0].numpy(), cmap="gray_r", vmin=-1, vmax=1)
        axes.set_xticks([])
        axes.set_yticks([row * (height + GAP) + height / 2 for row in range(len(rows))], labels=list(rows))
        axes.tick_params(length=0)
        axes.grid(False)
        axes.spines[:].set_visible(False)


def draw_losses(
    path: Path,
    discriminator: Sequence[float],
    generator: Sequence[float],
    levels: Mapping[str, float] = CANNOT_TELL,
    window: int = 20,
) -> None:
    """Both players' losses, means of ``window`` steps, and the levels where the discriminator cannot tell.

    ``levels`` has the formula and the value for the discriminator, then for the generator.
    """
    with drawing(path, 1000, 460) as figure:
        axes = figure.subplots()
        named = zip(PALETTE, ("discriminator", "generator"), (discriminator, generator), levels.items(), strict=False)
        for colour, name, losses, (formula, level) in named:
            parts = [losses[k : k + window] for k in range(0, len(losses), window)]
            ends = [min(len(losses), window * (k + 1)) for k in range(len(parts))]
            axes.plot(ends, [sum(part) / len(part) for part in parts], color=colour, label=f"{name}'s loss")
            axes.axhline(level, color=colour, linestyle="--", linewidth=1.5, label=f"theory: {formula}")
        axes.set_xlabel("steps")
        axes.set_ylabel("loss (nats)")
        axes.set_ylim(
            0, 1.15 * max(DISCRIMINATOR_AT_OPTIMUM, *levels.values(), sorted(generator)[int(0.95 * len(generator))])
        )
        figure.legend(loc="outside upper center", ncols=4, columnspacing=1.2, handlelength=1.4)


def draw_vanishing(path: Path, norms: Mapping[str, Sequence[float]]) -> None:
    """Left: the slope of each generator loss by the fake's logit. Right: the length of the whole gradient of a new
    generator, while only the discriminator learns."""
    d = torch.linspace(0, 1, 101)
    with drawing(path, 1000, 460) as figure:
        left, right = figure.subplots(1, 2)
        for colour, (name, slope) in zip(PALETTE, (("minimax", d), ("non-saturating", 1 - d)), strict=False):
            left.plot(d.tolist(), slope.tolist(), color=colour, label=name)
            right.semilogy(range(len(norms[name])), norms[name], color=colour)
        left.set_xlabel("D(G(z))")
        left.set_ylabel("slope by the logit, absolute")
        right.yaxis.set_major_formatter(lambda value, place: f"{value:g}")  # mathtext would miss the font's minus sign
        right.yaxis.set_minor_formatter(NullFormatter())
        right.set_xlabel("steps of the discriminator alone")
        right.set_ylabel("length of G's gradient")
        figure.legend(loc="outside upper center", ncols=2)
