r"""From the spectrogram to what an ear tells apart: mel bands, decibels, cepstral coefficients.

The mel scale (Stevens, Volkmann & Newman 1937) is made of listeners' judgements of "half as high": nearly linear up to
1 kHz, logarithmic above. Two formulas fit it, that of the toolkit HTK (after O'Shaughnessy 1987) and that of Slaney's
"Auditory Toolbox" (1998). Triangular bands of equal width in mel gather the spectrum, and decibels are near to
loudness. The cosine transform of the decibels across the bands (MFCC; Davis & Mermelstein 1980, "Comparison of
Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken Sentences") separates the slow
changes across the bands, which the vocal tract makes, from the fast ones, which the pitch makes.

Names and defaults are those of torchaudio. What differs from it: a bin stands for its true frequency, also for odd
``n_fft`` and odd sample rates, and the filter bank is computed in float64, whatever the default dtype is.
"""

import math
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import Hz, check_at_least_1, check_one_of, check_positive
from stft.transform import Normalized, Padding, Waveform, Window, magnitude, stft

MelScale = Literal["htk", "slaney"]

KNEE = 1000.0  # Hz: Slaney's scale is linear below, logarithmic above
HZ_PER_MEL = 200 / 3  # below the knee, where one mel of Slaney's is so many Hz
STEPS = 27 / math.log(6.4)  # above it: 27 mels take the frequency to its 6.4-fold
HTK_FACTOR, HTK_KNEE = 2595.0, 700.0


def hz_to_mel(frequencies: Float[Tensor, "*shape"], mel_scale: MelScale = "htk") -> Float[Tensor, "*shape"]:
    r"""HTK: :math:`m = 2595 \log_{10}(1 + f/700)`. Slaney: :math:`3f/200` up to 1 kHz, then
    :math:`15 + 27 \ln(f/1000)/\ln 6.4`.

    Raises:
        ValueError: if the scale is unknown.
    """
    check_one_of(("htk", "slaney"), mel_scale=mel_scale)
    if mel_scale == "htk":
        return HTK_FACTOR * torch.log10(1 + frequencies / HTK_KNEE)
    above = KNEE / HZ_PER_MEL + STEPS * torch.log(frequencies.clamp(min=KNEE) / KNEE)
    return torch.where(frequencies < KNEE, frequencies / HZ_PER_MEL, above)


def mel_to_hz(mels: Float[Tensor, "*shape"], mel_scale: MelScale = "htk") -> Float[Tensor, "*shape"]:
    r"""The inverse. HTK: :math:`f = 700\,(10^{m/2595} - 1)`. Slaney: :math:`200m/3` up to 15 mel, then
    :math:`1000 \cdot 6.4^{(m - 15)/27}`.

    Raises:
        ValueError: if the scale is unknown.
    """
    check_one_of(("htk", "slaney"), mel_scale=mel_scale)
    if mel_scale == "htk":
        return HTK_KNEE * (10 ** (mels / HTK_FACTOR) - 1)
    knee = KNEE / HZ_PER_MEL
    above = KNEE * torch.exp((mels - knee) / STEPS)
    return torch.where(mels < knee, mels * HZ_PER_MEL, above)


def mel_filter_bank(
    n_fft: int = 400,
    sample_rate: Hz = 16_000,
    n_mels: int = 128,
    f_min: Hz = 0.0,
    f_max: Hz | None = None,
    norm: Literal["slaney"] | None = None,
    mel_scale: MelScale = "htk",
) -> Float[Tensor, "bins n_mels"]:
    r"""Triangles whose corners :math:`c_0 < … < c_{M+1}` lie equally far apart in mel, in torch's default dtype.

    Band j rises from :math:`c_j` to 1 at :math:`c_{j+1}` and falls to 0 at :math:`c_{j+2}`:

    .. math::  B_{kj} = \max\Big(0, \min\Big(\frac{f_k - c_j}{c_{j+1} - c_j}, \frac{c_{j+2} - f_k}{c_{j+2} - c_{j+1}}\Big)\Big)

    Args:
        n_fft: bin k is :math:`f_k` = k · sample_rate / n_fft.
        sample_rate: in Hz.
        n_mels: number of bands M.
        f_min: where the first begins, in Hz.
        f_max: where the last ends, in Hz; by default half of the sample rate.
        norm: "slaney" divides a band by half its width, so that each has the area 1 (in Hz).
        mel_scale: "htk" or "slaney".

    Raises:
        ValueError: if a length is below 1, the sample rate is not positive and finite, f_min and f_max are not
            0 ≤ f_min < f_max, or a name is unknown.
    """  # noqa: E501
    check_at_least_1(n_fft=n_fft, n_mels=n_mels)
    check_positive(sample_rate=sample_rate)
    check_one_of((None, "slaney"), norm=norm)
    f_max = sample_rate / 2 if f_max is None else f_max
    if not 0 <= f_min < f_max < math.inf:
        raise ValueError(f"f_min and f_max must be 0 <= f_min < f_max, got {f_min} and {f_max}")
    bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)[:, None] * (sample_rate / n_fft)  # (bins, 1)  f_k
    low, high = hz_to_mel(torch.tensor([f_min, f_max], dtype=torch.float64), mel_scale).tolist()
    corners = mel_to_hz(torch.linspace(low, high, n_mels + 2, dtype=torch.float64), mel_scale)  # (n_mels + 2)  c_j
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)  # (bins, n_mels)
    bank = torch.minimum(rising, falling).clamp(min=0)
    if norm == "slaney":
        bank = bank * 2 / (right - left)
    return bank.to(torch.get_default_dtype())


def mel_spectrogram(
    waveform: Waveform,
    sample_rate: Hz = 16_000,
    n_fft: int = 400,
    win_length: int | None = None,
    hop_length: int | None = None,
    f_min: Hz = 0.0,
    f_max: Hz | None = None,
    n_mels: int = 128,
    window: Window | None = None,
    power: int | float = 2.0,
    normalized: Normalized = False,
    center: bool = True,
    pad_mode: Padding = "reflect",
    norm: Literal["slaney"] | None = None,
    mel_scale: MelScale = "htk",
) -> Float[Tensor, "*batch n_mels frames"]:
    r""":math:`\sum_k B_{kj}\, |X[k, t]|^p`: see ``stft`` and ``mel_filter_bank``. The hop is half a window by default.

    Each chunk of frames is gathered into its bands at once, so the spectrogram itself never goes to the memory.

    Raises:
        ValueError: as these two, and if ``power`` is not positive.
    """
    check_positive(power=power)
    bank = mel_filter_bank(n_fft, sample_rate, n_mels, f_min, f_max, norm, mel_scale).to(waveform)  # (bins, n_mels)
    if hop_length is None:
        win_length = (n_fft if window is None else len(window)) if win_length is None else win_length
        hop_length = max(1, win_length // 2)
    return stft(
        waveform,
        n_fft,
        hop_length,
        win_length,
        window,
        center,
        pad_mode,
        normalized,
        then=lambda bins: magnitude(bins, power) @ bank,
    )


def decibels(
    x: Float[Tensor, "*shape"],
    stype: Literal["power", "magnitude"] = "power",
    top_db: float | None = None,
    reference: float = 1.0,
    amin: float = 1e-10,
    shared_dims: int = 3,
) -> Float[Tensor, "*shape"]:
    r""":math:`10 \log_{10}(\max(x, a)/\max(r, a))` of a power, 20 of a magnitude; a = ``amin``, r = ``reference``.

    With ``top_db``, everything that lies further below the loudest is lifted to there. The loudest of what? Of the last
    ``shared_dims`` dimensions: 2 a spectrogram by itself; 3, as torchaudio has it, the channels of (batch, channel,
    frequency, time) together, and so all of a batch without channels; as many as there are, all, as librosa has it.

    Raises:
        ValueError: if ``amin`` is not positive, ``top_db`` is negative, ``shared_dims`` is below 1, or ``stype`` is
            unknown.
    """
    check_one_of(("power", "magnitude"), stype=stype)
    check_positive(amin=amin, reference=reference)
    if top_db is not None and not top_db >= 0:
        raise ValueError(f"top_db must not be negative, got {top_db}")
    check_at_least_1(shared_dims=shared_dims)
    factor = 10.0 if stype == "power" else 20.0
    levels = factor * (x.clamp(min=amin).log10() - math.log10(max(reference, amin)))
    if top_db is None:
        return levels
    loudest = levels.amax(dim=tuple(range(-min(shared_dims, x.ndim), 0)), keepdim=True)
    return torch.maximum(levels, loudest - top_db)


def dct_spec(x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    r"""DCT-II in loops: :math:`y_q = 2 \sum_m x_m \cos(\pi q (2m + 1)/2n)`."""
    n = len(x)
    return torch.stack(
        [sum(2 * x[m] * math.cos(math.pi * q * (2 * m + 1) / (2 * n)) for m in range(n)) for q in range(n)]
    )


def dct_matrix(n_mfcc: int, n_mels: int, norm: Literal["ortho"] | None = "ortho") -> Float[Tensor, "n_mels n_mfcc"]:
    r"""The first ``n_mfcc`` columns of the DCT-II, :math:`D_{mq} = 2 \cos(\pi q (2m + 1)/2M)`, in the default dtype.

    "ortho" scales the columns to length 1: by :math:`1/\sqrt{2M}`, the first, which is constant, by
    :math:`1/\sqrt{4M}`. They are orthogonal already.

    Raises:
        ValueError: if the numbers are not 1 ≤ n_mfcc ≤ n_mels, or ``norm`` is unknown.
    """
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(f"n_mfcc must be from 1 to n_mels {n_mels}, got {n_mfcc}")
    check_one_of((None, "ortho"), norm=norm)
    m, q = torch.arange(n_mels, dtype=torch.float64)[:, None], torch.arange(n_mfcc, dtype=torch.float64)
    columns = 2 * torch.cos(math.pi * q * (2 * m + 1) / (2 * n_mels))  # (n_mels, n_mfcc)
    if norm == "ortho":
        columns = columns / math.sqrt(2 * n_mels)
        columns[:, 0] /= math.sqrt(2)
    return columns.to(torch.get_default_dtype())


def mfcc(
    waveform: Waveform,
    sample_rate: Hz = 16_000,
    n_mfcc: int = 40,
    norm: Literal["ortho"] | None = "ortho",
    log_mels: bool = False,
    shared_dims: int = 3,
    **options: object,
) -> Float[Tensor, "*batch n_mfcc frames"]:
    r""":math:`\sum_m D_{mq}\, L_{m}`, L the levels of the mel bands; the ``options`` are those of ``mel_spectrogram``.

    The levels are decibels, not more than 80 below the loudest, or with ``log_mels`` the natural logarithm of the power
    plus 1e-6. The loudest is that of ``shared_dims`` dimensions: see ``decibels``. With 3, clips of the shape
    (clips, samples) are not independent of each other; with 2 they are.

    Raises:
        ValueError: as ``mel_spectrogram`` and ``dct_matrix``.
    """
    power = mel_spectrogram(waveform, sample_rate, **options)  # (*batch, n_mels, frames)
    matrix = dct_matrix(n_mfcc, power.shape[-2], norm).to(power)
    levels = torch.log(power + 1e-6) if log_mels else decibels(power, top_db=80.0, shared_dims=shared_dims)
    return matrix.T @ levels  # (*batch, n_mfcc, frames)
