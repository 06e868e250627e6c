r"""From the spectrogram to mel bands, decibels and cepstral coefficients (MFCC).

The mel scale (Stevens, Volkmann & Newman 1937) measures pitch as listeners judge it. It is nearly linear up to 1 kHz
and logarithmic above. Two formulas are in use: that of the toolkit HTK (after O'Shaughnessy 1987) and that of Slaney's
"Auditory Toolbox" (1998). Triangular bands of equal width in mel sum up the bins of a spectrogram. Decibels follow
loudness. The cosine transform of the decibels across the bands gives the MFCCs (Davis & Mermelstein 1980, "Comparison
of Parametric Representations for Monosyllabic Word Recognition in Continuously Spoken Sentences"). It separates slow
changes across the bands, which the vocal tract makes, from fast changes, which the pitch makes.

What differs from the paper: Davis & Mermelstein have 20 bands with a spacing of their own. Their cosine transform,
:math:`\mathrm{MFCC}_i = \sum_{k=1}^{20} X_k \cos(i\,(k - \tfrac12)\,\pi/20)`, counts bands from 1, has no scale, and
begins at i = 1. Here bands count from 0, and names and defaults are those of torchaudio. What differs from torchaudio:
bin k has its true frequency, also for an odd ``n_fft`` or sample rate, and the filter bank is always in float64.

``extensions/fast.py`` has ``mel_spectrogram`` and ``mfcc`` of a waveform. The package exports those.
"""

import math
import warnings
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import Dtype, Hz, check_at_least_1, check_one_of, check_positive

MelScale = Literal["htk", "slaney"]

KNEE = 1000.0  # Hz; Slaney's scale is linear below it and logarithmic above it
HZ_PER_MEL = 200 / 3  # Slaney, below the knee: Hz per mel
STEPS = 27 / math.log(6.4)  # mel; Slaney, above the knee: 27 mels multiply the frequency by 6.4
HTK_FACTOR, HTK_KNEE = 2595.0, 700.0  # mel, Hz


def hz_to_mel(frequencies: Float[Tensor, "*shape"], mel_scale: MelScale = "htk") -> Float[Tensor, "*shape"]:
    r"""Hz to mel. HTK: :math:`m = 2595 \log_{10}(1 + f/700)`. Slaney: :math:`m = 3f/200` up to 1 kHz, then
    :math:`m = 15 + 27 \ln(f/1000)/\ln 6.4`.

    Raises:
        ValueError: if the scale is unknown.
    """
    check_one_of(("htk", "slaney"), mel_scale=mel_scale)
    if mel_scale == "htk":
        return HTK_FACTOR * torch.log10(1 + frequencies / HTK_KNEE)
    above = KNEE / HZ_PER_MEL + STEPS * torch.log(frequencies.clamp(min=KNEE) / KNEE)
    return torch.where(frequencies < KNEE, frequencies / HZ_PER_MEL, above)


def mel_to_hz(mels: Float[Tensor, "*shape"], mel_scale: MelScale = "htk") -> Float[Tensor, "*shape"]:
    r"""Mel to Hz. HTK: :math:`f = 700\,(10^{m/2595} - 1)`. Slaney: :math:`f = 200m/3` up to 15 mel, then
    :math:`f = 1000 \cdot 6.4^{(m - 15)/27}`.

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
    dtype: Dtype = None,
) -> Float[Tensor, "bins n_mels"]:
    r"""Triangles with corners :math:`c_0 < … < c_{M+1}` at equal distances in mel. Bands without a bin are named in a warning.

    Band j rises from :math:`c_j` to 1 at :math:`c_{j+1}` and falls to 0 at :math:`c_{j+2}`:

    .. math::  B_{kj} = \max\Big(0, \min\Big(\frac{f_k - c_j}{c_{j+1} - c_j}, \frac{c_{j+2} - f_k}{c_{j+2} - c_{j+1}}\Big)\Big)

    Args:
        n_fft: bin k has the frequency :math:`f_k` = k · sample_rate / n_fft.
        sample_rate: in Hz.
        n_mels: M, the number of bands.
        f_min: the lower end of the first band, in Hz.
        f_max: the upper end of the last band, in Hz; by default half of the sample rate.
        norm: "slaney" divides each band by half its width in Hz, so that its area is 1.
        mel_scale: "htk" or "slaney".
        dtype: of the result, which is computed in float64; by default torch's default dtype.

    Raises:
        ValueError: if ``n_fft`` or ``n_mels`` is below 1; if the sample rate is not positive and finite; unless
            0 ≤ f_min < f_max < ∞; if a name is unknown.
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
    rising, falling = (bins - left) / (middle - left), (right - bins) / (right - middle)  # (bins, n_mels) each
    bank = torch.minimum(rising, falling).clamp(min=0)  # (bins, n_mels)  B_kj
    if len(empty := (~bank.any(dim=0)).nonzero()[:, 0]):
        warnings.warn(f"no bin of n_fft {n_fft} is in the mel bands {empty.tolist()} of {n_mels}", stacklevel=2)
    bank = bank * 2 / (right - left) if norm == "slaney" else bank
    return bank.to(dtype or torch.get_default_dtype())


def mel_bands(
    spectrogram: Float[Tensor, "*batch bins frames"], bank: Float[Tensor, "bins n_mels"]
) -> Float[Tensor, "*batch n_mels frames"]:
    r"""Band j of frame t: :math:`\sum_k B_{kj}\, S_{kt}`, with :math:`S = |X|^p` from ``units.magnitude_to_power``."""
    return bank.T @ spectrogram  # (*batch, n_mels, frames)  sum_k B_kj S_kt


def decibels(
    x: Float[Tensor, "*shape"],
    stype: Literal["power", "magnitude"] = "power",
    top_db: float | None = None,
    reference: float = 1.0,
    amin: float = 1e-10,
    shared_dims: int = 3,
) -> Float[Tensor, "*shape"]:
    r""":math:`10 \log_{10}(\max(x, a)/\max(r, a))` with a = ``amin`` and r = ``reference``.

    Args:
        x: powers, or magnitudes.
        stype: "power", or "magnitude" with the factor 20 instead of 10.
        top_db: levels more than this below the maximum are raised to maximum − ``top_db``. None leaves them.
        reference: the value with the level 0 dB.
        amin: smaller values count as this one, so that no level is −∞.
        shared_dims: the maximum is taken over the last ``shared_dims`` dimensions. 2: each spectrogram has its own. 3,
            as in torchaudio: the channels of (batch, channel, frequency, time) share one, and so do all clips of a
            batch without channels. ``x.ndim``, as in librosa: all share one.

    Raises:
        ValueError: if ``amin`` or ``reference`` is not positive, ``top_db`` is negative, ``shared_dims`` is below 1, or
            ``stype`` is unknown.
    """
    check_one_of(("power", "magnitude"), stype=stype)
    check_positive(amin=amin, reference=reference)
    if top_db is not None and not top_db >= 0:
        raise ValueError(f"top_db must not be negative, got {top_db}")
    check_at_least_1(shared_dims=shared_dims)
    levels = (10 if stype == "power" else 20) * (x.clamp(min=amin).log10() - math.log10(max(reference, amin)))
    if top_db is None:
        return levels
    loudest = levels.amax(dim=tuple(range(-min(shared_dims, x.ndim), 0)), keepdim=True)
    return torch.maximum(levels, loudest - top_db)


def dct_spec(x: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    r"""DCT-II in loops: :math:`y_q = 2 \sum_j x_j \cos(\pi q (2j + 1)/2n)`."""
    n = len(x)
    return torch.stack(
        [sum(2 * x[j] * math.cos(math.pi * q * (2 * j + 1) / (2 * n)) for j in range(n)) for q in range(n)]
    )


def dct_matrix(
    n_mfcc: int, n_mels: int, norm: Literal["ortho"] | None = "ortho", dtype: Dtype = None
) -> Float[Tensor, "n_mels n_mfcc"]:
    r"""The first ``n_mfcc`` columns of the DCT-II, :math:`D_{jq} = 2 \cos(\pi q (2j + 1)/2M)`, in ``dtype``.

    The columns are orthogonal. "ortho" also scales them to length 1: the constant first column by
    :math:`1/\sqrt{4M}`, the others by :math:`1/\sqrt{2M}`.

    Raises:
        ValueError: unless 1 ≤ n_mfcc ≤ n_mels, or if ``norm`` is unknown.
    """
    if not 1 <= n_mfcc <= n_mels:
        raise ValueError(f"n_mfcc must be from 1 to n_mels {n_mels}, got {n_mfcc}")
    check_one_of((None, "ortho"), norm=norm)
    j, q = torch.arange(n_mels, dtype=torch.float64)[:, None], torch.arange(n_mfcc, dtype=torch.float64)
    columns = 2 * torch.cos(math.pi * q * (2 * j + 1) / (2 * n_mels))  # (n_mels, n_mfcc)
    columns = torch.nn.functional.normalize(columns, dim=0) if norm == "ortho" else columns
    return columns.to(dtype or torch.get_default_dtype())


def mel_cepstrum(
    levels: Float[Tensor, "*batch n_mels frames"], n_mfcc: int = 40, norm: Literal["ortho"] | None = "ortho"
) -> Float[Tensor, "*batch n_mfcc frames"]:
    r"""The MFCCs :math:`\sum_j D_{jq}\, L_{jt}` of the levels L, which are mel bands in decibels.

    Raises:
        ValueError: as ``dct_matrix``.
    """
    matrix = dct_matrix(n_mfcc, levels.shape[-2], norm, levels.dtype).to(levels)  # (n_mels, n_mfcc)
    return matrix.T @ levels  # (*batch, n_mfcc, frames)  sum_j D_jq L_jt
