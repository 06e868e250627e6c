r"""The units of a spectrum: its power, and the amplitude, mean square or power density that its bins stand for.

A bin of the STFT grows with the sum of the window, so :math:`|X|^2` alone has no useful unit. Three scalings give one
(Harris 1978; Welch 1967, "The Use of Fast Fourier Transform for the Estimation of Power Spectra"). ``amplitude`` and
``mean_square`` are for tones, ``density`` is for noise. All three take a one-sided spectrum that is not normalised.

``window`` is the window of the STFT, ``n_fft`` the length n of its frames. What differs from Welch: he averages the
frames; here each frame keeps its own values.
"""

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from stft.checks import Hz, check_positive

Spectrum = Complex[Tensor, "*batch bins frames"]
RealSpectrum = Float[Tensor, "*batch bins frames"]
Window = Float[Tensor, " win_length"]


def magnitude_to_power(spectrum: Complex[Tensor, "*shape"], power: int | float = 2) -> Float[Tensor, "*shape"]:
    r""":math:`|X|^p`. For p = 2 without the square root: :math:`(\mathrm{Re} X)^2 + (\mathrm{Im} X)^2`.

    Raises:
        ValueError: if ``power`` is not positive and finite.
    """
    check_positive(power=power)
    return spectrum.real.square() + spectrum.imag.square() if power == 2 else spectrum.abs() ** power


def amplitude(spectrum: Spectrum, window: Window, n_fft: int) -> RealSpectrum:
    r""":math:`c_k |X_k| / \sum w`, in the waveform's unit. A sine A sin(2πft) on bin k reads A there.

    :math:`c_k = 2`, because the mirrored bin n − k holds half of a sine. The bins 0 and n/2 have no mirror image:
    there :math:`c_k = 1`.

    Raises:
        ValueError: if the spectrum has not ⌊n/2⌋ + 1 bins.
    """
    return sides(spectrum, n_fft) * spectrum.abs() / window.sum()


def mean_square(spectrum: Spectrum, window: Window, n_fft: int) -> RealSpectrum:
    r""":math:`c_k |X_k|^2 / (\sum w)^2`, the power spectrum, in the waveform's unit squared. The same sine reads A²/2.

    Raises:
        ValueError: if the spectrum has not ⌊n/2⌋ + 1 bins.
    """
    return sides(spectrum, n_fft) * magnitude_to_power(spectrum) / window.sum() ** 2


def density(spectrum: Spectrum, window: Window, n_fft: int, sample_rate: Hz) -> RealSpectrum:
    r""":math:`c_k |X_k|^2 / (f_s \sum w^2)`, the power spectral density, in the waveform's unit squared per Hz.

    Use it for noise: its level does not depend on n. The sum over the bins times their width f_s/n is the mean square
    of the frame, weighted with the squared window (Parseval).

    Raises:
        ValueError: if the spectrum has not ⌊n/2⌋ + 1 bins, or the sample rate is not positive and finite.
    """
    check_positive(sample_rate=sample_rate)
    return sides(spectrum, n_fft) * magnitude_to_power(spectrum) / (sample_rate * window.square().sum())


def sides(spectrum: Spectrum, n_fft: int) -> Float[Tensor, "bins 1"]:
    r""":math:`c_k`: how many of the n bins a one-sided bin represents: 2, but 1 for bin 0 and, for even n, for bin n/2.

    Raises:
        ValueError: if the spectrum has not ⌊n/2⌋ + 1 bins.
    """
    bins = n_fft // 2 + 1
    if spectrum.shape[-2] != bins:
        raise ValueError(f"the spectrum must have {bins} bins for n_fft {n_fft}, got {spectrum.shape[-2]}")
    counts = torch.full((bins, 1), 2.0).to(spectrum.real)  # (bins, 1)
    counts[[0, -1] if n_fft % 2 == 0 else [0]] = 1
    return counts
