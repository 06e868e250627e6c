r"""The fast STFT, with the arguments of torch and torchaudio. This is the form that the package exports.

The result equals that of ``transform.py``. The speed comes from the processor's cache. Overlapping frames are several
times as large as the sound. Computed all at once, they go to the memory and back. Here a few frames at a time are
windowed, transformed and reduced (for example to mel bands) while they are in the cache. The transform itself is
``torch.fft`` by default.
"""

import math
from collections.abc import Callable
from itertools import chain
from typing import Literal

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor
from torch.nn.functional import pad

from stft import fourier
from stft.checks import COMPLEX, REAL, Hz, check_at_least_1, check_one_of, check_positive, check_samples
from stft.mel import MelScale, decibels, mel_cepstrum, mel_filter_bank
from stft.transform import Padding, frame, known_samples, pad_ends
from stft.units import magnitude_to_power
from stft.windows import hann

Method = Literal["matrix", "fft", "torch"]
Normalized = Literal[False, "frame_length", "window"]
Waveform = Shaped[Tensor, "*batch samples"]
Window = Float[Tensor, " win_length"]

CHUNK = 2**19  # samples in the frames that are computed at once: 2 MiB in float32, which fit into the cache

FORWARD: dict[str, Callable[[Tensor], Tensor]] = {  # real frames (..., n) -> bins 0 to n / 2
    "matrix": lambda frames: fourier.dft(frames)[..., : frames.shape[-1] // 2 + 1],
    "fft": fourier.rfft,
    "torch": torch.fft.rfft,
}
BACKWARD: dict[str, Callable[[Tensor, int], Tensor]] = {  # bins 0 to n / 2 -> real frames (..., n)
    "matrix": lambda bins, n: fourier.dft(fourier.mirrored(bins, n).conj()).real / n,
    "fft": fourier.irfft,
    "torch": torch.fft.irfft,
}


def stft(
    waveform: Waveform,
    n_fft: int = 400,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Window | None = None,
    center: bool = True,
    pad_mode: Padding = "reflect",
    normalized: Normalized = False,
    onesided: bool = True,
    method: Method = "torch",
    then: Callable[[Tensor], Tensor] | None = None,
) -> Shaped[Tensor, "*batch bins frames"]:
    r"""The short-time Fourier transform :math:`X[k, t] = \sum_m w_m\, x_{tH+m}\, W_n^{km}` (Allen & Rabiner 1977).

    Args:
        waveform: real samples, of shape (\*batch, samples).
        n_fft: n, samples in a frame. Bin k is the frequency k · sample_rate / n_fft.
        hop_length: H, samples from the start of one frame to the start of the next; by default n_fft // 4.
        win_length: samples in the window, which is centred in the frame between zeros; by default ``n_fft``.
        window: that many numbers, in the waveform's dtype; by default a periodic Hann window.
        center: if true, sample tH is in the middle of frame t, and both ends are padded by n_fft // 2 samples. If
            false, frame t begins with sample tH.
        pad_mode: "reflect" mirrors the sound at its ends, "constant" adds zeros, "replicate" repeats the last sample.
        normalized: "frame_length" divides by :math:`\sqrt n`, as torch does for True. "window" divides by
            :math:`\sqrt{\sum w^2}`, as torchaudio does for True. True itself is refused, because it has two meanings.
        onesided: return the bins 0 to n/2 only. The others are their mirror image.
        method: how a frame is transformed: by the DFT matrix, by our ``fft``, or by ``torch.fft``. All give one result.
        then: a function of the bins that is applied to each chunk while it is in the cache, for example their power:
            (clips, frames, bins) to (clips, frames, m).

    Returns:
        Complex numbers of shape (\*batch, bins, frames), or what ``then`` returns, of shape (\*batch, m, frames).

    Raises:
        ValueError: if the waveform is empty, complex, or too short for its padding or for one frame; if a length is
            below 1; if the window is longer than ``n_fft``; if a name is unknown.
    """
    check_samples(REAL, waveform=waveform)
    check_at_least_1(n_fft=n_fft)
    check_one_of(FORWARD, method=method)
    window = centred_window(window, win_length, n_fft, waveform.dtype).to(waveform)
    window = window / scale(normalized, window)
    to_bins = FORWARD[method]

    def compute(frames: Float[Tensor, "clips frames n"]) -> Shaped[Tensor, "clips frames m"]:
        bins = to_bins(frames * window)  # (clips, frames, bins)  sum_m w_m x_{tH+m} W_n^{km}
        bins = bins if onesided else fourier.mirrored(bins, n_fft)
        return then(bins) if then else bins

    padded = pad_ends(waveform, n_fft // 2 if center else 0, pad_mode)  # (*batch, padded samples)
    frames = frame(padded.reshape(-1, padded.shape[-1]), n_fft, hop_of(hop_length, n_fft))  # (clips, frames, n)
    result = in_chunks(frames, compute)  # (clips, frames, bins)
    return result.reshape(*waveform.shape[:-1], *result.shape[1:]).transpose(-1, -2)  # (*batch, bins, frames)


def in_chunks(
    frames: Float[Tensor, "clips frames n"], compute: Callable[[Tensor], Tensor]
) -> Shaped[Tensor, "clips frames m"]:
    """``compute(frames)``, chunk by chunk. A chunk is small enough to stay in the processor's cache.

    Overlapping frames are a small view of the sound until they are multiplied with a window.
    """
    clips, count, n = frames.shape
    groups = frames.split(max(1, CHUNK // (count * n)))  # several short clips, or one long clip
    chunks = (compute(chunk) for group in groups for chunk in group.split(max(1, CHUNK // n), dim=1))
    first = next(chunks)
    rows = (chunk.flatten(0, 1) for chunk in chain([first], chunks))  # frames in order, clip after clip
    if first.requires_grad:
        return torch.cat(list(rows)).unflatten(0, (clips, count))
    result = first.new_empty(clips * count, first.shape[-1])
    start = 0
    for row in rows:
        result[start : start + len(row)] = row
        start += len(row)
    return result.unflatten(0, (clips, count))


def istft(
    spectrum: Complex[Tensor, "*batch bins frames"],
    n_fft: int = 400,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Window | None = None,
    center: bool = True,
    normalized: Normalized = False,
    onesided: bool = True,
    length: int | None = None,
    method: Method = "torch",
) -> Float[Tensor, "*batch samples"]:
    r"""The inverse (Griffin & Lim 1984, eq. 6): the sound whose STFT is nearest in the squared distance.

    .. math::  x_s = \frac{\sum_t w_{s-tH}\, f_{t,\,s-tH}}{\sum_t w_{s-tH}^2}, \qquad f_t = \mathrm{irfft}(X[\cdot, t])

    The arguments are those of ``stft``. The padding is cut off. ``length`` is the number of samples to return: the last
    samples of the sound may fill no whole hop, so give the length of the sound to get all of it back.

    Returns:
        Real samples of shape (\*batch, samples).

    Raises:
        ValueError: if the spectrum is real or not finite, or has not the bins for ``n_fft``; if no window covers a
            sample of the result; if the frames do not reach ``length``; and for lengths and names as ``stft``.
    """
    check_at_least_1(n_fft=n_fft)
    check_one_of(BACKWARD, method=method)
    expected = n_fft // 2 + 1 if onesided else n_fft
    if spectrum.shape[-2] != expected or 0 in spectrum.shape:
        raise ValueError(
            f"the spectrum must have {expected} bins for n_fft {n_fft} and at least one frame, "
            f"got {spectrum.shape[-2]} bins and {spectrum.shape[-1]} frames"
        )
    check_samples(COMPLEX, spectrum=spectrum)
    if not (spectrum.sum().isfinite() or spectrum.isfinite().all()):  # the cheap test first
        raise ValueError("the spectrum must be finite, got nan or inf")
    window = centred_window(window, win_length, n_fft, spectrum.real.dtype).to(spectrum.real)
    hop_length = hop_of(hop_length, n_fft)

    bins = spectrum.transpose(-1, -2)[..., : n_fft // 2 + 1]  # (*batch, frames, bins)
    count = bins.shape[-2]
    groups = bins.reshape(-1, *bins.shape[-2:]).split(max(1, CHUNK // (count * n_fft)))  # a few clips at a time
    signal = torch.cat([overlap_add(BACKWARD[method](group, n_fft) * window, hop_length) for group in groups])
    signal = signal.reshape(*bins.shape[:-2], -1) * scale(normalized, window)  # (*batch, padded samples)
    squares = overlap_add(window.square().expand(count, n_fft), hop_length)  # (padded samples)
    kept = known_samples(squares, n_fft, hop_length, center, length)
    return signal[..., kept] / squares[kept]  # (*batch, samples)


def overlap_add(frames: Shaped[Tensor, "*batch frames n"], hop_length: int) -> Shaped[Tensor, "*batch samples"]:
    r""":math:`y_s = \sum_t f_{t,\, s - tH}`, as in ``transform.py``, with ⌈n/H⌉ additions instead of one per frame.

    Each frame is cut into ⌈n/H⌉ pieces of one hop. Piece k of frame t belongs at hop t + k. So all first pieces are
    added with one addition, then all second pieces, and so on.

    Raises:
        ValueError: if the hop is below 1.
    """
    check_at_least_1(hop_length=hop_length)
    *batch, count, n = frames.shape  # count frames of n samples
    pieces = math.ceil(n / hop_length)
    frames = pad(frames, (0, pieces * hop_length - n)).unflatten(-1, (pieces, hop_length))  # (*batch, t, piece, H)
    signal = frames.new_zeros(*batch, count + pieces - 1, hop_length)  # (*batch, hops, H)
    for k in range(pieces):
        signal[..., k : k + count, :] += frames[..., k, :]  # piece k of frame t goes to hop t + k
    return signal.flatten(-2)[..., : (count - 1) * hop_length + n]  # (*batch, samples)


def spectrogram(waveform: Waveform, power: int | float = 2.0, **options: object) -> Float[Tensor, "*batch bins frames"]:
    r""":math:`|X[k, t]|^p` with p = ``power``. The ``options`` are those of ``stft``.

    The unit is the waveform's unit to the power p, times the window's sum to the power p: see ``units.py``.

    Raises:
        ValueError: if ``power`` is not positive and finite, and as ``stft``.
    """
    check_positive(power=power)
    return stft(waveform, **options, then=lambda bins: magnitude_to_power(bins, power))


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
    r""":math:`\sum_k B_{kj}\, |X[k, t]|^p`. The arguments are those of ``stft`` and ``mel_filter_bank``.

    The hop is half a window by default, as in torchaudio. Each chunk of frames is reduced to its mel bands in the
    cache, so the spectrogram itself is never written to the memory.

    Raises:
        ValueError: as ``stft`` and ``mel_filter_bank``, and if ``power`` is not positive and finite.
    """
    check_positive(power=power)
    check_samples(REAL, waveform=waveform)
    bank = mel_filter_bank(n_fft, sample_rate, n_mels, f_min, f_max, norm, mel_scale, waveform.dtype)
    bank = bank.to(waveform)  # (bins, n_mels)
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
        then=lambda bins: magnitude_to_power(bins, power) @ bank,  # (clips, frames, n_mels)
    )


def mfcc(
    waveform: Waveform,
    sample_rate: Hz = 16_000,
    n_mfcc: int = 40,
    norm: Literal["ortho"] | None = "ortho",
    log_mels: bool = False,
    shared_dims: int = 3,
    **options: object,
) -> Float[Tensor, "*batch n_mfcc frames"]:
    r"""Mel-frequency cepstral coefficients :math:`\sum_j D_{jq}\, L_{jt}` (Davis & Mermelstein 1980).

    The ``options`` are those of ``mel_spectrogram``. The levels L are decibels, at most 80 below the maximum. With
    ``log_mels`` they are the natural logarithm of the power plus 1e-6. The maximum is that of the last ``shared_dims``
    dimensions: see ``decibels``. With 3, clips of the shape (clips, samples) share one maximum; with 2 they do not.

    Raises:
        ValueError: as ``mel_spectrogram`` and ``dct_matrix``.
    """
    power = mel_spectrogram(waveform, sample_rate, **options)  # (*batch, n_mels, frames)
    levels = torch.log(power + 1e-6) if log_mels else decibels(power, top_db=80.0, shared_dims=shared_dims)
    return mel_cepstrum(levels, n_mfcc, norm)  # (*batch, n_mfcc, frames)


def centred_window(
    window: Float[Tensor, " given"] | None, win_length: int | None, n_fft: int, dtype: torch.dtype
) -> Float[Tensor, " {n_fft}"]:
    """The window in the middle of ``n_fft`` samples, between zeros; by default a periodic Hann window in ``dtype``."""
    if window is not None:
        check_samples(REAL, window=window)
    if win_length is None:
        win_length = n_fft if window is None else len(window)
    if not 1 <= win_length <= n_fft:
        raise ValueError(f"win_length must be from 1 to n_fft {n_fft}, got {win_length}")
    window = hann(win_length, dtype=dtype) if window is None else window
    if window.shape != (win_length,):
        raise ValueError(f"window must be {win_length} real numbers, got {window.dtype} {tuple(window.shape)}")
    left = (n_fft - win_length) // 2
    return pad(window, (left, n_fft - win_length - left))  # (n_fft)


def scale(normalized: Normalized, window: Float[Tensor, " n"]) -> Float[Tensor, ""] | float:
    """The divisor of a normalised spectrum."""
    check_one_of((False, "frame_length", "window"), normalized=normalized)
    if normalized is False:
        return 1.0
    return math.sqrt(len(window)) if normalized == "frame_length" else window.square().sum().sqrt()


def hop_of(hop_length: int | None, n_fft: int) -> int:
    """The hop that is given, or a quarter of a frame."""
    return max(1, n_fft // 4) if hop_length is None else hop_length
