r"""The short-time Fourier transform and its inverse (Allen & Rabiner 1977; Griffin & Lim 1984).

.. math::  X[k, t] = \sum_{m=0}^{n-1} w_m\, x_{tH + m}\, W_n^{km}, \qquad W_n = e^{-2\pi i/n}

The sound is cut into frames of n samples, one every H samples; each is multiplied with a window and transformed.
Allen & Rabiner, "A Unified Approach to Short-Time Fourier Analysis and Synthesis", give this definition, and show when
the windowed frames add up to the sound again. Griffin & Lim, "Signal Estimation from Modified Short-Time Fourier
Transform", give in eq. (6) the inverse that is used here: of all sounds the one whose STFT is nearest.

What differs from the papers: the phase of a frame is counted from the frame's own beginning and not from the sound's,
as every library does; and frames may be centred, which needs padding at both ends.
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
from stft.checks import REAL, Hz, check_at_least_1, check_one_of, check_positive, check_samples
from stft.windows import hann

Method = Literal["matrix", "fft", "torch"]
Padding = Literal["reflect", "constant", "replicate"]
Normalized = Literal[False, "frame_length", "window"]
Waveform = Shaped[Tensor, "*batch samples"]
Spectrum = Complex[Tensor, "*batch bins frames"]
RealSpectrum = Float[Tensor, "*batch bins frames"]
Window = Float[Tensor, " win_length"]

CHUNK = 2**19  # samples in the frames that are worked on at once: 2 MiB in float32, which stay in the cache
TINY = 1e-11  # a sum of squared windows below this counts as zero, as in torch.istft

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


def stft_spec(
    x: Float[Tensor, " samples"], window: Float[Tensor, " n"], hop_length: int
) -> Complex[Tensor, "bins frames"]:
    r"""The definition, frame by frame, without padding: :math:`X[k, t] = \sum_m w_m\, x_{tH+m}\, W_n^{km}`."""
    n = len(window)
    columns = []
    for start in range(0, len(x) - n + 1, hop_length):
        product = torch.stack([window[m] * x[start + m] for m in range(n)])
        columns.append(fourier.dft_spec(product.to(x.dtype.to_complex()))[: n // 2 + 1])
    return torch.stack(columns, dim=1)  # (bins, frames)


def frame(x: Shaped[Tensor, "*batch samples"], frame_length: int, hop_length: int) -> Shaped[Tensor, "*batch frames n"]:
    r"""Frame t holds the samples :math:`tH, …, tH + n - 1`. A view: samples that several frames share are stored once.

    What is left at the end and fills no frame is dropped.

    Raises:
        ValueError: if a length is below 1, or there are fewer samples than a frame has.
    """
    check_at_least_1(frame_length=frame_length, hop_length=hop_length)
    if x.shape[-1] < frame_length:
        raise ValueError(f"the waveform must have at least a frame's {frame_length} samples, got {x.shape[-1]}")
    return x.unfold(-1, frame_length, hop_length)


def overlap_add(frames: Shaped[Tensor, "*batch frames n"], hop_length: int) -> Shaped[Tensor, "*batch samples"]:
    r""":math:`y_s = \sum_t f_{t,\, s - tH}`: every frame is added where it was cut out. The transpose of ``frame``.

    A frame is taken apart into pieces of one hop. All first pieces then lie side by side, all second ones too, one hop
    later, and so on: n/H additions of whole signals, however many frames there are.

    Raises:
        ValueError: if the hop is below 1.
    """
    check_at_least_1(hop_length=hop_length)
    *batch, count, n = frames.shape
    pieces = math.ceil(n / hop_length)
    frames = pad(frames, (0, pieces * hop_length - n)).unflatten(-1, (pieces, hop_length))  # (*batch, t, piece, H)
    signal = frames.new_zeros(*batch, count + pieces - 1, hop_length)  # (*batch, hops, H)
    for k in range(pieces):
        signal[..., k : k + count, :] += frames[..., k, :]  # piece k of frame t lies at hop t + k
    return signal.flatten(-2)[..., : (count - 1) * hop_length + n]


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
    r""":math:`X[k, t] = \sum_m w_m\, x_{tH+m}\, W_n^{km}`, with n = ``n_fft`` and H = ``hop_length``.

    Args:
        waveform: real samples.
        n_fft: samples in a frame. Bin k stands for the frequency k · sample_rate / n_fft.
        hop_length: samples from one frame to the next; by default a quarter of ``n_fft``.
        win_length: samples in the window, which stands in the middle of a frame, between zeros; by default ``n_fft``.
        window: that many numbers; by default a periodic Hann window.
        center: frame t has the sample tH in its middle, for which both ends are padded by n_fft // 2; else it begins
            with that sample.
        pad_mode: what is put there: the signal mirrored, zeros, or its outermost sample again.
        normalized: "frame_length" divides by :math:`\sqrt n`, "window" by :math:`\sqrt{\sum w^2}`. The first is what
            torch means by True, the second what torchaudio means; so True itself is refused.
        onesided: only the bins 0 to n/2. The others are their mirror image.
        method: how a frame is transformed, with one result: by the matrix, by our ``fft``, or by ``torch.fft``.
        then: what is made of the bins at once, while they are in the cache, for example their power:
            (clips, frames, bins) to (clips, frames, m).

    Raises:
        ValueError: if the waveform is empty, complex, or too short for its padding or one frame; if a length is below
            1, or the window longer than ``n_fft``; if a name is unknown.
    """
    check_samples(REAL, waveform=waveform)
    check_at_least_1(n_fft=n_fft)
    check_one_of(FORWARD, method=method)
    window = chosen_window(window, win_length, n_fft).to(waveform)
    window = window / scale(normalized, window)
    to_bins = FORWARD[method]
    hop_length = default_hop(n_fft) if hop_length is None else hop_length

    def compute(frames: Float[Tensor, "clips frames n"]) -> Shaped[Tensor, "clips frames m"]:
        bins = to_bins(frames * window)
        bins = bins if onesided else fourier.mirrored(bins, n_fft)
        return then(bins) if then else bins

    sound = padded(waveform, n_fft // 2 if center else 0, pad_mode)  # (*batch, padded samples)
    frames = frame(sound.reshape(-1, sound.shape[-1]), n_fft, hop_length)  # (clips, frames, n)
    result = in_chunks(frames, compute)  # (clips, frames, bins)
    return result.reshape(*waveform.shape[:-1], *result.shape[1:]).transpose(-1, -2)  # (*batch, bins, frames)


def in_chunks(
    frames: Float[Tensor, "clips frames n"], compute: Callable[[Tensor], Tensor]
) -> Shaped[Tensor, "clips frames m"]:
    """``compute(frames)``, so few frames at a time that what is computed from them stays in the processor's cache.

    Frames that overlap are a small view until they are multiplied with a window. Written out all at once, they are
    several times the sound, and go to the memory and back.
    """
    clips, count, n = frames.shape
    groups = frames.split(max(1, CHUNK // (count * n)))  # several short clips, or one of them
    pieces = (compute(piece) for group in groups for piece in group.split(max(1, CHUNK // n), dim=1))
    first = next(pieces)
    rows = (piece.flatten(0, 1) for piece in chain([first], pieces))  # their frames in order, clip after clip
    if first.requires_grad:
        return torch.cat(list(rows)).unflatten(0, (clips, count))
    result = first.new_empty(clips * count, first.shape[-1])
    start = 0
    for row in rows:
        result[start : start + len(row)] = row
        start += len(row)
    return result.unflatten(0, (clips, count))


def istft(
    spectrum: Spectrum,
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
    r"""Griffin & Lim 1984, eq. (6): of all sounds the one whose STFT is nearest in the squared distance.

    .. math::  x_s = \frac{\sum_t w_{s-tH}\, f_{t,\,s-tH}}{\sum_t w_{s-tH}^2}, \qquad f_t = \mathrm{irfft}(X[\cdot, t])

    The arguments are those of ``stft``. What the padding added is cut off again; ``length`` is the number of samples to
    return, since the last few may be in no whole hop.

    Raises:
        ValueError: if the spectrum is not finite or has not the bins for ``n_fft``; if a sample of the result lies
            under no window; if the frames do not reach ``length``; and for names and lengths as ``stft``.
    """
    check_at_least_1(n_fft=n_fft)
    check_one_of(BACKWARD, method=method)
    if not (spectrum.sum().isfinite() or spectrum.isfinite().all()):  # a sum is cheap, and finite only if all are
        raise ValueError("the spectrum must be finite, got nan or inf")
    expected = n_fft // 2 + 1 if onesided else n_fft
    if spectrum.shape[-2] != expected or spectrum.numel() == 0:
        raise ValueError(
            f"the spectrum must have {expected} bins for n_fft {n_fft} and at least one frame, "
            f"got {spectrum.shape[-2]} bins and {spectrum.shape[-1]} frames"
        )
    window = chosen_window(window, win_length, n_fft).to(spectrum.real)
    hop_length = default_hop(n_fft) if hop_length is None else hop_length

    bins = spectrum.transpose(-1, -2)[..., : n_fft // 2 + 1]  # (*batch, frames, bins): the rest is their mirror image
    count = bins.shape[-2]
    clips = bins.reshape(-1, *bins.shape[-2:]).split(max(1, CHUNK // (count * n_fft)))  # few at once: see in_chunks
    signal = torch.cat([overlap_add(BACKWARD[method](clip, n_fft) * window, hop_length) for clip in clips])
    signal = signal.reshape(*bins.shape[:-2], -1) * scale(normalized, window)  # (*batch, padded samples)
    envelope = overlap_add((window * window).expand(count, -1), hop_length)  # (padded samples)

    start = n_fft // 2 if center else 0
    longest = len(envelope) - start
    length = longest - start if length is None else length
    if not 1 <= length <= longest:
        raise ValueError(f"length must be from 1 to the {longest} samples that the frames reach, got {length}")
    signal, envelope = signal[..., start : start + length], envelope[start : start + length]
    if (envelope < TINY).any():
        at = int((envelope < TINY).nonzero()[0])
        raise ValueError(f"sample {at} cannot be known: every window is zero there (hop {hop_length}, center {center})")
    return signal / envelope


def spectrogram(waveform: Waveform, power: int | float = 2.0, **options: object) -> Float[Tensor, "*batch bins frames"]:
    r""":math:`|X[k, t]|^p`, p = ``power``; the ``options`` are those of ``stft``.

    Raises:
        ValueError: if ``power`` is not positive, and as ``stft``.
    """
    check_positive(power=power)
    return stft(waveform, **options, then=lambda bins: magnitude(bins, power))


def magnitude(bins: Complex[Tensor, "*shape"], power: int | float) -> Float[Tensor, "*shape"]:
    r""":math:`|X|^p`. For p = 2 without the root: :math:`(\mathrm{Re} X)^2 + (\mathrm{Im} X)^2`."""
    return bins.real.square() + bins.imag.square() if power == 2 else bins.abs() ** power


def amplitude(spectrum: Spectrum, window: Window, n_fft: int) -> RealSpectrum:
    r""":math:`c_k |X_k| / \sum w`, in the waveform's unit: a sine A sin(2πft) whose f is that of a bin reads A there.

    c is 2, because half of a sine stands in the mirrored bins; but 1 for the bins 0 and n/2, which are their own mirror
    image. ``spectrum`` is one-sided and not normalised; that holds for ``mean_square`` and ``density`` too.

    Raises:
        ValueError: if it has not the bins for ``n_fft``.
    """
    return sides(spectrum, n_fft) * spectrum.abs() / window.sum()


def mean_square(spectrum: Spectrum, window: Window, n_fft: int) -> RealSpectrum:
    r""":math:`c_k |X_k|^2 / (\sum w)^2`, the "power spectrum" in the waveform's unit squared: that sine reads A²/2.

    Raises:
        ValueError: if the spectrum has not the bins for ``n_fft``.
    """
    return sides(spectrum, n_fft) * magnitude(spectrum, 2) / window.sum() ** 2


def density(spectrum: Spectrum, window: Window, n_fft: int, sample_rate: Hz) -> RealSpectrum:
    r""":math:`c_k |X_k|^2 / (f_s \sum w^2)`, the power spectral density in the waveform's unit squared per Hz.

    For noise, whose power lies in all bins: its level does not depend on n. The sum over the bins times their width
    f_s/n is the mean square of the frame, weighted with the squared window (Parseval).

    Raises:
        ValueError: if the spectrum has not the bins for ``n_fft``, or the sample rate is not positive and finite.
    """
    check_positive(sample_rate=sample_rate)
    return sides(spectrum, n_fft) * magnitude(spectrum, 2) / (sample_rate * window.square().sum())


def sides(spectrum: Spectrum, n_fft: int) -> Float[Tensor, "bins 1"]:
    """How many of the ``n_fft`` bins each one-sided bin stands for: itself, and its mirror image if it has one."""
    bins = n_fft // 2 + 1
    if spectrum.shape[-2] != bins:
        raise ValueError(f"the spectrum must have {bins} bins for n_fft {n_fft}, got {spectrum.shape[-2]}")
    counts = torch.full((bins, 1), 2.0).to(spectrum.real)
    counts[[0, -1] if n_fft % 2 == 0 else [0]] = 1
    return counts


def overlapped(window: Float[Tensor, " n"], hop_length: int) -> Float[Tensor, " hop"]:
    r""":math:`\sum_t w_{r + tH}` for r = 0, …, H − 1: what copies of the window, one a hop, add up to, for ever.

    Raises:
        ValueError: if the hop is below 1.
    """
    check_at_least_1(hop_length=hop_length)
    pieces = math.ceil(len(window) / hop_length)
    return pad(window, (0, pieces * hop_length - len(window))).view(pieces, hop_length).sum(dim=0)


def is_cola(window: Float[Tensor, " n"], hop_length: int, tolerance: float = 1e-6) -> bool:
    """Constant overlap-add: the copies add up to a constant, to a part of ``tolerance``; so windowed frames add up to
    the sound times that constant."""
    sums = overlapped(window, hop_length)
    return bool((sums - sums.mean()).abs().max() <= tolerance * sums.mean().abs())


def is_nola(window: Float[Tensor, " n"], hop_length: int) -> bool:
    """Nonzero overlap-add: some window is nonzero at each sample that all copies reach. It is all that ``istft`` needs,
    but for the ends: there fewer copies reach, unless frames are centred."""
    return bool(overlapped(window.square(), hop_length).min() >= TINY)


def chosen_window(
    window: Float[Tensor, " given"] | None, win_length: int | None, n_fft: int
) -> Float[Tensor, " {n_fft}"]:
    """The window in the middle of ``n_fft`` samples, between zeros; the default is a periodic Hann window."""
    if win_length is None:
        win_length = n_fft if window is None else len(window)
    if not 1 <= win_length <= n_fft:
        raise ValueError(f"win_length must be from 1 to n_fft {n_fft}, got {win_length}")
    window = hann(win_length) if window is None else window
    if window.shape != (win_length,) or window.is_complex():
        raise ValueError(f"window must be {win_length} real numbers, got {window.dtype} {tuple(window.shape)}")
    left = (n_fft - win_length) // 2
    return pad(window, (left, n_fft - win_length - left))


def padded(x: Waveform, amount: int, pad_mode: Padding) -> Shaped[Tensor, "*batch padded_samples"]:
    """``amount`` samples more at each end."""
    check_one_of(("reflect", "constant", "replicate"), pad_mode=pad_mode)
    samples = x.shape[-1]
    if pad_mode == "reflect" and amount >= samples:
        raise ValueError(f"to be mirrored by n_fft // 2 = {amount} samples, the waveform must have more, got {samples}")
    if pad_mode == "reflect":
        before, after = x[..., 1 : amount + 1].flip(-1), x[..., -amount - 1 : -1].flip(-1)
    elif pad_mode == "replicate":
        before, after = (edge.expand(*x.shape[:-1], amount) for edge in (x[..., :1], x[..., -1:]))
    else:
        before = after = x.new_zeros(*x.shape[:-1], amount)
    return torch.cat([before, x, after], dim=-1) if amount else x


def scale(normalized: Normalized, window: Float[Tensor, " n"]) -> Float[Tensor, ""] | float:
    """What a normalised spectrum is divided by."""
    check_one_of((False, "frame_length", "window"), normalized=normalized)
    if normalized is False:
        return 1.0
    return math.sqrt(len(window)) if normalized == "frame_length" else window.square().sum().sqrt()


def default_hop(n_fft: int) -> int:
    return max(1, n_fft // 4)
