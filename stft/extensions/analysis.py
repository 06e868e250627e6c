"""The numbers of a sound's figure, computed in chunks: its outline, its spectrogram, its mel bands, its MFCCs."""

import math
import warnings
from collections.abc import Callable, Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from stft.extensions.streaming import stream_stft
from stft.figures import RANGE, Analysis
from stft.mel import decibels, mel_bands, mel_cepstrum, mel_filter_bank
from stft.units import magnitude_to_power
from stft.windows import hann

COLUMNS = 1500  # largest number of columns of an image; several frames of a long sound share one
FRAME = 64.0  # milliseconds
SHORTEST, LONGEST = 16, 2**16  # samples in a frame
BANDS, COEFFICIENTS = 64, 13  # at most
HOPS = 16  # hops in a frame: 4 ms each, so that a short sound has enough columns


def frame_length(rate: int) -> int:
    """Samples in a frame: 64 ms, and an even number from 16 to 65,536."""
    return min(LONGEST, max(SHORTEST, 2 * round(FRAME / 1000 * rate / 2)))


def frame_to_show(rate: int, samples: int, milliseconds: float | None = None) -> int:
    """Samples in a frame of a picture: what the user asks for; by default 64 ms, but at most half of the sound.

    Raises:
        ValueError: unless the user asks for 16 to 65,536 samples.
    """
    if milliseconds is None:
        return min(frame_length(rate), max(SHORTEST, 2 * (samples // 4)))
    shortest, longest = (1000 * n / rate for n in (SHORTEST, LONGEST))
    if not shortest <= milliseconds <= longest:
        allowed = f"from {shortest:.4g} to {longest:.6g} ms at {rate:,} Hz"
        raise ValueError(f"--frame must be {allowed} ({SHORTEST} to {LONGEST:,} samples), got {milliseconds:g}")
    return 2 * round(milliseconds / 1000 * rate / 2)


def bank_to_show(n_fft: int, rate: int) -> Float[Tensor, "bins bands"]:
    """64 mel bands, or as many as all have a bin; 2 at least."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about empty bands
        banks = (mel_filter_bank(n_fft, rate, bands) for bands in range(BANDS, 1, -1))
        return next(bank for bank in banks if bank.any(dim=0).all() or bank.shape[1] == 2)


def analyse(
    chunks: Iterable[Float[Tensor, "channels samples"]],
    rate: int,
    samples: int,
    n_fft: int | None = None,
    window: Callable[[int], Tensor] = hann,
) -> Analysis:
    """The analysis of a sound of ``samples`` samples that arrives in chunks. Its memory does not grow with the sound.

    Frames are centred, with zeros around the sound. The power is the mean over the channels, and over the frames of a
    column.
    """
    n_fft = frame_length(rate) if n_fft is None else n_fft
    hop = max(1, n_fft // HOPS)
    frames = 1 + samples // hop
    shared = math.ceil(frames / COLUMNS)  # frames per column
    columns = math.ceil(frames / shared)
    low, high = torch.zeros(columns), torch.zeros(columns)
    loudest = (-1.0, torch.zeros(n_fft), 0)

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
                peak = int(chunk.abs().amax(dim=0).argmax())
                loudest = (float(chunk.abs().max()), frame_around_peak(chunk, n_fft), start + peak)
            start += chunk.shape[-1]
            yield chunk

    power = torch.zeros(n_fft // 2 + 1, columns)
    first = 0
    options = {"window": window(n_fft), "pad_mode": "constant", "then": magnitude_to_power}
    for part in stream_stft(outlined(), n_fft, hop, **options):
        place = torch.arange(first, first + part.shape[-1]) // shared
        power.index_add_(1, place, part.mean(dim=0))
        first += part.shape[-1]
    power /= torch.bincount(torch.arange(frames) // shared, minlength=columns)
    mel = mel_bands(power, bank_to_show(n_fft, rate))  # (bands, columns)
    mel_levels = decibels(mel / (mel.max() if mel.any() else 1), top_db=RANGE)
    return Analysis(
        rate,
        samples / rate,
        hop / rate,
        shared * hop / rate,
        low,
        high,
        decibels(power / (power.max() if power.any() else 1), top_db=RANGE),
        mel_levels,
        mel_cepstrum(mel_levels, min(COEFFICIENTS, len(mel))),
        *loudest[1:],
    )


def frame_around_peak(chunk: Float[Tensor, "channels samples"], n: int) -> Float[Tensor, " n"]:
    """n samples of the channels' mean around the highest sample, or at the end of the chunk that is nearest to it."""
    middle = int(chunk.abs().amax(dim=0).argmax())
    start = max(0, min(middle - n // 2, chunk.shape[-1] - n))
    samples = chunk.mean(dim=0)[start : start + n]
    return torch.nn.functional.pad(samples, (0, n - len(samples)))  # (n)
