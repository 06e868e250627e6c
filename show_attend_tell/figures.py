"""Figures: where the model looks at each word; captions, right and wrong; several models side by side; the captions'
quality during training, and what the training loss does not show."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill
from typing import Any, NamedTuple

from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.patches import Rectangle
from torch import Tensor, nn
from torch.nn.functional import interpolate

from lab.figure import PALETTE, drawing
from show_attend_tell.data import decode
from show_attend_tell.evaluate import Examples, captions_of, judge_caption, mentions
from toyworld.korean import politeness
from toyworld.tokenizer import Tokenizer

COLUMNS = 6  # panels in a row
CURVES = {"right": "right captions", "pointing": "pointing game"}
PHOTO_CURVES = ("BLEU-1", "BLEU-4", "CIDEr-D")
RIGHT, WRONG = (PALETTE.green, "✓"), (PALETTE.vermillion, "✗")
LINE, HANGUL_LINE = 56, 36  # characters of a caption in a line; Hangul is wider
DARKEST = 0.5  # brightness of a place with weight 0
BARS = (("test", "right"), ("compositional", "right"), ("test", "pointing"))  # (split, measure)


class Captioned(NamedTuple):
    """An image with a caption, and what is shown of its attention."""

    image: Float[Tensor, "3 h w"]
    caption: str
    words: Sequence[str]
    weights: Float[Tensor, "t L"]  # row t is the attention for word t
    nouns: Sequence[int]  # places among the words whose attention is shown
    right: bool
    true: bool = True  # a caption that is true and not complete is wrong, too


def captioned(model: nn.Module, tokenizer: Tokenizer, language: str, examples: Examples) -> list[Captioned]:
    """The model's caption of each scene; the nouns are those that name a shape."""
    found = []
    captions = captions_of(model, examples.annotations)
    for one, image, scene in zip(captions, examples.pixels, examples.scenes, strict=True):
        words, caption = tokenizer.decode(one.ids).split(), decode(tokenizer, one.ids)
        nouns = [t for t, _ in mentions(words, language)]
        judged = judge_caption(caption, scene, language)
        found.append(Captioned(image, caption, words, one.weights, nouns, judged["right"], judged["true"]))
    return found


def chosen(captions: Sequence[Captioned], count: int = 4) -> list[Captioned]:
    """Right captions, those with most nouns first; in the last place a wrong one, if possible one that is not true.

    Korean captions are all plain or all polite, as the wrong one is.
    """
    ordered = sorted(captions, key=lambda one: (one.true, -len(one.nouns)))
    wrong, right = [one for one in ordered if not one.right][:1], [one for one in ordered if one.right]
    level = next((found for one in wrong + right if (found := politeness(one.caption))), None)
    fitting = [one for one in right if politeness(one.caption) in (None, level)]
    return fitting[: count - len(wrong)] + wrong


def draw_captions(path: Path, captions: Sequence[Captioned], models: Sequence[str] = ()) -> None:
    """Images with their captions, and the attention at each noun. Right ones are green, wrong ones vermillion.

    Args:
        models: the name of the model that wrote each caption, if there are several models.
    """
    columns = 1 + max(1, *(len(one.nouns) for one in captions))
    across = 2 if len(captions) > 1 else 1
    lines = math.ceil(len(captions) / across)
    with drawing(path, 1100, 10 + (280 if models else 260) * lines) as figure:
        parts = figure.subfigures(lines, across, squeeze=False, wspace=0.04, hspace=0.04).flatten()
        for part, one, name in zip(parts, captions, models or [""] * len(captions), strict=False):
            draw_row(part, name, one, columns)
        for part in parts[len(captions) :]:
            part.set_visible(False)


def draw_row(part: SubFigure, name: str, one: Captioned, columns: int) -> None:
    """The caption, after a model's name if there is one; the image, and the attention at each noun."""
    colour, sign = RIGHT if one.right else WRONG
    title = fill(f"{sign} {one.caption}", LINE if one.caption.isascii() else HANGUL_LINE)
    part.suptitle(f"{name}:\n{title}" if name else title, fontsize=14, color=colour, x=0.02, ha="left")
    panels = part.subplots(1, columns, squeeze=False)[0]
    show(panels[0], one.image, "the image")
    for axes, t in zip(panels[1:], one.nouns, strict=False):
        show_attention(axes, one.image, one.weights[t], f"at “{one.words[t]}”")
    for axes in panels[1 + len(one.nouns) :]:
        axes.set_visible(False)


def draw_attention(
    path: Path, image: Float[Tensor, "3 h w"], words: Sequence[str], weights: Float[Tensor, "t L"]
) -> None:
    """The image, then a panel for each word: row t of ``weights`` is the attention for word t."""
    lines = math.ceil((len(words) + 1) / COLUMNS)
    with drawing(path, 1100, 30 + 200 * lines) as figure:
        panels = figure.subplots(lines, COLUMNS, squeeze=False).flatten()
        show(panels[0], image, "the image")
        for axes, word, row in zip(panels[1:], words, weights, strict=False):
            show_attention(axes, image, row, word)
        for axes in panels[len(words) + 1 :]:
            axes.set_visible(False)


def lit(image: Float[Tensor, "3 h w"], weights: Float[Tensor, " L"]) -> Float[Tensor, "3 h w"]:
    """The image, dark except where the weights are large. The place with the largest weight has its full brightness."""
    side = round(len(weights) ** 0.5)  # the places are a square grid
    share = interpolate(weights.view(1, 1, side, side).float(), image.shape[1:], mode="nearest")[0]  # (1, h, w)
    return image * (DARKEST + (1 - DARKEST) * share / share.max())


def show_attention(axes: Axes, image: Float[Tensor, "3 h w"], weights: Float[Tensor, " L"], title: str) -> None:
    """The image, bright where the model looks. If one place has the largest weight, it has a frame."""
    show(axes, lit(image, weights), title)
    if (weights == weights.max()).sum() > 1:
        return  # no attention: all places are equal
    side = round(len(weights) ** 0.5)
    row, column = divmod(int(weights.argmax()), side)
    height, width = image.shape[1] / side, image.shape[2] / side  # of a place, in pixels
    corner = (column * width - 0.5, row * height - 0.5)
    axes.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=PALETTE.vermillion, linewidth=2))


def show(axes: Axes, image: Float[Tensor, "3 h w"], title: str) -> None:
    axes.imshow(image.permute(1, 2, 0).numpy())
    axes.set_title(title)
    axes.set_axis_off()


def draw_comparison(path: Path, measured: Mapping[str, Mapping[str, Any]]) -> None:
    """Several models: how good their captions are and how often the attention is on the object, at the end and over
    the steps.

    Each model has ``splits``, as its ``results.json``, and ``validation``.
    """
    chance = 100 * next(iter(measured.values()))["splits"]["test"]["chance"]["pointing"]
    width = 0.84 / len(measured)
    with drawing(path, 1200, 720) as figure:
        above, below = figure.subfigures(2, 1, hspace=0.03)
        bars = above.subplots()
        for k, (name, one) in enumerate(measured.items()):
            places = [x + (k - (len(measured) - 1) / 2) * width for x in range(len(BARS))]
            reached = [one["splits"][split]["reached"].get(measure) for split, measure in BARS]
            values = [100 * (share or 0) for share in reached]
            bars.bar(places, values, 0.92 * width, label=name, color=PALETTE[k])
            for x, share, value, (_, measure) in zip(places, reached, values, BARS, strict=True):
                if share is None:  # no attention, so it cannot point
                    continue
                above_line = max(value, chance) if measure == "pointing" else value
                bars.text(x, above_line + 2, f"{value:.1f}", ha="center", fontsize=12)
        bars.axhline(chance, 0.67, 1, color="black", linestyle="--", label="chance (pointing)")
        bars.set_xticks(range(len(BARS)), [f"{CURVES[measure]}, {split}" for split, measure in BARS])
        bars.grid(visible=False, axis="x")
        bars.set_xlim(-0.5, len(BARS) - 0.5)
        for axes, measure in zip(below.subplots(1, 2, sharey=True), CURVES, strict=True):
            for k, one in enumerate(measured.values()):
                steps = [point["steps"] for point in one["validation"]]
                if measure not in one["validation"][0]:
                    continue
                reached = [100 * point[measure] for point in one["validation"]]
                axes.plot(steps, reached, marker="o", markersize=4, color=PALETTE[k])
            axes.set_title(f"{CURVES[measure]}, during training")
            axes.set_xlabel("steps")
            axes.set_xlim(left=0)
        for axes in figure.axes:
            axes.set_ylim(0, 112 if axes is bars else 104)
            axes.set_yticks(range(0, 101, 25))
        for axes in figure.axes[:2]:
            axes.set_ylabel("share (%)")
        above.legend(loc="outside upper center", ncols=len(measured) + 1, columnspacing=1.2, handlelength=1.4)


def draw_forcing(path: Path, history: Sequence[Mapping[str, float | int]]) -> None:
    """One model over its training, with the true words before each word and with its own: losses, and what is right.

    Each entry of ``history`` has ``steps``, ``extensions.free_running.MEASURES`` and ``right``.
    """
    steps = [point["steps"] for point in history]
    with drawing(path, 1100, 430) as figure:
        left, right = figure.subplots(1, 2)
        losses = {"its own words before it": "free-running loss", "the true words before it": "teacher-forced loss"}
        for (label, name), colour in zip(losses.items(), (PALETTE.vermillion, PALETTE.blue), strict=True):
            left.plot(steps, [point[name] for point in history], marker="o", markersize=5, color=colour, label=label)
        left.set_title("Loss of a word, given …")
        left.set_ylabel("loss (nats per word)")
        left.set_ylim(0, 1.08 * max(point["free-running loss"] for point in history))
        shares = {
            "right words, given the true ones before": ("teacher-forced words", PALETTE.blue),
            "right words, given its own before": ("free-running words", PALETTE.vermillion),
            "right captions": ("right", PALETTE.black),
        }
        for label, (name, colour) in shares.items():
            reached = [100 * point[name] for point in history]
            right.plot(steps, reached, marker="o", markersize=5, color=colour, label=label)
        right.set_title("What is right")
        right.set_ylabel("share (%)")
        right.set_ylim(0, 104)
        left.legend(loc="upper right")
        right.legend(loc="lower right")
        for axes in (left, right):
            axes.set_xlabel("steps")
            axes.set_xlim(0, 1.04 * max(steps))


def draw_training(path: Path, history: Sequence[Mapping[str, float | int]]) -> None:
    """Shares of captions, and of the pointing game's hits, over steps, on scenes held out of training."""
    shares = {label: [100 * point[name] for point in history] for name, label in CURVES.items() if name in history[0]}
    with drawing(path, 1000, 480) as figure:
        axes = figure.subplots()
        draw_curves(axes, [point["steps"] for point in history], shares, "%")
        axes.set_ylabel("share (%)")
        axes.set_ylim(0, 104)
        axes.set_title("Captions of scenes held out of training")


def draw_photo_training(path: Path, history: Sequence[Mapping[str, float | int]]) -> None:
    """BLEU and CIDEr-D of the captions over steps, on a part of dev."""
    with drawing(path, 1000, 480) as figure:
        axes = figure.subplots()
        values = {name: [point[name] for point in history] for name in PHOTO_CURVES}
        draw_curves(axes, [point["steps"] for point in history], values)
        axes.set_ylabel("metric, times 100")
        axes.set_ylim(bottom=0)
        axes.set_title("Captions of photographs held out of training")


def draw_curves(
    axes: Axes, steps: Sequence[float | int], values: Mapping[str, Sequence[float]], unit: str = ""
) -> None:
    """A curve for each entry of ``values``; the legend has its last number."""
    for (label, reached), colour in zip(values.items(), PALETTE, strict=False):
        axes.plot(steps, reached, marker="o", markersize=5, color=colour, label=f"{label}: {reached[-1]:.1f}{unit}")
    axes.set_xlabel("steps")
    axes.set_xlim(0, 1.04 * max(steps))
    axes.legend(loc="lower right")
