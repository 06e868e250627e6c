"""Figures of sound: outline, spectrogram, mel bands and MFCCs below each other; and the spectra of windowed tones."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.patheffects import withStroke
from torch import Tensor

from lab.figure import PALETTE, drawing
from stft.mel import hz_to_mel
from stft.windows import WINDOWS, main_lobe_width, side_lobe_level
from toyworld import Scene, draw
from toyworld.scenes import RGB
from toyworld.sounds import PITCH, harmonics, onset

RANGE = 80.0  # dB below the maximum that are shown
IMAGE = 256  # width of the scene's image in pixels
WEAKEST = -50.0  # dB relative to an object's strongest harmonic; weaker ones are not labelled
LIGHTER = 0.35  # the part of white in the marks of an object, because the spectrogram is dark
ZERO_PADDING = 32  # points per bin of a window's spectrum


@dataclass(frozen=True)
class Analysis:
    """The numbers of a sound's figure. Levels are in dB, and the maximum is 0 dB.

    Column c of the outline holds the samples from c · step seconds on. Column c of the other arrays holds the frames
    whose middles are in that time.
    """

    rate: int  # Hz
    seconds: float
    hop: float  # seconds from the middle of one frame to the next; the first frame's middle is at 0 s
    step: float  # seconds from one column to the next; a column is the mean of step / hop frames
    low: Float[Tensor, " columns"]  # the lowest sample of all channels
    high: Float[Tensor, " columns"]  # the highest sample of all channels
    spectrogram: Float[Tensor, "bins columns"]
    mel: Float[Tensor, "bands columns"]
    mfcc: Float[Tensor, "coefficients columns"]
    loudest: Float[Tensor, " n_fft"]  # a frame of the channels' mean, around the sound's highest sample
    peak: int = 0  # the number of the highest sample


def draw_sound(path: Path, title: str, shown: Analysis, scene: Scene | None = None) -> None:
    """Writes the figure of one sound. With a scene: also its image, and a label at each harmonic of each object."""
    with drawing(path, 1100, 1180) as figure:
        figure.suptitle(title)
        widths = (0.86, 0.14) if scene else (0.93, 0.07)
        grid = figure.add_gridspec(4, 2, height_ratios=(0.8, 1.4, 1, 0.8), width_ratios=widths)
        outline, spectrogram, mel, mfcc = (figure.add_subplot(grid[row, 0]) for row in range(4))
        bars = [axes.inset_axes((1.03, 0, 0.015, 1)) for axes in (spectrogram, mel, mfcc)]
        draw_outline(outline, shown)
        if scene:
            image = figure.add_subplot(grid[0, 1])
            image.imshow(draw([scene], IMAGE)[0].permute(1, 2, 0).numpy())
            image.set_axis_off()
        figure.colorbar(draw_spectrogram(spectrogram, shown), cax=bars[0], label="dB")
        if scene:
            label_harmonics(spectrogram, scene, shown.rate / 2000)
            handles, names = spectrogram.get_legend_handles_labels()
            above = {"loc": "lower left", "bbox_to_anchor": (0, 1.02), "borderaxespad": 0, "ncols": 2}
            dark = {"labelcolor": "white", "frameon": True, "facecolor": "#202020"}
            outline.legend(handles, names, fontsize=11, **above, **dark)
        highest = float(hz_to_mel(torch.tensor(shown.rate / 2)))
        band = highest / (len(shown.mel) + 1)  # mel from one band's peak to the next
        image = draw_levels(mel, shown, shown.mel, band, band)
        mel.set_ylim(0, highest)
        figure.colorbar(image, cax=bars[1], label="dB")
        mel.set_ylabel("mel bands (Hz)")
        ticks = mel_ticks(shown.rate / 2)
        mel.set_yticks(hz_to_mel(torch.tensor(ticks, dtype=torch.float64)).tolist(), labels=[f"{f:,g}" for f in ticks])
        figure.colorbar(draw_mfcc(mfcc, shown), cax=bars[2], label="dB")


def draw_frames(path: Path, title: str, long: Analysis, short: Analysis) -> None:
    """The spectrogram of one sound with two frame lengths: long frames separate frequencies, short ones moments."""
    with drawing(path, 1100, 560) as figure:
        figure.suptitle(title)
        panels = figure.subplots(1, 2, sharey=True)
        for axes, shown in zip(panels, (long, short), strict=True):
            n_fft = 2 * (len(shown.spectrogram) - 1)
            image = draw_spectrogram(axes, shown)
            unit, scale = clock(n_fft / shown.rate)
            axes.set_title(
                f"{n_fft:,} samples, {scale * n_fft / shown.rate:.3g} {unit}: {shown.rate / n_fft:,.4g} Hz per bin"
            )
        panels[1].set_ylabel("")
        figure.colorbar(image, ax=panels, label="dB")


def draw_spectrogram(axes: Axes, shown: Analysis) -> AxesImage:
    unit, hertz = ("kHz", 1000) if shown.rate >= 2000 else ("Hz", 1)
    highest = shown.rate / 2 / hertz
    image = draw_levels(axes, shown, shown.spectrogram, highest / (len(shown.spectrogram) - 1), 0.0)
    axes.set_ylim(0, highest)
    axes.set_ylabel(f"frequency ({unit})")
    return image


def clock(seconds: float) -> tuple[str, float]:
    """The unit in which a time like this one is read easily, and how many of it are in a second."""
    units = (("h", 1 / 3600, 7200), ("min", 1 / 60, 120), ("s", 1.0, 0.1), ("ms", 1e3, 1e-4))
    return next(((unit, scale) for unit, scale, least in units if seconds >= least), ("µs", 1e6))


def mel_ticks(highest: float) -> list[float]:
    """Round frequencies in Hz for the axis of the mel bands, at least 9% of the axis apart, so that no labels touch."""
    below_250 = [digit * 10.0**power for power in range(-3, 2) for digit in (1, 2, 5)]
    ticks, top = [0.0], float(hz_to_mel(torch.tensor(highest)))
    for tick in [*below_250, 100.0, *(250.0 * 2**k for k in range(16))]:
        places = hz_to_mel(torch.tensor([ticks[-1], tick])) / top
        if tick <= highest and places[1] - places[0] >= 0.09:
            ticks.append(tick)
    return ticks


def draw_outline(axes: Axes, shown: Analysis) -> None:
    unit, scale = clock(shown.seconds)
    times = (torch.arange(len(shown.low)) * shown.step * scale).tolist()
    axes.fill_between(times, shown.low.tolist(), shown.high.tolist(), color=PALETTE.blue, linewidth=0.5, step="post")
    axes.set_xlim(0, shown.seconds * scale)
    axes.set_ylabel("amplitude")
    axes.set_xlabel(f"time ({unit})")


def draw_levels(
    axes: Axes, shown: Analysis, levels: Float[Tensor, "rows columns"], row: float, first: float
) -> AxesImage:
    """Levels in dB. ``row`` is a row's height, ``first`` the middle of the first row, in the vertical axis's unit."""
    heights = (first - row / 2, first + (len(levels) - 0.5) * row)
    return draw_columns(axes, shown, levels, heights, cmap="magma", vmin=-RANGE, vmax=0)


def draw_columns(
    axes: Axes, shown: Analysis, values: Float[Tensor, "rows columns"], heights: tuple[float, float], **colours: object
) -> AxesImage:
    unit, scale = clock(shown.seconds)
    times = (-scale * shown.hop / 2, scale * (values.shape[1] * shown.step - shown.hop / 2))
    image = axes.imshow(values.numpy(), origin="lower", aspect="auto", extent=(*times, *heights), **colours)
    axes.set_xlim(0, shown.seconds * scale)
    axes.grid(False)
    axes.set_xlabel(f"time ({unit})")
    return image


def draw_mfcc(axes: Axes, shown: Analysis) -> AxesImage:
    """Without the first coefficient, which is the loudness and much larger than the others."""
    shapes = shown.mfcc[1:]
    limit = max(float(shapes.abs().max()), 1e-6)
    image = draw_columns(axes, shown, shapes, (0.5, len(shapes) + 0.5), cmap="RdBu_r", vmin=-limit, vmax=limit)
    axes.set_ylabel("MFCC")
    axes.set_yticks([number for number in (1, 4, 8, 12) if number <= len(shapes)])
    return image


def label_harmonics(axes: Axes, scene: Scene, highest: float) -> None:
    """A mark with its number at each harmonic, where the object's note begins. The legend names the objects,
    and each has its own colour, but lighter."""
    edge = [withStroke(linewidth=2.5, foreground="black")]
    behind = {"facecolor": "black", "edgecolor": "none", "pad": 1}  # no other tone crosses a number
    for thing in scene.objects:
        colour = tuple(part + LIGHTER * (1 - part) for part in RGB[thing.colour])
        pitch = PITCH[thing.colour]
        frequencies, amplitudes = harmonics(thing.shape, pitch)
        strong = amplitudes.abs() >= amplitudes.abs().max() * 10 ** (WEAKEST / 20)
        heights = (frequencies[strong] / 1000).tolist()
        time = onset(thing) + 0.03
        name = f"{thing.size} {thing.colour} {thing.shape}, {pitch:.0f} Hz"
        axes.plot(
            [time] * len(heights), heights, "_", color=colour, markersize=9, markeredgewidth=2.5, label=name, zorder=4
        )
        for height in heights:
            if height < 0.97 * highest:
                number, place = f"{round(1000 * height / pitch)}", (time + 0.025, height)
                axes.text(
                    *place, number, color=colour, fontsize=11, ha="left", va="center", path_effects=edge, bbox=behind
                )


def draw_windows(
    path: Path,
    title: str,
    samples: Float[Tensor, " n"],
    rate: int,
    focus: tuple[float, float] | None = None,
    hidden: tuple[float, float] | None = None,
) -> None:
    """The spectrum of one frame with each window: between the bins (line) and at the bins (points).

    ``focus`` is the range of frequencies to show, in Hz. ``hidden`` is the frequency (Hz) and the level (dB) of a weak
    tone, which gets a circle.
    """
    n = len(samples)
    with drawing(path, 1100, 760) as figure:
        figure.suptitle(title)
        panels = figure.subplots(2, 2, sharex=True, sharey=True)
        for axes, (name, window) in zip(panels.flat, WINDOWS.items(), strict=True):
            w = window(n, dtype=samples.dtype).to(samples)
            axes.plot(*levels_of(samples * w, rate, ZERO_PADDING), color=PALETTE.blue, linewidth=1.2)
            axes.plot(*levels_of(samples * w, rate, 1), ".", color=PALETTE.vermillion, markersize=5)
            width, level = main_lobe_width(w), side_lobe_level(w)
            axes.set_title(
                f"{name.capitalize()}: main lobe {width:.0f} bins, side lobes {level:.0f} dB".replace("-", "−")
            )
            axes.set_xlim(focus or (0, rate / 2))
            axes.set_ylim(-100, 5)
            if hidden:
                axes.plot(*hidden, "o", color=PALETTE.black, markersize=13, fillstyle="none", markeredgewidth=1.5)
        figure.supxlabel("frequency (Hz)")
        figure.supylabel("level (dB below the highest)")


def levels_of(samples: Float[Tensor, " n"], rate: int, points_per_bin: int) -> tuple[Sequence[float], Sequence[float]]:
    """Frequencies in Hz, and levels in dB relative to the highest point."""
    n = points_per_bin * len(samples)
    finest = torch.fft.rfft(samples, n=ZERO_PADDING * len(samples)).abs().max()
    spectrum = torch.fft.rfft(samples, n=n).abs() / finest.clamp(min=1e-30)
    frequencies = torch.arange(len(spectrum)) * rate / n
    return frequencies.tolist(), (20 * spectrum.clamp(min=1e-7).log10()).tolist()


def draw_leakage(path: Path) -> None:
    """A tone half-way between two bins (31.25 Hz apart), and one 37 dB weaker, three and a half bins above it."""
    rate, n, strong, apart, weaker = 16_000, 512, 32.5, 3.5, -37.0
    t = torch.arange(n, dtype=torch.float64) / n  # in frames, so that a frequency is counted in bins
    both = torch.sin(2 * math.pi * strong * t) + 10 ** (weaker / 20) * torch.sin(2 * math.pi * (strong + apart) * t)
    title = f"A tone between two bins, and a second one, {-weaker:.0f} dB weaker (circle)"
    draw_windows(path, title, both, rate, (800.0, 1400.0), ((strong + apart) * rate / n, weaker))
