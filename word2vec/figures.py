"""Figures: word pairs in a plane, accuracy during training, and a comparison of objectives."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from torch import Tensor
from torch.nn.functional import normalize

from lab.figure import PALETTE, drawing
from toyworld.language import RELATIONS
from word2vec.evaluate import ALL, HELD_OUT, KNOWN
from word2vec.vocabulary import Vocabulary

SHOWN = 3  # pairs of each kind in a panel
COLOURS = {KNOWN: PALETTE.blue, HELD_OUT: PALETTE.vermillion}
GREY = "#6A6A6A"
MARKERS = "os^D"  # of lines that lie on each other
GAP = 0.07  # of the height of all arrows, the smallest distance between two words on one side


class Arrow(NamedTuple):
    """A pair of words and the positions of both in a plane."""

    kind: str
    pair: tuple[str, str]
    first: Sequence[float]
    second: Sequence[float]


def plane(first: Float[Tensor, "n d"], second: Float[Tensor, "n d"]) -> Float[Tensor, "d 2"]:
    """The axes of a plane that shows pairs: the first is the direction of the pairs' mean difference; the second is
    orthogonal to it, in the direction in which the midpoints of the pairs vary most."""
    across = normalize((second - first).mean(0), dim=0)  # (d,)
    middles = (first + second) / 2
    middles = middles - middles.mean(0)
    rest = middles - (middles @ across)[:, None] * across  # without the part along the first axis
    _, _, directions = torch.linalg.svd(rest, full_matrices=False)
    return torch.stack([across, directions[0]], dim=1)


def readable(arrows: Sequence[Arrow], count: int) -> list[Arrow]:
    """At most ``count`` arrows of each kind whose words do not overlap: an arrow is left out if it begins or ends at
    the height of an earlier one. Known and held-out pairs take turns."""
    heights = torch.tensor([[a[1], b[1]] for *_, a, b in arrows])  # (n, 2)
    gap = GAP * float(heights.max() - heights.min())
    taken: list[int] = []
    for _ in range(count):
        for kind in COLOURS:
            free = [
                k
                for k, arrow in enumerate(arrows)
                if arrow.kind == kind and all(float((heights[k] - heights[j]).abs().min()) >= gap for j in taken)
            ]
            taken += free[:1]
    return [arrows[k] for k in taken]


def draw_relations(path: Path, vectors: Float[Tensor, "v d"], vocabulary: Vocabulary) -> None:
    """A panel for each relation, with an arrow from the first word of a pair to the second. The first axis is the mean
    difference of the known pairs only."""
    vectors = normalize(vectors, dim=1)
    with drawing(path, 1200, 980) as figure:
        figure.get_layout_engine().set(wspace=0.05, hspace=0.06)
        for axes, (name, relation) in zip(figure.subplots(2, 3).flatten(), RELATIONS.items(), strict=True):
            ends = {
                kind: [vectors[[vocabulary.index[pair[side]] for pair in pairs]] for side in (0, 1)]
                for kind, pairs in ((KNOWN, relation.known), (HELD_OUT, relation.held_out))
            }
            axis = plane(*ends[KNOWN])
            arrows = []
            for kind, pairs in ((KNOWN, relation.known), (HELD_OUT, relation.held_out)):
                first, second = ((rows @ axis).tolist() for rows in ends[kind])
                arrows += [Arrow(kind, pair, a, b) for pair, a, b in zip(pairs, first, second, strict=True)]
            draw_arrows(axes, readable(arrows, SHOWN))
            axes.set_title(name)
            axes.set_xlabel("along the mean difference")
        for axes in figure.axes[::3]:
            axes.set_ylabel("where the pairs differ most")
        handles = [
            Line2D([], [], color=COLOURS[KNOWN], label="some sentences hold both words"),
            Line2D([], [], color=COLOURS[HELD_OUT], label="no sentence holds both words"),
        ]
        figure.legend(handles=handles, loc="outside upper center", ncols=2)


def draw_arrows(axes: Axes, arrows: Sequence[Arrow]) -> None:
    """Arrows with their words at both ends."""
    for kind, pair, a, b in arrows:
        style = {"arrowstyle": "-|>", "color": COLOURS[kind], "linewidth": 2, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", b, a, arrowprops=style)
        for word, place, side, shift in zip(pair, (a, b), ("right", "left"), (-8, 8), strict=True):
            axes.annotate(word, place, (shift, 0), textcoords="offset points", ha=side, va="center", fontsize=12)
    xs, ys = zip(*(end for *_, a, b in arrows for end in (a, b)), strict=True)
    width, height = max(xs) - min(xs), max(ys) - min(ys)
    axes.set_xlim(min(xs) - 0.62 * width, max(xs) + 0.62 * width)
    axes.set_ylim(min(ys) - 0.12 * height, max(ys) + 0.12 * height)
    axes.tick_params(labelsize=11)
    axes.locator_params(axis="x", nbins=5)


def draw_training(path: Path, history: Sequence[Mapping[str, float | int]], baseline: Mapping[str, float]) -> None:
    """The accuracy on analogies by step, for both kinds of pairs, with the baseline of the nearest word. ``history``
    has ``steps`` and the accuracy (0 to 1) of each kind."""
    steps = [point["steps"] for point in history]
    with drawing(path, 1000, 480) as figure:
        axes = figure.subplots()
        for kind, marker in ((KNOWN, "o"), (HELD_OUT, "s")):
            values = [100 * point[f"{kind} {ALL}"] for point in history]
            axes.plot(steps, values, marker=marker, color=COLOURS[kind], label=f"{kind} pairs: {values[-1]:.1f}%")
        level = 100 * baseline[HELD_OUT]
        axes.axhline(level, color=GREY, linestyle="--", label=f"the word nearest to c, held out: {level:.1f}%")
        axes.set_xlim(0, 1.02 * max(steps))
        axes.set_ylim(-2, 104)
        axes.set_xlabel("steps")
        axes.set_ylabel("correct analogies (%)")
        axes.legend(loc="center right")


def draw_comparison(path: Path, histories: Mapping[str, Sequence[Mapping[str, float | int]]]) -> None:
    """The accuracy on analogies by step for each objective: known pairs on the left, held-out pairs on the right.

    A history is that of ``draw_training``.
    """
    with drawing(path, 1000, 460) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, kind in zip(panels, (KNOWN, HELD_OUT), strict=True):
            for (name, history), colour, marker in zip(histories.items(), PALETTE, MARKERS, strict=False):
                steps, values = zip(*((point["steps"], 100 * point[f"{kind} {ALL}"]) for point in history), strict=True)
                axes.plot(steps, values, marker=marker, color=colour, label=name)
            axes.set_title(f"{kind} pairs")
            axes.set_xlim(left=0)
            axes.set_ylim(-2, 104)
            axes.set_xlabel("steps")
        panels[0].set_ylabel("correct analogies (%)")
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=len(histories))
