"""Discard the phases of a sound's STFT, and estimate the sound from the magnitudes alone."""

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from lab import cli
from stft.commands.options import ENDS, Out, SoundFile, softened
from stft.datasets.sound import check_format, read_sound, width_for, write_sound
from stft.extensions.analysis import frame_length
from stft.extensions.fast import stft
from stft.extensions.griffin_lim import griffin_lim, random_phases, spectral_convergence


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
