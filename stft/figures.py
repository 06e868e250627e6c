"""Pictures of sound: outline, spectrogram, mel bands and MFCCs below each other; and what windows do to a tone."""

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from torch import Tensor

from lab.figure import PALETTE, drawing
from stft.analysis import RANGE, Analysis
from stft.leakage import main_lobe_width, side_lobe_level
from stft.mel import hz_to_mel
from stft.windows import WINDOWS
from toyworld import Scene, draw
from toyworld.sounds import PITCH, harmonics, onset

PICTURE = 256  # pixels of the scene
WEAKEST = -50.0  # dB below an object's strongest harmonic: weaker ones are not labelled
COLOURS = (PALETTE.sky, PALETTE.orange, PALETTE.green, PALETTE.yellow)  # bright: the spectrogram is dark
ZERO_PADDING = 32  # points a bin between which the spectrum of a window is drawn


def draw_sound(path: Path, title: str, shown: Analysis, scene: Scene | None = None) -> None:
    """All that is shown of one sound; with a scene, its picture, and a label at each harmonic of each object."""
    with drawing(path, 1100, 1180) as figure:
        figure.suptitle(title, parse_math=False)
        widths = (0.86, 0.14) if scene else (0.93, 0.07)
        grid = figure.add_gridspec(4, 2, height_ratios=(0.8, 1.4, 1, 0.8), width_ratios=widths)
        outline, spectrogram, mel, mfcc = (figure.add_subplot(grid[row, 0]) for row in range(4))
        bars = [axes.inset_axes((1.03, 0, 0.015, 1)) for axes in (spectrogram, mel, mfcc)]
        draw_outline(outline, shown)
        if scene:
            picture = figure.add_subplot(grid[0, 1])
            picture.imshow(draw([scene], PICTURE)[0].permute(1, 2, 0).numpy())
            picture.set_axis_off()
        kilohertz = shown.rate / 2000
        image = draw_levels(spectrogram, shown, shown.spectrogram, kilohertz / (len(shown.spectrogram) - 1), 0.0)
        spectrogram.set_ylim(0, kilohertz)
        figure.colorbar(image, cax=bars[0], label="dB")
        spectrogram.set_ylabel("frequency (kHz)")
        if scene:
            label_harmonics(spectrogram, scene, kilohertz)
            handles, names = spectrogram.get_legend_handles_labels()
            outline.legend(
                handles, names, loc="upper right", labelcolor="white", fontsize=11, frameon=True, facecolor="#202020"
            )
        highest = float(hz_to_mel(torch.tensor(shown.rate / 2)))
        band = highest / (len(shown.mel) + 1)  # from one band's peak to the next, in mel
        image = draw_levels(mel, shown, shown.mel, band, band)
        mel.set_ylim(0, highest)
        figure.colorbar(image, cax=bars[1], label="dB")
        mel.set_ylabel("mel bands (Hz)")
        ticks = [f for f in (0, 250, 500, 1000, 2000, 4000, 8000, 16000) if f <= shown.rate / 2]
        mel.set_yticks(hz_to_mel(torch.tensor(ticks, dtype=torch.float64)).tolist(), labels=[f"{f:,}" for f in ticks])
        figure.colorbar(draw_mfcc(mfcc, shown), cax=bars[2], label="dB")


def draw_outline(axes: Axes, shown: Analysis) -> None:
    times = (torch.arange(len(shown.low)) * shown.step).tolist()
    axes.fill_between(times, shown.low.tolist(), shown.high.tolist(), color=PALETTE.blue, linewidth=0.5, step="post")
    axes.set_xlim(0, shown.seconds)
    axes.set_ylabel("amplitude")
    axes.set_xlabel("time (s)")


def draw_levels(
    axes: Axes, shown: Analysis, levels: Float[Tensor, "rows columns"], row: float, first: float
) -> AxesImage:
    """In dB; a row's height, and the middle of the first one, are in the unit of the vertical axis."""
    heights = (first - row / 2, first + (len(levels) - 0.5) * row)
    return draw_columns(axes, shown, levels, heights, cmap="magma", vmin=-RANGE, vmax=0)


def draw_columns(
    axes: Axes, shown: Analysis, values: Float[Tensor, "rows columns"], heights: tuple[float, float], **colours: object
) -> AxesImage:
    times = (-shown.hop / 2, values.shape[1] * shown.step - shown.hop / 2)
    image = axes.imshow(values.numpy(), origin="lower", aspect="auto", extent=(*times, *heights), **colours)
    axes.set_xlim(0, shown.seconds)
    axes.grid(False)
    axes.set_xlabel("time (s)")
    return image


def draw_mfcc(axes: Axes, shown: Analysis) -> AxesImage:
    """Without the first coefficient, which is the loudness and much larger than the others."""
    shapes = shown.mfcc[1:]
    limit = max(float(shapes.abs().max()), 1e-6)
    image = draw_columns(axes, shown, shapes, (0.5, len(shapes) + 0.5), cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_ylabel("MFCC")
    axes.set_yticks([1, 4, 8, 12])
    return image


def label_harmonics(axes: Axes, scene: Scene, highest: float) -> None:
    """A mark at each harmonic where the object's note begins, with its number; the legend says whose they are."""
    edge = [withStroke(linewidth=2.5, foreground="black")]
    for thing, colour in zip(scene.objects, COLOURS, strict=False):
        pitch = PITCH[thing.colour]
        frequencies, amplitudes = harmonics(thing.shape, pitch)
        strong = amplitudes.abs() >= amplitudes.abs().max() * 10 ** (WEAKEST / 20)
        heights = (frequencies[strong] / 1000).tolist()
        time = onset(thing) + 0.03
        name = f"{thing.size} {thing.colour} {thing.shape}, {pitch:.0f} Hz"
        axes.plot([time] * len(heights), heights, "_", color=colour, markersize=9, markeredgewidth=2.5, label=name)
        for height in heights:
            if height < 0.97 * highest:
                number, place = f"{round(1000 * height / pitch)}", (time - 0.07, height)
                axes.text(*place, number, color=colour, fontsize=11, ha="right", va="center", path_effects=edge)


def draw_windows(
    path: Path,
    title: str,
    samples: Float[Tensor, " n"],
    rate: int,
    focus: tuple[float, float] | None = None,
    hidden: tuple[float, float] | None = None,
) -> None:
    """One frame's spectrum under each window, between the bins (line) and at the bins (points).

    ``focus`` is the part of the frequencies to show, in Hz; ``hidden``, frequency and level of a weak tone, is marked.
    """
    n = len(samples)
    with drawing(path, 1100, 760) as figure:
        figure.suptitle(title, parse_math=False)
        panels = figure.subplots(2, 2, sharex=True, sharey=True)
        for axes, (name, window) in zip(panels.flat, WINDOWS.items(), strict=True):
            w = window(n).to(samples)
            axes.plot(*levels_of(samples * w, rate, ZERO_PADDING), color=PALETTE.blue, linewidth=1.2)
            axes.plot(*levels_of(samples * w, rate, 1), ".", color=PALETTE.vermillion, markersize=5)
            width, level = main_lobe_width(w), side_lobe_level(w)
            axes.set_title(f"{name}: main lobe {width:.0f} bins, side lobes {level:.0f} dB".replace("-", "−"))
            axes.set_xlim(focus or (0, rate / 2))
            axes.set_ylim(-100, 5)
            if hidden:
                axes.plot(*hidden, "o", color=PALETTE.black, markersize=13, fillstyle="none", markeredgewidth=1.5)
        figure.supxlabel("frequency (Hz)")
        figure.supylabel("level (dB below the highest)")


def levels_of(samples: Float[Tensor, " n"], rate: int, points_per_bin: int) -> tuple[Sequence[float], Sequence[float]]:
    """Frequencies in Hz, and levels in dB below the highest that lies on any point."""
    n = points_per_bin * len(samples)
    finest = torch.fft.rfft(samples, n=ZERO_PADDING * len(samples)).abs().max()
    spectrum = torch.fft.rfft(samples, n=n).abs() / finest.clamp(min=1e-30)
    frequencies = torch.arange(len(spectrum)) * rate / n
    return frequencies.tolist(), (20 * spectrum.clamp(min=1e-7).log10()).tolist()


def draw_leakage(path: Path) -> None:
    """A tone half-way between two bins of 31.25 Hz, and three and a half bins above it one that is 37 dB weaker."""
    rate, n, strong, apart, weaker = 16_000, 512, 32.5, 3.5, -37.0
    t = torch.arange(n, dtype=torch.float64) / n  # in frames, so that a frequency is counted in bins
    both = torch.sin(2 * math.pi * strong * t) + 10 ** (weaker / 20) * torch.sin(2 * math.pi * (strong + apart) * t)
    title = f"A tone between two bins, and a second one, {-weaker:.0f} dB weaker (circle)"
    draw_windows(path, title, both, rate, (800.0, 1400.0), ((strong + apart) * rate / n, weaker))
