"""The numbers of a sound's figure, computed in chunks: its outline, its spectrogram, its mel bands, its MFCCs."""

import math
from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from stft.extensions.streaming import stream_stft
from stft.figures import RANGE, Analysis
from stft.mel import decibels, mel_bands, mel_cepstrum, mel_filter_bank
from stft.units import magnitude_to_power

COLUMNS = 1500  # largest number of columns of an image; several frames of a long sound share one
FRAME = 0.064  # seconds
BANDS, COEFFICIENTS = 64, 13
HOPS = 16  # hops in a frame: 4 ms each, so that a short sound has enough columns


def frame_length(rate: int) -> int:
    """Samples in a frame: 64 ms, and an even number."""
    return max(16, 2 * round(FRAME * rate / 2))


def analyse(chunks: Iterable[Float[Tensor, "channels samples"]], rate: int, samples: int) -> Analysis:
    """The analysis of a sound of ``samples`` samples that arrives in chunks. Its memory does not grow with the sound.

    Frames are centred, with zeros around the sound. The power is the mean over the channels, and over the frames of a
    column.
    """
    n_fft = frame_length(rate)
    hop = n_fft // HOPS
    frames = 1 + samples // hop
    shared = math.ceil(frames / COLUMNS)  # frames per column
    columns = math.ceil(frames / shared)
    low, high = torch.zeros(columns), torch.zeros(columns)
    loudest = (-1.0, torch.zeros(n_fft))

    def outlined() -> Iterator[Tensor]:
        """The chunks as they come. On the way their outline and the loudest frame are collected."""
        nonlocal loudest
        start = 0
        for chunk in chunks:
            place = (torch.arange(start, start + chunk.shape[-1]) // (hop * shared)).clamp(max=columns - 1)
            for channel in chunk:
                low.scatter_reduce_(0, place, channel, "amin")
                high.scatter_reduce_(0, place, channel, "amax")
            if chunk.shape[-1] and float(chunk.abs().max()) > loudest[0]:
                loudest = (float(chunk.abs().max()), frame_around_peak(chunk, n_fft))
            start += chunk.shape[-1]
            yield chunk

    power = torch.zeros(n_fft // 2 + 1, columns)
    first = 0
    for part in stream_stft(outlined(), n_fft, hop, pad_mode="constant", then=magnitude_to_power):
        place = torch.arange(first, first + part.shape[-1]) // shared
        power.index_add_(1, place, part.mean(dim=0))
        first += part.shape[-1]
    power /= torch.bincount(torch.arange(frames) // shared, minlength=columns)
    mel = mel_bands(power, mel_filter_bank(n_fft, rate, BANDS))  # (bands, columns)
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
        mel_cepstrum(mel_levels, COEFFICIENTS),
        loudest[1],
    )


def frame_around_peak(chunk: Float[Tensor, "channels samples"], n: int) -> Float[Tensor, " n"]:
    """n samples of the channels' mean around the highest sample, or at the end of the chunk that is nearest to it."""
    middle = int(chunk.abs().amax(dim=0).argmax())
    start = max(0, min(middle - n // 2, chunk.shape[-1] - n))
    samples = chunk.mean(dim=0)[start : start + n]
    return torch.nn.functional.pad(samples, (0, n - len(samples)))  # (n)
