"""Make a sound longer or shorter without changing its pitch."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lab import cli
from stft.commands.options import ENDS, Out, SoundFile, softened
from stft.datasets.sound import check_format, read_sound, width_for, write_sound
from stft.extensions.analysis import frame_length
from stft.extensions.fast import istft, stft
from stft.extensions.phase_vocoder import phase_vocoder

SLOWEST, FASTEST = 0.01, 100


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


def padded_istft(spectrum: Tensor, n_fft: int, length: int) -> Tensor:
    """Exactly ``length`` samples: the frames may end half a hop earlier, and silence fills the rest."""
    reached = (spectrum.shape[-1] - 1) * (n_fft // 4) + n_fft - n_fft // 2
    sound = istft(spectrum, n_fft, length=min(length, reached))
    return torch.nn.functional.pad(sound, (0, length - sound.shape[-1]))


@dataclass(frozen=True, kw_only=True)
class Stretch(cli.Threads):
    """Make a sound longer or shorter without changing its pitch."""

    file: SoundFile  # the sound file
    rate: float  # the new speed: 0.5 is half as fast, 2 is twice as fast
    out: Out  # the .wav, .flac or .ogg file that is written

    def execute(self, command: str) -> None:
        before, after, divisor = stretch(self.file, self.rate, self.out)
        print(f"{before:.2f} s became {after:.2f} s\n{softened(divisor)}{self.out}")
