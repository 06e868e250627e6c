r"""The short-time Fourier transform and its inverse (Allen & Rabiner 1977; Griffin & Lim 1984).

.. math::  X[k, t] = \sum_{m=0}^{n-1} w_m\, x_{tH + m}\, W_n^{km}, \qquad W_n = e^{-2\pi i/n}

Pad the sound, cut it into frames of n samples, one every H samples, multiply each frame with a window, transform it.
Allen & Rabiner, "A Unified Approach to Short-Time Fourier Analysis and Synthesis", give this definition. They show when
the windowed frames add up to the sound again (COLA). Griffin & Lim, "Signal Estimation from Modified Short-Time Fourier
Transform", give in eq. (6) the inverse: the sound whose STFT is nearest to X in the squared distance.

What differs from the papers, as in every library: the phase of a frame counts from the frame's first sample, not from
the sound's first sample. The window is not reversed in time; the papers write :math:`w(tH - s)\, x(s)`. Frames may be
centred, which needs padding at both ends.

``extensions/fast.py`` computes the same faster, with the arguments of ``torch.stft``. The package exports that form.
"""

from typing import Literal

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

from stft.checks import REAL, check_at_least_1, check_one_of, check_samples
from stft.fourier import dft_spec, irfft, rfft

Padding = Literal["reflect", "constant", "replicate"]

TINY = 1e-11  # a sum of squared windows below this counts as zero, as in torch.istft


def stft_spec(
    x: Float[Tensor, " samples"], window: Float[Tensor, " n"], hop_length: int
) -> Complex[Tensor, "bins frames"]:
    r"""The definition, frame by frame, without padding: :math:`X[k, t] = \sum_m w_m\, x_{tH+m}\, W_n^{km}`."""
    n = len(window)
    starts = range(0, len(x) - n + 1, hop_length)  # t H
    columns = [dft_spec((window * x[start : start + n]).to(x.dtype.to_complex())) for start in starts]
    return torch.stack(columns, dim=1)[: n // 2 + 1]  # (bins, frames)


def stft(
    waveform: Float[Tensor, "*batch samples"],
    window: Float[Tensor, " n"],
    hop_length: int,
    center: bool = True,
    pad_mode: Padding = "reflect",
) -> Complex[Tensor, "*batch bins frames"]:
    r""":math:`X[k, t] = \sum_m w_m\, x_{tH+m}\, W_n^{km}`, for the bins k = 0, …, ⌊n/2⌋ (Allen & Rabiner 1977).

    Args:
        waveform: real samples.
        window: its length n is the length of a frame. Bin k is the frequency k · sample_rate / n.
        hop_length: H, samples from the start of one frame to the start of the next.
        center: if true, both ends get n // 2 more samples, so that sample tH is in the middle of frame t.
        pad_mode: the samples at the ends: "reflect" mirrors the sound, "constant" adds zeros, "replicate" repeats the
            outermost sample.

    Raises:
        ValueError: if the waveform is empty, complex, or too short for its padding or for one frame; if the hop is
            below 1; if ``pad_mode`` is unknown.
    """
    check_samples(REAL, waveform=waveform)
    n = len(window)
    padded = pad_ends(waveform, n // 2 if center else 0, pad_mode)  # (*batch, padded samples)
    frames = frame(padded, n, hop_length)  # (*batch, frames, n)  x_{tH+m}
    spectrum = rfft(frames * window)  # (*batch, frames, bins)  sum_m w_m x_{tH+m} W_n^{km}
    return spectrum.transpose(-1, -2)  # (*batch, bins, frames)


def istft(
    spectrum: Complex[Tensor, "*batch bins frames"],
    window: Float[Tensor, " n"],
    hop_length: int,
    center: bool = True,
    length: int | None = None,
) -> Float[Tensor, "*batch samples"]:
    r"""Griffin & Lim 1984, eq. (6): the sound whose STFT is nearest to X in the squared distance.

    .. math::  x_s = \frac{\sum_t w_{s-tH}\, f_{t,\,s-tH}}{\sum_t w_{s-tH}^2}, \qquad f_t = \mathrm{irfft}(X[\cdot, t])

    ``window``, ``hop_length`` and ``center`` are those of ``stft``. ``length`` is the number of samples to return; by
    default all between the paddings.

    Raises:
        ValueError: if the spectrum is real, or the number of bins is not ⌊n/2⌋ + 1; if no window covers a sample of
            the result; if the frames do not reach ``length``.
    """
    n = len(window)
    frames = irfft(spectrum.transpose(-1, -2), n)  # (*batch, frames, n)  f_{t,m}
    signal = overlap_add(frames * window, hop_length)  # (*batch, padded samples)  sum_t w_{s-tH} f_{t,s-tH}
    squares = overlap_add(window.square().expand(frames.shape[-2], n), hop_length)  # (padded samples)  sum_t w_{s-tH}^2
    kept = known_samples(squares, n, hop_length, center, length)
    return signal[..., kept] / squares[kept]  # (*batch, samples)


def pad_ends(
    x: Shaped[Tensor, "*batch samples"], amount: int, pad_mode: Padding
) -> Shaped[Tensor, "*batch padded_samples"]:
    """``amount`` more samples at each end.

    Raises:
        ValueError: if "reflect" would need samples that x does not have, or the mode is unknown.
    """
    check_one_of(("reflect", "constant", "replicate"), pad_mode=pad_mode)
    *batch, samples = x.shape
    if pad_mode == "reflect" and amount >= samples:
        raise ValueError(f"to be mirrored by n_fft // 2 = {amount} samples, the waveform must have more, got {samples}")
    if pad_mode == "reflect":
        before, after = x[..., 1 : amount + 1].flip(-1), x[..., -amount - 1 : -1].flip(-1)  # (*batch, amount) each
    elif pad_mode == "replicate":
        before, after = x[..., :1].expand(*batch, amount), x[..., -1:].expand(*batch, amount)
    else:
        before = after = x.new_zeros(*batch, amount)
    return torch.cat([before, x, after], dim=-1) if amount else x  # (*batch, padded samples)


def frame(x: Shaped[Tensor, "*batch samples"], frame_length: int, hop_length: int) -> Shaped[Tensor, "*batch frames n"]:
    r"""Frame t holds the samples :math:`tH, …, tH + n - 1`. The result is a view: shared samples are stored once.

    Samples at the end that do not fill a frame are dropped.

    Raises:
        ValueError: if a length is below 1, or x is shorter than one frame.
    """
    check_at_least_1(frame_length=frame_length, hop_length=hop_length)
    if x.shape[-1] < frame_length:
        raise ValueError(f"the waveform must have at least a frame's {frame_length} samples, got {x.shape[-1]}")
    return x.unfold(-1, frame_length, hop_length)  # (*batch, frames, n)


def overlap_add(frames: Shaped[Tensor, "*batch frames n"], hop_length: int) -> Shaped[Tensor, "*batch samples"]:
    r""":math:`y_s = \sum_t f_{t,\, s - tH}`: adds each frame at its place. The transpose of ``frame``.

    Raises:
        ValueError: if the hop is below 1.
    """
    check_at_least_1(hop_length=hop_length)
    *batch, count, n = frames.shape  # count frames of n samples
    signal = frames.new_zeros(*batch, (count - 1) * hop_length + n)  # (*batch, samples)
    for t in range(count):
        signal[..., t * hop_length : t * hop_length + n] += frames[..., t, :]  # y_{tH+m} += f_{t,m}
    return signal


def known_samples(
    squares: Float[Tensor, " padded_samples"], n: int, hop_length: int, center: bool, length: int | None
) -> slice:
    r"""The samples that ``istft`` returns, given :math:`\sum_t w_{s-tH}^2`, the denominator of eq. (6).

    Raises:
        ValueError: if the denominator is zero at one of them, or the frames do not reach ``length``.
    """
    start = n // 2 if center else 0  # samples of padding
    reached = len(squares) - start
    length = reached - start if length is None else length
    if not 1 <= length <= reached:
        raise ValueError(f"length must be from 1 to the {reached} samples that the frames reach, got {length}")
    kept = slice(start, start + length)
    unknown = squares[kept] < TINY  # (samples)
    if unknown.any():
        at = int(unknown.nonzero()[0])
        raise ValueError(f"sample {at} cannot be known: every window is zero there (hop {hop_length}, center {center})")
    return kept


def overlapped(window: Float[Tensor, " n"], hop_length: int) -> Float[Tensor, " hop"]:
    r""":math:`\sum_t w_{r + tH}` for r = 0, …, H − 1: the sum of all copies of the window, one per hop.

    The sum has period H, so H values describe it.

    Raises:
        ValueError: if the hop is below 1.
    """
    check_at_least_1(hop_length=hop_length)
    whole = torch.nn.functional.pad(window, (0, -len(window) % hop_length))  # zeros fill the last hop
    return whole.view(-1, hop_length).sum(dim=0)  # (hop)


def is_cola(window: Float[Tensor, " n"], hop_length: int, tolerance: float = 1e-6) -> bool:
    """Constant overlap-add: the copies of the window add up to a constant, to a relative ``tolerance``.

    Then the windowed frames add up to the sound times this constant (Allen & Rabiner 1977).
    """
    sums = overlapped(window, hop_length)
    return bool((sums - sums.mean()).abs().max() <= tolerance * sums.mean().abs())


def is_nola(window: Float[Tensor, " n"], hop_length: int) -> bool:
    """Nonzero overlap-add: at every sample some window is not zero. ``istft`` needs this.

    At the two ends fewer windows overlap. Centred frames solve that.
    """
    return bool(overlapped(window.square(), hop_length).min() >= TINY)
