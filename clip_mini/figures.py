"""Figures: captions with their nearest images, what happens during training, several objectives side by side."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from torch import Tensor

from clip_mini.evaluate import IMAGE_TO_TEXT, TEXT_TO_IMAGE, Examples
from lab.figure import PALETTE, drawing
from toyworld.korean import politeness

NEAREST = 5  # images for each caption
RIGHT, WRONG = 4, 1  # captions that find their image first, and captions that do not
DIRECTIONS = (IMAGE_TO_TEXT, TEXT_TO_IMAGE)
GREY = "#9A9A9A"


def chosen_captions(similarity: Float[Tensor, "n m"], image_of: Int[Tensor, " m"]) -> list[int]:
    """Captions whose own image is the nearest, then one whose own image is not; spread over the list.

    Each is of another image.
    """
    own = similarity.gather(0, image_of[None])  # (1, m)
    places = (similarity >= own).sum(dim=0) - 1  # (m,), how many images come before its own
    chosen: list[int] = []
    for wanted, count in ((places == 0, RIGHT), (places > 0, WRONG)):
        candidates = wanted.nonzero()[:, 0].tolist()
        for k in candidates[:: max(1, len(candidates) // count)]:
            if count and image_of[k] not in image_of[chosen]:
                chosen.append(k)
                count -= 1
    return chosen


def captions_of_one_level(captions: Sequence[str]) -> list[int]:
    """The captions that can be in one figure. If some Korean ones are plain (있다) and some polite (있습니다), only the
    more frequent level stays, beside the captions without a verb."""
    levels = [politeness(caption) for caption in captions]
    rarer = min(("polite", "plain"), key=levels.count)
    return [k for k, level in enumerate(levels) if level != rarer]


def draw_retrieval(
    path: Path,
    similarity: Float[Tensor, "n m"],
    examples: Examples,
    pixels: Callable[[int], Float[Tensor, "3 h w"]],
) -> None:
    """Captions, each with its five nearest images: the right one has a green frame, a wrong first one a vermillion one.

    The last caption is one that does not find its image, if there is one. If its own image is not among the five, it
    follows behind them.

    Args:
        similarity: of each image and each caption of ``examples``.
        pixels: gives an image to look at, with values from 0 to 1, by its place in ``examples``.
    """
    fitting = torch.tensor(captions_of_one_level(examples.captions))
    rows = fitting[chosen_captions(similarity[:, fitting], examples.image_of[fitting])].tolist()
    with drawing(path, 1100, 60 + 205 * len(rows)) as figure:
        figure.get_layout_engine().set(w_pad=0.07, h_pad=0.07)  # inches: room for the frames
        figure.suptitle(
            f"Captions and their nearest images among {len(examples.images):,}, with the cosine", fontsize=16
        )
        parts = figure.subfigures(len(rows), 1, squeeze=False).flatten()
        for part, k in zip(parts, rows, strict=True):
            own, column = int(examples.image_of[k]), similarity[:, k]
            nearest = column.topk(min(NEAREST, len(column))).indices.tolist()
            part.suptitle(fill(examples.captions[k], 100), fontsize=14, x=0.02, ha="left")
            panels = part.subplots(1, NEAREST + 1)
            for axes in panels:
                axes.set_axis_off()
            for place, (axes, image) in enumerate(zip(panels, nearest, strict=False)):
                colour = PALETTE.green if image == own else PALETTE.vermillion if place == 0 else GREY
                draw_image(axes, pixels(image), colour, f"{column[image]:.2f}")
            if own not in nearest:
                place = int((column >= column[own]).sum())
                draw_image(panels[-1], pixels(own), PALETTE.green, f"{column[own]:.2f}, place {place:,}")


def draw_image(axes: Axes, pixels: Float[Tensor, "3 h w"], colour: str, title: str) -> None:
    """An image in a thick frame."""
    axes.set_axis_on()
    axes.imshow(np.moveaxis(pixels.numpy(), 0, -1))
    axes.set(xticks=[], yticks=[])
    axes.set_title(title, fontsize=12, color="black" if colour == GREY else colour)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set(visible=True, color=colour, linewidth=1.5 if colour == GREY else 5)


def draw_training(
    path: Path,
    losses: Sequence[float],
    history: Sequence[Mapping[str, int | float]],
    pairs: int,
    chance: float,
) -> None:
    """Left: the loss of each batch, with ln N, the loss of guessing. Right: recall@1 on pairs held out of training."""
    with drawing(path, 1000, 400) as figure:
        left, right = figure.subplots(1, 2)
        dot = "o" if len(losses) == 1 else None
        left.plot(range(1, len(losses) + 1), losses, color=PALETTE.blue, linewidth=1, marker=dot)
        level = math.log(pairs)
        left.axhline(level, color=PALETTE.vermillion, linestyle="--", linewidth=1.5)
        left.annotate(
            f"ln {pairs} = {level:.2f}: guessing", (1, level), (-2, -4), xycoords=left.get_yaxis_transform(),
            textcoords="offset points", ha="right", va="top", fontsize=12, color=PALETTE.vermillion,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        )  # fmt: skip
        left.set(xlim=(0, None), ylim=(0, 1.1 * max(level, *losses)), xlabel="steps", ylabel="loss (nats)")
        left.set_title("Training loss")
        steps = [point["steps"] for point in history]
        for direction, colour, marker in zip(DIRECTIONS, (PALETTE.blue, PALETTE.orange), "os", strict=True):
            values = [100 * point[f"{direction} R@1"] for point in history]
            right.plot(steps, values, marker=marker, markersize=5, color=colour, label=words(direction))
        right.axhline(100 * chance, color="black", linestyle="--", linewidth=1.5, label=chance_label(chance))
        right.set(xlim=(0, None), ylim=(0, 104), xlabel="steps", ylabel="recall@1 (%)")
        right.set_title("Held out of training")
        right.legend(loc="best")  # where it covers least


def chance_label(chance: float) -> str:
    return f"chance {100 * chance:.3g}%"


def words(direction: str) -> str:
    """The font draws the arrow too small."""
    return direction.replace("→", " to ")


def draw_ablations(path: Path, measured: Mapping[str, Mapping[str, Any]], pairs: int) -> None:
    """Left: the loss during training, by variant. Right: the mean recall@1 of both directions.

    Args:
        measured: by variant, ``"losses"`` of all steps, and the history of ``"validation"``.
        pairs: in a batch.
    """
    with drawing(path, 1100, 560) as figure:
        left, right = figure.subplots(1, 2)
        for (name, variant), colour in zip(measured.items(), PALETTE, strict=False):
            losses, window = variant["losses"], max(1, len(variant["losses"]) // 30)
            means = [np.mean(losses[k : k + window]) for k in range(0, len(losses), window)]
            left.plot([window * (k + 0.5) for k in range(len(means))], means, color=colour, label=name)
            history = variant["validation"]
            values = [sum(100 * point[f"{direction} R@1"] for direction in DIRECTIONS) / 2 for point in history]
            right.plot([point["steps"] for point in history], values, marker="o", markersize=4, color=colour)
        left.axhline(math.log(pairs), color="black", linestyle="--", linewidth=1.5, label=f"ln {pairs}, guessing")
        left.set(xlim=(0, None), ylim=(0, 1.6 * math.log(pairs)), xlabel="steps", ylabel="loss (nats)")
        left.set_title("Training loss")
        right.set(xlim=(0, None), ylim=(0, 104), xlabel="steps", ylabel="recall@1 (%)")
        right.set_title("Held out of training, mean of both directions")
        figure.legend(loc="outside lower center", ncols=3)


BAR = 0.38  # height, where two objectives are 1 apart


def draw_comparison(path: Path, measured: Mapping[str, Mapping[str, Any]], chance: float) -> None:
    """Above, recall@1 in both directions by objective, a panel for each split; below, its mean during training.

    Args:
        measured: by objective, ``"splits"`` with what was ``"reached"`` on each, and the history of ``"validation"``.
        chance: recall@1 of a random order, from 0 to 1.
    """
    objectives, first = list(measured), next(iter(measured.values()))["splits"]
    splits = [split for split in first if f"{DIRECTIONS[0]} R@1" in first[split]["reached"]]
    height = 130 + 50 * max(2, len(objectives))  # pixels, of the bars
    with drawing(path, 1000, height + 330) as figure:
        above, below = figure.subfigures(2, 1, height_ratios=(height, 330))
        for axes, split in zip(above.subplots(1, len(splits), squeeze=False, sharey=True)[0], splits, strict=True):
            for k, direction in enumerate(DIRECTIONS):
                percents = [100 * measured[name]["splits"][split]["reached"][f"{direction} R@1"] for name in objectives]
                places = [row + (k - 0.5) * BAR for row in range(len(objectives))]
                bars = axes.barh(
                    places, percents, 0.92 * BAR, color=(PALETTE.blue, PALETTE.orange)[k], label=words(direction)
                )
                axes.bar_label(bars, [f"{p:.1f}" for p in percents], padding=4, fontsize=11)
            axes.axvline(100 * chance, color="black", linestyle="--", linewidth=1.5, label=chance_label(chance))
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
