"""A figure: several objectives side by side, by recall at the end and during training."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.figure import PALETTE, drawing

DIRECTIONS = ("image→text", "text→image")  # the font of figures draws arrows too small: there, it is "to"
COLOURS = dict(zip(DIRECTIONS, (PALETTE.blue, PALETTE.orange), strict=True))
BAR = 0.38  # height, where two objectives are 1 apart


def draw_comparison(path: Path, measured: Mapping[str, Mapping[str, Any]], chance: float) -> None:
    """Above, recall@1 in both directions by objective, a panel for each split; below, its mean during training.

    Args:
        measured: by objective, ``"splits"`` with what was ``"reached"`` on each, and the history of ``"validation"``.
        chance: recall@1 of a random order, from 0 to 1.
    """
    objectives, splits = list(measured), list(next(iter(measured.values()))["splits"])
    height = 130 + 50 * max(2, len(objectives))  # pixels, of the bars
    with drawing(path, 1000, height + 330) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=(height, 330))
        for axes, split in zip(above.subplots(1, len(splits), squeeze=False, sharey=True)[0], splits, strict=True):
            for k, direction in enumerate(DIRECTIONS):
                percents = [100 * measured[name]["splits"][split]["reached"][f"{direction} R@1"] for name in objectives]
                places = [row + (k - 0.5) * BAR for row in range(len(objectives))]
                bars = axes.barh(
                    places, percents, 0.92 * BAR, color=COLOURS[direction], label=direction.replace("→", " to ")
                )
                axes.bar_label(bars, [f"{p:.1f}" for p in percents], padding=4, fontsize=11)
            axes.axvline(100 * chance, color="black", linestyle="--", linewidth=1.5, label=f"chance {chance:.1%}")
            axes.set_yticks(range(len(objectives)), objectives)
            axes.set_xlim(0, 114)
            axes.set_xticks(range(0, 101, 25))
            axes.grid(visible=False, axis="y")
            axes.set_title(f"{split} split")
            axes.set_xlabel("recall@1 (%)")
        axes.invert_yaxis()  # shared: the first objective is at the top
        handles, labels = axes.get_legend_handles_labels()
        above.legend(handles, labels, loc="outside upper center", ncols=len(labels), columnspacing=1.2)
        axes = below.subplots()
        for name, colour in zip(objectives, PALETTE, strict=False):
            history = measured[name]["validation"]
            means = [sum(100 * point[f"{direction} R@1"] for direction in DIRECTIONS) / 2 for point in history]
            steps = [point["steps"] for point in history]
            axes.plot(steps, means, marker="o", markersize=4, color=colour, label=name)
        axes.axhline(100 * chance, color="black", linestyle="--", linewidth=1.5)
        axes.set_xlim(left=0)
        axes.set_ylim(0, 103)
        axes.set_yticks(range(0, 101, 25))
        axes.set_xlabel("steps")
        axes.set_ylabel("recall@1 (%)")
        axes.set_title("Scenes held out of training, mean of both directions")
        below.legend(loc="outside right center")
