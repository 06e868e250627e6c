"""The verbs of ``python -m stft``: hear (the default), show, stretch, invert, measure."""

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from lab import cli
from lab.checkpoint import write_text
from stft.datasets.sound import check_format, check_sound, pieces_of, read_sound, write_sound
from stft.evaluate import CHANCE, hearing
from stft.extensions.analysis import analyse, frame_length
from stft.extensions.fast import istft, stft
from stft.extensions.griffin_lim import griffin_lim, random_phases, spectral_convergence
from stft.extensions.phase_vocoder import phase_vocoder
from stft.figures import draw_leakage, draw_sound, draw_windows
from toyworld import SAMPLE_RATE, hear, scene_at

RUNS = Path("runs/stft")
SLOWEST, FASTEST = 0.01, 100
SoundFile = tyro.conf.Positional[Path]
OutFolder = Annotated[
    Path | None, tyro.conf.arg(metavar="PATH", help_behavior_hint=f"(default: {RUNS / 'show' / 'NAME'})")
]
ENDS = {"pad_mode": "constant"}  # files may be shorter than a frame, and then have nothing to be mirrored


def hear_scene(folder: Path, split: str, seed: int, index: int) -> Sequence[Path]:
    """A toy scene as a sound file, its picture, and what windows do to a pure tone; the paths that were written."""
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
    """By split and attribute, how often a lone object is named rightly by ear; also written to ``results.json``."""
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


def show(file: Path, folder: Path) -> Sequence[Path]:
    """The pictures of any sound file, and what windows do to its loudest frame; the paths that were written."""
    rate, channels, samples = check_sound(file)
    shown = analyse(pieces_of(file), rate, samples)
    paths = folder / "sound.png", folder / "windows.png"
    told = "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels} channels"
    draw_sound(paths[0], f"{file.name}: {rate:,} Hz, {told}, {shown.seconds:.2f} s", shown)
    draw_windows(paths[1], f"{file.name}: the loudest {frame_length(rate)} samples", shown.loudest, rate)
    return paths


def stretch(file: Path, rate: float, out: Path) -> tuple[float, float]:
    """Writes the sound ``rate`` times as fast, at the same pitch; its length before and after, in seconds."""
    if not SLOWEST <= rate <= FASTEST:
        raise ValueError(f"rate must be from {SLOWEST} to {FASTEST}, got {rate}")
    check_format(out)
    sound, sample_rate = read_sound(file)
    check_format(out, len(sound), sample_rate)
    n_fft = frame_length(sample_rate)
    spectrum = stft(sound, n_fft, **ENDS)
    length = max(1, round(sound.shape[-1] / rate))
    write_sound(out, padded_istft(phase_vocoder(spectrum, rate), n_fft, length), sample_rate)
    return sound.shape[-1] / sample_rate, length / sample_rate


def padded_istft(spectrum: Tensor, n_fft: int, length: int) -> Tensor:
    """Exactly ``length`` samples: silence behind what the frames reach, which may end half a hop earlier."""
    reached = (spectrum.shape[-1] - 1) * (n_fft // 4) + n_fft - n_fft // 2
    sound = istft(spectrum, n_fft, length=min(length, reached))
    return torch.nn.functional.pad(sound, (0, length - sound.shape[-1]))


def invert(file: Path, out: Path, iterations: int, momentum: float, seed: int) -> tuple[float, float]:
    """Forgets the phases, finds a sound with these magnitudes, writes it; spectral convergence at first and at last."""
    check_format(out)
    sound, rate = read_sound(file)
    check_format(out, len(sound), rate)
    _, first = found_again(sound, rate, 0, momentum, seed)
    found, last = found_again(sound, rate, iterations, momentum, seed)
    write_sound(out, found, rate)
    return first, last


def found_again(
    sound: Float[Tensor, "channels samples"], rate: int, iterations: int, momentum: float, seed: int
) -> tuple[Float[Tensor, "channels samples"], float]:
    """A sound for the magnitudes of this one, and how far off its own are, in dB; silence is found at once."""
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
    """How far off the magnitudes of every WAV file in ``folder`` are, in dB: at first, without and with momentum."""
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
    """Below which a tenth, a half and nine tenths of the values lie."""
    parts = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    return torch.tensor(values, dtype=torch.float64).quantile(parts).tolist()


@dataclass(frozen=True, kw_only=True)
class Hear(cli.Threads):
    """Draw what a scene of the toy world sounds like, and what windows do to a pure tone; then name objects by ear."""

    split: str = "test"  # of the scene: train, test or compositional
    seed: int = 0  # another seed gives other scenes
    index: int = 1  # the number of the scene in its split
    sounds: int = 500  # single objects that are named by ear in each split
    out: Path = RUNS / "toy"  # the folder that is written to

    def execute(self, command: str) -> None:
        if self.sounds < 1:
            raise ValueError(f"--sounds must be at least 1, got {self.sounds}")
        paths = [*hear_scene(self.out, self.split, self.seed, self.index), self.out / "results.json"]
        print(accuracy_table(listen(self.out, self.seed, self.sounds, command)))
        print(*paths, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Show(cli.Threads):
    """Draw what a sound file holds: WAV, FLAC or OGG, any sample rate, any number of channels."""

    file: SoundFile  # the sound file
    out: OutFolder = None  # the folder that is written to

    def execute(self, command: str) -> None:
        print(*show(self.file, self.out or RUNS / "show" / self.file.name), sep="\n")


@dataclass(frozen=True, kw_only=True)
class Stretch(cli.Threads):
    """Make a sound longer or shorter without changing its pitch."""

    file: SoundFile  # the sound file
    rate: float  # 0.8 is slower, 1.25 is faster
    out: Path  # the .wav, .flac or .ogg file that is written

    def execute(self, command: str) -> None:
        before, after = stretch(self.file, self.rate, self.out)
        print(f"{before:.2f} s became {after:.2f} s\n{self.out}")


@dataclass(frozen=True, kw_only=True)
class Invert(cli.Threads):
    """Discard the phases of a sound's spectrogram, and estimate a sound from the magnitudes alone."""

    file: SoundFile  # the sound file
    out: Path  # the .wav, .flac or .ogg file that is written
    iterations: int = 100  # of Griffin and Lim's algorithm
    momentum: float = 0.99  # 0 is Griffin and Lim's own algorithm
    seed: int = 0  # of the first phases

    def execute(self, command: str) -> None:
        first, last = invert(self.file, self.out, self.iterations, self.momentum, self.seed)
        print(f"error of the magnitudes: {first:.1f} dB at first, {last:.1f} dB after {self.iterations} iterations")
        print(self.out)


@dataclass(frozen=True, kw_only=True)
class Measure(cli.Threads):
    """Invert every WAV file of a folder, with and without momentum, and report the error of the magnitudes."""

    folder: tyro.conf.Positional[Path]  # with .wav files
    out: Path = RUNS / "measure" / "results.json"  # the file that is written
    iterations: int = 100  # of Griffin and Lim's algorithm
    momentum: float = 0.99  # of the accelerated algorithm
    seed: int = 0  # of the first phases

    def execute(self, command: str) -> None:
        words = shlex.split(command)
        place = [Path(word) == self.folder for word in words].index(True)
        command = shlex.join([*words[:place], "FOLDER", *words[place + 1 :]])
        rows = measure(self.folder, self.out, self.iterations, self.momentum, self.seed, command)
        print("error in dB: a tenth, a half and nine tenths of the files are below")
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
