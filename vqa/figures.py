"""Figures: questions with the model's answers, accuracy during training, and several models side by side."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

from matplotlib.axes import Axes
from torch import nn

from lab.figure import PALETTE, drawing
from vqa.answer_text import vqa_accuracy
from vqa.evaluate import ALL, AnswerVocabulary, Examples, predict, probabilities, selected

SHOWN = 5  # answers to a question
RIGHT, WRONG = (PALETTE.green, "✓"), (PALETTE.vermillion, "✗")
GREY = "#9A9A9A"
IMAGE_ONLY = "image only"  # the model of the comparison that does not know the question
LOW = 2  # %: a bar so low has its number over it


def one_of_each_kind(examples: Examples, count: int = 6, last: int | None = None) -> Examples:
    """The first question of each kind, then the first of the others, ``count`` in all; each about another image.

    Args:
        last: a question that is shown for its kind, in the last place.
    """
    chosen = [] if last is None else [last]
    for only_new_kinds in (True, False):
        for k, (image, kind) in enumerate(zip(examples.image_of, examples.kinds, strict=True)):
            images, kinds = ({column[j] for j in chosen} for column in (examples.image_of, examples.kinds))
            if len(chosen) < count and image not in images and not (only_new_kinds and kind in kinds):
                chosen.append(k)
    return selected(examples, chosen if last is None else [*chosen[1:], last])


def first_error(model: nn.Module, vocabulary: AnswerVocabulary, examples: Examples) -> int | None:
    """The first question whose answer is wrong; None if there is none."""
    said = predict(model, vocabulary, examples)
    scores = [vqa_accuracy(answer, answers) for answer, answers in zip(said, examples.answers, strict=True)]
    return scores.index(0.0) if 0.0 in scores else None


def draw_answers(path: Path, model: nn.Module, vocabulary: AnswerVocabulary, examples: Examples) -> None:
    """Each image with its question, the model's answer, and the five most likely answers with their probabilities."""
    rows = probabilities(model, vocabulary, examples)  # (n, answers)
    n, shown = len(examples.texts), min(SHOWN, len(vocabulary.answers))
    with drawing(path, 1100, 40 + 260 * math.ceil(n / 2)) as figure:
        parts = figure.subfigures(math.ceil(n / 2), 2, squeeze=False, wspace=0.04, hspace=0.03).flatten()
        for k in range(n):
            part, answers = parts[k], examples.answers[k]
            likely, order = rows[k].topk(shown)
            words = [vocabulary.answers[a] for a in order.tolist()]
            colour, sign = RIGHT if vqa_accuracy(words[0], answers) > 0.5 else WRONG
            left, right = part.subplots(1, 2, width_ratios=(1, 1.15))
            left.imshow(examples.pixels[examples.image_of[k]].permute(1, 2, 0).numpy())
            left.set_axis_off()
            draw_bars(right, words, [100 * p for p in likely.tolist()], colour)
            part.suptitle(fill(examples.texts[k], 52), fontsize=15, x=0.03, ha="left")
            right.set_title(f"{sign} {shortened(words[0])}", color=colour, loc="left", fontweight="bold")
            if sign == WRONG[1]:
                expected = f"wrong, expected: {shortened(max(set(answers), key=answers.count))}"
                left.text(0.5, -0.06, expected, transform=left.transAxes, ha="center", va="top", fontsize=12)
        for part in parts[n:]:
            part.set_visible(False)


def draw_bars(axes: Axes, words: Sequence[str], percents: Sequence[float], colour: str) -> None:
    """Horizontal bars, in the order of ``words`` from the top, each with its percentage."""
    bars = axes.barh(range(len(words)), percents, color=[colour] + [GREY] * (len(words) - 1))
    axes.bar_label(bars, [f"{p:.1f}" for p in percents], padding=4, fontsize=12)
    axes.set_yticks(range(len(words)), map(shortened, words))
    axes.invert_yaxis()
    axes.set_xlim(0, 128)
    axes.set_xticks([0, 50, 100])
    axes.set_xlabel("probability (%)", fontsize=12)
    axes.tick_params(labelsize=12)
    axes.grid(visible=False, axis="y")


def shortened(words: str, longest: int = 16) -> str:
    return words if len(words) <= longest else f"{words[: longest - 1]}…"


def draw_training(path: Path, history: Sequence[Mapping[str, float | int]], chance: Mapping[str, float]) -> None:
    """Validation accuracy over steps: a panel for each kind of question, with its chance level.

    Each entry of ``history`` has ``steps`` and an accuracy (0 to 1) for each kind of question in ``chance``.
    """
    kinds = [kind for kind in chance if kind != ALL]
    columns = 2 if len(kinds) in (2, 4) else min(3, len(kinds))
    rows = math.ceil(len(kinds) / columns)
    steps = [point["steps"] for point in history]
    with drawing(path, 1000, 60 + 270 * rows) as figure:
        figure.suptitle("Accuracy on images held out of training", fontsize=16)
        figure.get_layout_engine().set(wspace=0.06)
        panels = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        for axes, kind in zip(panels.flatten(), kinds, strict=False):
            axes.plot(steps, [100 * point[kind] for point in history], marker="o", markersize=5, color=PALETTE.blue)
            level = 100 * chance[kind]
            axes.axhline(level, color=PALETTE.vermillion, linestyle="--", linewidth=1.5)
            below = level > 12  # there is room for the words under the line
            axes.annotate(
                f"chance {level:.0f}%", (1, level), (-2, -3 if below else 3), xycoords=axes.get_yaxis_transform(),
                textcoords="offset points", ha="right", va="top" if below else "bottom", fontsize=12,
                color=PALETTE.vermillion,
            )  # fmt: skip
            axes.set_title(f"{kind}: {100 * history[-1][kind]:.1f}%")
            axes.set_xlim(0, 1.04 * max(steps))
            axes.set_ylim(0, 104)
            axes.set_yticks(range(0, 101, 25))
        for axes in panels.flatten()[len(kinds) :]:
            axes.set_visible(False)
        for axes in panels[:, 0]:
            axes.set_ylabel("accuracy (%)")
        for column in range(columns):
            lowest = max(row for row in range(rows) if row * columns + column < len(kinds))
            panels[lowest, column].set_xlabel("steps")
            panels[lowest, column].tick_params(labelbottom=True)


def draw_comparison(path: Path, reached: Mapping[str, Mapping[str, float]], chance: Mapping[str, float]) -> None:
    """Grouped bars: accuracy (0 to 1) by model, then by kind of question, with the chance level across each group.

    A line under the bars says why the model without the question is far below chance for some kinds.
    """
    kinds, models = list(chance), list(reached)
    never = [kind for kind in kinds if 2 * reached.get(IMAGE_ONLY, chance)[kind] < chance[kind]]
    width = 0.84 / len(models)
    with drawing(path, 1000, 520) as figure:
        axes = figure.subplots()
        for k, model in enumerate(models):
            places = [x + (k - (len(models) - 1) / 2) * width for x in range(len(kinds))]
            values = [100 * reached[model][kind] for kind in kinds]
            bars = axes.bar(places, values, 0.92 * width, label=model, color=PALETTE[k])
            axes.bar_label(bars, [f"{value:.1f}" if value < LOW else "" for value in values], padding=2, fontsize=11)
        for x, kind in enumerate(kinds):
            label = "chance" if x == 0 else None
            axes.hlines(
                100 * chance[kind], x - 0.45, x + 0.45, colors="black", linestyles="--", linewidth=2, label=label
            )
        axes.set_xticks(range(len(kinds)), kinds)
        axes.grid(visible=False, axis="x")
        axes.set_xlim(-0.55, len(kinds) - 0.45)
        axes.set_ylim(0, 101)
        axes.set_ylabel("accuracy (%)")
        if never:
            figure.supxlabel(
                f"“{IMAGE_ONLY}” does not know the question. It gives one answer to all questions about an image,\n"
                f"the likeliest of all. That is hardly ever an answer to a question of the kind {' or '.join(never)}.",
                fontsize=13,
            )
        figure.legend(loc="outside upper center", ncols=len(models) + 1, columnspacing=1.2, handlelength=1.4)
