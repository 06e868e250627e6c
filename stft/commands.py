"""The verbs of ``python -m stft``: hear (the default), show, stretch, invert, measure."""

import json
import math
import os
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated, Literal

import torch
import tyro
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from lab import cli
from lab.checkpoint import write_bytes, write_text
from stft.datasets.sound import check_format, check_sound, pieces_of, read_sound, width_for, write_sound
from stft.evaluate import CHANCE, hearing
from stft.extensions.analysis import FRAME, analyse, frame_length, frame_to_show
from stft.extensions.fast import istft, stft
from stft.extensions.griffin_lim import griffin_lim, random_phases, spectral_convergence
from stft.extensions.phase_vocoder import phase_vocoder
from stft.figures import clock, draw_frames, draw_leakage, draw_sound, draw_windows
from stft.windows import WINDOWS
from toyworld import SAMPLE_RATE, hear, scene_at

RUNS = Path("runs/stft")
SLOWEST, FASTEST = 0.01, 100
SoundFile = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
Out = Annotated[Path, tyro.conf.arg(metavar="FILE")]
OutFolder = Annotated[
    Path | None, tyro.conf.arg(metavar="FOLDER", help_behavior_hint=f"(default: {RUNS / 'show' / 'FILE'})")
]
Frame = Annotated[
    float | None, tyro.conf.arg(metavar="MS", help_behavior_hint=f"(default: {FRAME:g}, less for a short sound)")
]
PICTURES, SOURCE = ("sound.png", "frames.png", "windows.png"), "source.txt"  # of the verb show
PART = 16  # frames in the part of a sound that is shown with two frame lengths
ENDS = {"pad_mode": "constant"}  # a file may be shorter than a frame: too short for padding by reflection


def hear_scene(folder: Path, split: str, seed: int, index: int) -> Sequence[Path]:
    """Writes a toy scene as a sound file, its figure, and the spectra of a windowed tone. Returns the paths."""
    if index < 0:
        raise ValueError(f"index must not be negative, got {index}")
    scene = scene_at(split, seed, index)
    clip = hear(scene)
    paths = folder / "heard.png", folder / "windows.png", folder / "scene.wav"
    draw_sound(paths[0], f"{split} {index}, heard", analyse([clip], SAMPLE_RATE, clip.shape[-1]), scene)
    draw_leakage(paths[1])
    write_sound(paths[2], clip, SAMPLE_RATE)
    return paths


def listen(folder: Path, seed: int, sounds: int, command: str) -> Mapping[str, Mapping[str, float]]:
    """By split and attribute, the accuracy of naming a single object by ear; also written to ``results.json``."""
    begun = time.monotonic()
    accuracy = {split: hearing(split, seed, sounds) for split in ("test", "compositional")}
    content = {
        "paper": "stft",
        "what": "hearing",
        "command": command,
        "sounds": sounds,
        "seconds": round(time.monotonic() - begun, 1),
        "chance": CHANCE,
        "accuracy": accuracy,
    }
    write_text(folder / "results.json", json.dumps(content, indent=2) + "\n")
    return accuracy


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


def stretch(file: Path, rate: float, out: Path) -> tuple[float, float, float]:
    """Writes the sound ``rate`` times as fast, at the same pitch.

    Returns its old and its new length in seconds, and what it was divided by.
    """
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"rate must be from {SLOWEST} to {FASTEST}, got {rate}")
    check_format(out)
    sound, sample_rate = read_sound(file)
    check_format(out, len(sound), sample_rate)
    n_fft = frame_length(sample_rate)
    spectrum = stft(sound, n_fft, **ENDS)
    length = max(1, round(sound.shape[-1] / rate))
    stretched = padded_istft(phase_vocoder(spectrum, rate), n_fft, length)
    divisor = write_sound(out, stretched, sample_rate, width_for(file, out))
    return sound.shape[-1] / sample_rate, length / sample_rate, divisor


def softened(divisor: float) -> str:
    """One line for the terminal if a sound was divided by more than 1, else nothing."""
    return f"{20 * math.log10(divisor):.1f} dB softer, so that no sample is beyond ±1\n" if divisor > 1 else ""


def padded_istft(spectrum: Tensor, n_fft: int, length: int) -> Tensor:
    """Exactly ``length`` samples: the frames may end half a hop earlier, and silence fills the rest."""
    reached = (spectrum.shape[-1] - 1) * (n_fft // 4) + n_fft - n_fft // 2
    sound = istft(spectrum, n_fft, length=min(length, reached))
    return torch.nn.functional.pad(sound, (0, length - sound.shape[-1]))


def invert(file: Path, out: Path, iterations: int, momentum: float, seed: int) -> tuple[float, float, float]:
    """Discards the phases, and writes a sound with nearly the same magnitudes.

    Returns the spectral convergence in dB with random phases, and after the iterations; and what it was divided by.
    """
    check_format(out)
    sound, rate = read_sound(file)
    check_format(out, len(sound), rate)
    _, first = found_again(sound, rate, 0, momentum, seed)
    found, last = found_again(sound, rate, iterations, momentum, seed)
    return first, last, write_sound(out, found, rate, width_for(file, out))


def found_again(
    sound: Float[Tensor, "channels samples"], rate: int, iterations: int, momentum: float, seed: int
) -> tuple[Float[Tensor, "channels samples"], float]:
    """A sound with nearly the magnitudes of this one, and their error in dB; for silence the error is −400 dB."""
    n_fft = frame_length(rate)
    magnitudes = stft(sound, n_fft, **ENDS).abs()
    if not 0 <= seed < 2**63:
        raise ValueError(f"seed must be from 0 to below 2^63, got {seed}")
    start = random_phases(magnitudes, torch.Generator().manual_seed(seed))
    options = {"iterations": iterations, "momentum": momentum, "length": sound.shape[-1], "start": start}
    found = griffin_lim(magnitudes, n_fft, **options, **ENDS)
    return found, spectral_convergence(found, magnitudes, n_fft=n_fft, **ENDS) if magnitudes.any() else -400.0


def measure(
    folder: Path, out: Path, iterations: int, momentum: float, seed: int, command: str
) -> Mapping[str, Sequence[float]]:
    """The error of the magnitudes of every WAV file in ``folder``, in dB: random phases, without and with momentum."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav")
    if not files:
        raise ValueError(f"{folder}: there is no .wav file in it")
    ways = {"random phases": (0, 0.0), "without momentum": (iterations, 0.0), "with momentum": (iterations, momentum)}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for file in tqdm(files, unit="file"):
        sound, rate = read_sound(file)
        for name, (steps, weight) in ways.items():
            found[name].append(found_again(sound, rate, steps, weight, seed)[1])
    content = {
        "paper": "stft",
        "what": "inversion",
        "command": command,
        "files": len(files),
        "decibels": {name: spread(values) for name, values in found.items()},
    }
    write_text(out, json.dumps(content, indent=2) + "\n")
    return content["decibels"]


def spread(values: Sequence[float]) -> Sequence[float]:
    """The quantiles 0.1, 0.5 and 0.9."""
    parts = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    return torch.tensor(values, dtype=torch.float64).quantile(parts).tolist()


@dataclass(frozen=True, kw_only=True)
class Hear(cli.Threads):
    """Draw the sound of a toy scene and the spectra of a windowed tone; then name objects by ear."""

    split: str = "test"  # the split of the scene: train, test or compositional
    seed: int = 0  # seed of the random scenes
    index: int = 1  # the number of the scene in its split
    sounds: int = 500  # the number of single objects that are named by ear in each split
    out: Annotated[Path, tyro.conf.arg(metavar="FOLDER")] = RUNS / "toy"  # the folder for the files

    def execute(self, command: str) -> None:
        if self.sounds < 1:
            raise ValueError(f"--sounds must be at least 1, got {self.sounds}")
        paths = [*hear_scene(self.out, self.split, self.seed, self.index), self.out / "results.json"]
        print(accuracy_table(listen(self.out, self.seed, self.sounds, command)))
        print(*paths, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Show(cli.Threads):
    """Draw a sound file: WAV, FLAC or OGG, any sample rate, any number of channels."""

    file: SoundFile  # the sound file
    out: OutFolder = None  # the folder for the figures
    frame: Frame = None  # length of a frame in ms
    window: Literal["rectangular", "hann", "hamming", "blackman"] = "hann"  # the window of each frame

    def execute(self, command: str) -> None:
        print(*show(self.file, self.out, self.frame, self.window), sep="\n")


@dataclass(frozen=True, kw_only=True)
class Stretch(cli.Threads):
    """Make a sound longer or shorter without changing its pitch."""

    file: SoundFile  # the sound file
    rate: float  # the new speed: 0.5 is half as fast, 2 is twice as fast
    out: Out  # the .wav, .flac or .ogg file that is written

    def execute(self, command: str) -> None:
        before, after, divisor = stretch(self.file, self.rate, self.out)
        print(f"{before:.2f} s became {after:.2f} s\n{softened(divisor)}{self.out}")


@dataclass(frozen=True, kw_only=True)
class Invert(cli.Threads):
    """Discard the phases of a sound's STFT, and estimate the sound from the magnitudes alone."""

    file: SoundFile  # the sound file
    out: Out  # the .wav, .flac or .ogg file that is written
    iterations: int = 100  # steps of the Griffin-Lim algorithm
    momentum: float = 0.99  # momentum of the fast Griffin-Lim algorithm; 0 gives the original one
    seed: int = 0  # seed of the random phases at the start

    def execute(self, command: str) -> None:
        first, last, divisor = invert(self.file, self.out, self.iterations, self.momentum, self.seed)
        print(f"error of the magnitudes: {first:.1f} dB at first, {last:.1f} dB after {self.iterations} iterations")
        print(f"{softened(divisor)}{self.out}")


@dataclass(frozen=True, kw_only=True)
class Measure(cli.Threads):
    """Invert every WAV file of a folder, with and without momentum, and report the error of the magnitudes."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]  # a folder with .wav files
    out: Out = RUNS / "measure" / "results.json"  # the file that is written
    iterations: int = 100  # steps of the Griffin-Lim algorithm
    momentum: float = 0.99  # momentum of the fast Griffin-Lim algorithm
    seed: int = 0  # seed of the random phases at the start

    def execute(self, command: str) -> None:
        words = shlex.split(command)
        place = [Path(word) == self.folder for word in words].index(True)
        command = shlex.join([*words[:place], "FOLDER", *words[place + 1 :]])
        rows = measure(self.folder, self.out, self.iterations, self.momentum, self.seed, command)
        print("error in dB: 10%, 50% and 90% of the files are below")
        for name, values in rows.items():
            print(f"{name:<18}" + "".join(f"{value:8.1f}" for value in values))
        print(self.out)


def accuracy_table(accuracy: Mapping[str, Mapping[str, float]]) -> str:
    """The table for the terminal: the accuracy of naming by ear, in %."""
    lines = [f"{'named by ear':<14}{'chance':>9}" + "".join(f"{split:>16}" for split in accuracy)]
    for name, chance in CHANCE.items():
        lines.append(f"{name:<14}{chance:>9.1%}" + "".join(f"{row[name]:>16.1%}" for row in accuracy.values()))
    return "\n".join(lines)


VERBS = (Hear, Show, Stretch, Invert, Measure)
DEFAULT = Hear
