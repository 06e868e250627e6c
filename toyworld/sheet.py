"""A sheet of the toy world: image, captions, question and sound of a few scenes, one row each."""

from pathlib import Path
from textwrap import fill

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from lab.figure import DOTS_PER_INCH, PALETTE, drawing
from toyworld import korean
from toyworld.captions import plan, say
from toyworld.drawing import draw
from toyworld.questions import question_at
from toyworld.rng import Rng
from toyworld.scenes import Scene
from toyworld.sentences import sentences
from toyworld.sounds import CLIP, SAMPLE_RATE, hear

WIDTH, HEAD, ROW, FOOT = 1000, 48, 208, 12  # pixels: sheet width, space above the rows, row height, space below
IMAGE = 160  # pixels of an image, drawn at the size at which it is shown
LINE = 23  # pixels from one line of text to the next
WRAP = {"english": 52, "korean": 30}  # letters in a line
MARGIN, TEXT, SOUND = 20, 204, 690  # left edges of images, texts and spectrograms, in pixels
MOST = 40  # rows
GREY, DARK = "#6A6A6A", "#202020"
WINDOW = 1024  # samples, 64 ms: pitches that differ by 50 Hz are three bins apart
HOP = 128  # samples, 8 ms
HIGHEST = 4000  # Hz
FLOOR = -60  # dB


def save_sheet(path: Path, split: str, seed: int, first: int, count: int) -> None:
    """Questions ``first``, ``first + 1``, … of a split and their scenes, as a PNG file.

    Raises:
        ValueError: if ``count`` is not from 1 to 40, ``first`` is negative, ``path`` does not end in .png, or the
            split is not one of ``SPLITS``.
    """
    if not 1 <= count <= MOST:
        raise ValueError(f"count must be from 1 to {MOST}, got {count}")
    if first < 0:
        raise ValueError(f"first must not be negative, got {first}")
    if path.suffix != ".png":
        raise ValueError(f"out must be a .png file, got {str(path)!r}")
    question_at(split, seed, first)  # a wrong split is an error before the file is opened
    with drawing(path, WIDTH, HEAD + count * ROW + FOOT) as figure:
        draw_sheet(figure, split, seed, first, count)


def draw_sheet(figure: Figure, split: str, seed: int, first: int, count: int) -> None:
    figure.set_layout_engine("none")  # all places are in pixels, so that no image is scaled
    for left, title in ((MARGIN, "image"), (TEXT, "captions and question"), (SOUND, "sound")):
        write(figure, left, 12, title, size=13, color=GREY)
    for row in range(count):
        scene, question = question_at(split, seed, first + row)
        top = HEAD + row * ROW
        image(place(figure, MARGIN, top, IMAGE, IMAGE), scene)
        write(figure, MARGIN, top + IMAGE + 6, f"{split} {first + row}", size=10, color=GREY)
        said = captions(scene, f"{split}/{seed}/{first + row}/sheet")
        asked = fill(f"{question.text}\u00a0—\u00a0{question.answer}", WRAP["english"])
        y = top - 4
        for text, colour in ((said["english"], DARK), (said["korean"], DARK), (asked, PALETTE.blue)):
            write(figure, TEXT, y, text, size=12, color=colour)
            y += LINE * (1 + text.count("\n")) + 8
        spectrum(place(figure, SOUND, top, 244, IMAGE), scene, last=row == count - 1)


def captions(scene: Scene, name: str) -> dict[str, str]:
    """The same facts in each language, wrapped into lines. All Korean captions of a sheet are polite."""
    facts = plan(scene, Rng(f"{name}/facts"))
    said = {
        "english": say(facts, "english", Rng(f"{name}/english")),
        "korean": korean.say(sentences(facts), Rng(f"{name}/korean"), korean.POLITE),
    }
    return {language: fill(text, WRAP[language]) for language, text in said.items()}


def place(figure: Figure, left: int, top: int, width: int, height: int) -> Axes:
    """Axes at a place in pixels from the left and the top."""
    w, h = figure.get_size_inches() * DOTS_PER_INCH
    return figure.add_axes((left / w, 1 - (top + height) / h, width / w, height / h))


def write(figure: Figure, left: int, top: int, text: str, **style: object) -> None:
    w, h = figure.get_size_inches() * DOTS_PER_INCH
    figure.text(left / w, 1 - top / h, text, verticalalignment="top", linespacing=1.35, **style)


def image(axes: Axes, scene: Scene) -> None:
    axes.imshow(draw([scene], IMAGE)[0].permute(1, 2, 0).numpy())
    axes.set_axis_off()


def spectrum(axes: Axes, scene: Scene, last: bool) -> None:
    """The spectrogram of the scene's sound; only the last row shows the times."""
    decibels = spectrogram(hear(scene))
    shown = axes.imshow(
        decibels.numpy(),
        origin="lower",
        aspect="auto",
        extent=(0, CLIP, 0, HIGHEST / 1000),
        cmap="magma",
        vmin=FLOOR,
        vmax=0,
        interpolation="bilinear",
    )
    axes.grid(False)
    axes.tick_params(labelsize=10)
    axes.set_xticks([0, 0.5, 1, 1.5, 2], ["0", "0.5", "1", "1.5", "2"] if last else [""] * 5)
    axes.set_xlabel("time (s)" if last else "", fontsize=10)
    axes.set_yticks([0, 1, 2, 3, 4])
    axes.set_ylabel("frequency (kHz)", fontsize=10)
    bar = axes.figure.colorbar(shown, cax=axes.inset_axes((1.03, 0, 0.03, 1)))
    bar.set_ticks([0, -20, -40, FLOOR], labels=["0 dB", "−20", "−40", "−60"], fontsize=10)
    bar.outline.set_visible(False)


def spectrogram(clip: Float[Tensor, "2 samples"]) -> Float[Tensor, "frequencies frames"]:
    r""":math:`10\log_{10}(P/\max P)` in dB, where P is the power of both channels, from 0 to 4 kHz."""
    window = torch.hann_window(WINDOW)
    bins = torch.stft(clip, WINDOW, HOP, window=window, return_complex=True)  # (2, WINDOW / 2 + 1, frames)
    power = bins.abs().square().sum(0)[: HIGHEST * WINDOW // SAMPLE_RATE + 1]  # (frequencies, frames)
    return 10 * (power / power.max()).clamp(min=1e-12).log10()
