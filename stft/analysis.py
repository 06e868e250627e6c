"""What is shown of a sound, gathered piece by piece: its outline, its spectrogram, its mel bands, its MFCCs."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from stft.extensions.streaming import stream_stft
from stft.mel import dct_matrix, decibels, mel_filter_bank
from stft.transform import magnitude

COLUMNS = 1500  # of a picture, at most; several frames of a long sound share one
FRAME = 0.064  # seconds
BANDS, COEFFICIENTS = 64, 13
HOPS = 16  # a frame: 4 ms each, so that a short sound has columns enough
RANGE = 80.0  # dB below the loudest that are shown


@dataclass(frozen=True)
class Analysis:
    """Column c of the outline holds the samples from c · step seconds on, of the others the frames whose middles lie
    there. Levels are in dB, the loudest is 0."""

    rate: int  # Hz
    seconds: float
    hop: float  # seconds from one frame's middle to the next; the first one's is at 0 s
    step: float  # seconds from one column to the next: a column is the mean of step / hop frames
    low: Float[Tensor, " columns"]  # the outline of all channels
    high: Float[Tensor, " columns"]
    spectrogram: Float[Tensor, "bins columns"]
    mel: Float[Tensor, "bands columns"]
    mfcc: Float[Tensor, "coefficients columns"]
    loudest: Float[Tensor, " n_fft"]  # a stretch of the channels' mean, around the sound's highest sample


def frame_length(rate: int) -> int:
    """Samples in a frame: 64 ms, and an even number."""
    return max(16, 2 * round(FRAME * rate / 2))


def analyse(pieces: Iterable[Float[Tensor, "channels samples"]], rate: int, samples: int) -> Analysis:
    """Of a sound of so many ``samples``. The memory that it needs does not grow with the sound.

    Frames are centred, with zeros around the sound. The power is the mean over the channels, and over the frames that
    share a column.
    """
    n_fft = frame_length(rate)
    hop = n_fft // HOPS
    frames = 1 + samples // hop
    shared = math.ceil(frames / COLUMNS)  # frames a column
    columns = math.ceil(frames / shared)
    low, high = torch.zeros(columns), torch.zeros(columns)
    best = (-1.0, torch.zeros(n_fft))

    def outlined() -> Iterator[Tensor]:
        """The pieces as they come; on their way their outline and their loudest stretch are noted."""
        nonlocal best
        start = 0
        for piece in pieces:
            place = (torch.arange(start, start + piece.shape[-1]) // (hop * shared)).clamp(max=columns - 1)
            for channel in piece:
                low.scatter_reduce_(0, place, channel, "amin")
                high.scatter_reduce_(0, place, channel, "amax")
            if piece.shape[-1] and float(piece.abs().max()) > best[0]:
                best = (float(piece.abs().max()), around(piece, n_fft))
            start += piece.shape[-1]
            yield piece

    power = torch.zeros(n_fft // 2 + 1, columns)
    first = 0
    for part in stream_stft(outlined(), n_fft, hop, pad_mode="constant", then=lambda bins: magnitude(bins, 2)):
        place = torch.arange(first, first + part.shape[-1]) // shared
        power.index_add_(1, place, part.mean(dim=0))
        first += part.shape[-1]
    power /= torch.bincount(torch.arange(frames) // shared, minlength=columns)
    mel = mel_filter_bank(n_fft, rate, BANDS).T @ power
    loudest_band = float(mel.max()) or 1.0
    mel_levels = decibels(mel, top_db=RANGE, reference=loudest_band)
    return Analysis(
        rate,
        samples / rate,
        hop / rate,
        shared * hop / rate,
        low,
        high,
        decibels(power, top_db=RANGE, reference=float(power.max()) or 1.0),
        mel_levels,
        dct_matrix(COEFFICIENTS, BANDS).T @ mel_levels,
        best[1],
    )


def around(piece: Float[Tensor, "channels samples"], n: int) -> Float[Tensor, " n"]:
    """n samples of the channels' mean, with the highest sample in the middle if the piece reaches that far."""
    middle = int(piece.abs().amax(dim=0).argmax())
    start = max(0, min(middle - n // 2, piece.shape[-1] - n))
    stretch = piece.mean(dim=0)[start : start + n]
    return torch.nn.functional.pad(stretch, (0, n - len(stretch)))
