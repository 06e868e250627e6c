"""Draw a sound file. The pictures of another file are never replaced."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from jaxtyping import Float
from torch import Tensor

from lab import cli
from lab.checkpoint import write_bytes
from stft.commands.options import RUNS, SoundFile
from stft.datasets.sound import check_sound, pieces_of
from stft.extensions.analysis import FRAME, analyse, frame_to_show
from stft.figures import clock, draw_frames, draw_sound, draw_windows
from stft.windows import WINDOWS

OutFolder = Annotated[
    Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint=f"(default: {RUNS / 'show' / 'FILE'})")
]
Frame = Annotated[
    float | None, tyro.conf.arg(metavar="MS", help_behavior_hint=f"(default: {FRAME:g}, less for a short sound)")
]
PICTURES, SOURCE = ("sound.png", "frames.png", "windows.png"), "source.txt"
PART = 16  # frames in the part of a sound that is shown with two frame lengths


def show(file: Path, out: Path | None, frame: float | None, window: str) -> Sequence[Path]:
    """Writes the figures of a sound file. Returns the paths.

    The figures: the whole sound; its loudest part with long and with short frames; its loudest frame with each window.
    """
    rate, channels, samples = check_sound(file)
    n_fft = frame_to_show(rate, samples, frame)
    shown = analyse(pieces_of(file), rate, samples, n_fft, WINDOWS[window])
    start, part = part_around(file, shown.peak, PART * n_fft)
    long, short = (
        analyse([part], rate, part.shape[-1], n, WINDOWS[window]) for n in (n_fft, max(4, 2 * round(n_fft / 16)))
    )
    folder = folder_for(file, out)
    paths = [folder / name for name in PICTURES]
    write_bytes(folder / SOURCE, os.fsencode(file.resolve()))
    layout = "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels} channels"
    name = file.name if len(file.name) <= 40 else f"{file.name[:20]}…{file.name[-19:]}"
    of_frame = f"{window} window of {n_fft:,} samples"
    draw_sound(paths[0], f"{name}\n{rate:,} Hz, {layout}, {time_of(shown.seconds)}, {of_frame}", shown)
    draw_frames(paths[1], f"{name}, {window} window, from {time_of(start / rate)} on", long, short)
    draw_windows(paths[2], f"{name}\nthe loudest {n_fft:,} samples", shown.loudest, rate)
    return paths


def time_of(seconds: float) -> str:
    unit, scale = clock(seconds) if seconds else ("s", 1.0)
    return f"{seconds * scale:.2f} {unit}"


def part_around(file: Path, peak: int, most: int) -> tuple[int, Float[Tensor, "channels samples"]]:
    """At most ``most`` samples around sample ``peak``: the number of the first, and the samples."""
    start = max(0, peak - most // 2)
    parts, at = [], 0
    for piece in pieces_of(file):
        parts.append(piece[:, max(0, start - at) : max(0, start + most - at)])
        at += piece.shape[-1]
    return start, torch.cat(parts, dim=-1)


def folder_for(file: Path, out: Path | None) -> Path:
    """``out``, or a folder with the file's name; with a number behind it if another file of this name has that one.

    Raises:
        ValueError: if ``out`` has pictures of another file.
    """
    if out is None:
        numbered = (RUNS / "show" / (f"{file.name}-{k}" if k > 1 else file.name) for k in count(1))
        return next(folder for folder in numbered if is_free(folder, file))
    if not is_free(out, file):
        raise ValueError(f"{out}: this folder has pictures of another file; choose another --out")
    return out


def is_free(folder: Path, file: Path) -> bool:
    """Whether the folder has no pictures, or those of this file."""
    if (folder / SOURCE).is_file():
        return (folder / SOURCE).read_bytes() == os.fsencode(file.resolve())
    return not any((folder / name).exists() for name in PICTURES)


@dataclass(frozen=True, kw_only=True)
class Show(cli.Threads):
    """Draw a sound file: WAV, AIFF, FLAC, OGG or MP3, any sample rate, any number of channels."""

    file: SoundFile  # the sound file
    out: OutFolder = None  # the folder for the figures
    frame: Frame = None  # length of a frame in ms
    window: Literal["rectangular", "hann", "hamming", "blackman"] = "hann"  # the window of each frame

    def execute(self, command: str) -> None:
        print(*show(self.file, self.out, self.frame, self.window), sep="\n")
