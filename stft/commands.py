"""What the verbs of ``python -m stft`` do."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from tqdm import tqdm

from lab import write_text
from stft.datasets.sound import check_format, check_sound, pieces_of, read_sound, write_sound
from stft.evaluate import CHANCE, hearing
from stft.extensions.analysis import analyse, frame_length
from stft.extensions.fast import istft, stft
from stft.extensions.griffin_lim import griffin_lim, random_phases, spectral_convergence
from stft.extensions.phase_vocoder import phase_vocoder
from stft.figures import draw_leakage, draw_sound, draw_windows
from toyworld import SAMPLE_RATE, hear, scene_at

SLOWEST, FASTEST = 0.01, 100
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
