r"""Windows, and what a window does to a pure tone.

Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform".

A frame is the sound times a window. In the spectrum this product is a convolution with the window's transform W. So a
tone becomes a main lobe with side lobes beside it. The width of the main lobe blurs the tone. The height of the side
lobes is the leakage. All windows here are sums of a few cosines:

.. math::  w_m = \sum_j (-1)^j a_j \cos(2\pi j m/N), \qquad m = 0, …, n-1.

**Periodic or symmetric.** With N = n the window is periodic, like the transform itself. Copies of it, one per hop, add
up to a constant. With N = n − 1 it is symmetric: its last sample equals its first. Filter design uses this form.

What differs from the paper: a window centred at 0, as Harris first writes it, has no factor :math:`(-1)^j`. Here it
begins at m = 0. Hamming's and Blackman's coefficients are rounded (0.54 and 0.42), as in every library.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import Dtype, check_at_least_1


def cosine_sum(coefficients: list[float], n: int, periodic: bool, dtype: Dtype = None) -> Float[Tensor, " n"]:
    r""":math:`w_m = \sum_j (-1)^j a_j \cos(2\pi j m/N)`, N = n if periodic, else n − 1.

    Computed in float64, returned in ``dtype``, by default torch's default dtype. For n = 1 the window is 1.

    Raises:
        ValueError: if ``n`` is below 1.
    """
    check_at_least_1(n=n)
    if n == 1:
        return torch.ones(1, dtype=dtype)
    period = n if periodic else n - 1
    angles = 2 * math.pi * torch.arange(n, dtype=torch.float64) / period  # (n)  2 pi m / N
    terms = [(-1) ** j * a * torch.cos(j * angles) for j, a in enumerate(coefficients)]  # one (n) per cosine
    return torch.stack(terms).sum(dim=0).to(dtype or torch.get_default_dtype())  # (n)


def rectangular(n: int, periodic: bool = True, dtype: Dtype = None) -> Float[Tensor, " n"]:
    """All ones. It has the narrowest main lobe and the highest side lobes (−13 dB).

    Args:
        n: the number of samples.
        periodic: true for spectra: the window goes on with its first sample. False for filters: it is symmetric.
    """
    return cosine_sum([1.0], n, periodic, dtype)


def hann(n: int, periodic: bool = True, dtype: Dtype = None) -> Float[Tensor, " n"]:
    r""":math:`\tfrac12 - \tfrac12\cos = \sin^2`. It is smooth at its ends, so its side lobes fall fast.

    Args:
        n: the number of samples.
        periodic: true for spectra: the window goes on with its first sample. False for filters: it is symmetric.
    """
    return cosine_sum([0.5, 0.5], n, periodic, dtype)


def hamming(n: int, periodic: bool = True, dtype: Dtype = None) -> Float[Tensor, " n"]:
    """Hann's window on a step of 0.08. The step's side lobes cancel most of Hann's first side lobe.

    Args:
        n: the number of samples.
        periodic: true for spectra: the window goes on with its first sample. False for filters: it is symmetric.
    """
    return cosine_sum([0.54, 0.46], n, periodic, dtype)


def blackman(n: int, periodic: bool = True, dtype: Dtype = None) -> Float[Tensor, " n"]:
    """Two cosines. Its side lobes are below −58 dB, and its main lobe is 6 bins wide instead of Hann's 4.

    Args:
        n: the number of samples.
        periodic: true for spectra: the window goes on with its first sample. False for filters: it is symmetric.
    """
    return cosine_sum([0.42, 0.5, 0.08], n, periodic, dtype)


WINDOWS = {window.__name__: window for window in (rectangular, hann, hamming, blackman)}


def response(window: Float[Tensor, " n"], points_per_bin: int = 64) -> Float[Tensor, " points"]:
    r"""The level of a tone f bins away from it: :math:`|W(f)|/|W(0)|` at f = 0, 1/points_per_bin, … up to n/2 bins.

    Zeros behind the window give the values of W between the bins.

    Raises:
        ValueError: if the window sums to 0, because then W(0) = 0.
    """
    spectrum = torch.fft.rfft(window, n=points_per_bin * len(window)).abs()  # (points)
    if spectrum[0] <= 1e-12 * window.abs().sum():
        raise ValueError(f"window must not sum to 0, got {float(window.sum()):.1e}")
    return spectrum / spectrum[0]


def main_lobe_edge(levels: Float[Tensor, " points"]) -> int:
    """The index of the first point at which the response stops falling: the end of the main lobe."""
    falls = levels[1:] < levels[:-1]  # (points - 1)
    return int((~falls).nonzero()[0]) if not falls.all() else len(levels) - 1


def main_lobe_width(window: Float[Tensor, " n"], points_per_bin: int = 64) -> float:
    """The width of the main lobe from zero to zero, in bins. Two tones closer than half of it merge into one peak."""
    return 2 * main_lobe_edge(response(window, points_per_bin)) / points_per_bin


def side_lobe_level(window: Float[Tensor, " n"], points_per_bin: int = 64) -> float:
    """The level of the highest side lobe relative to the main lobe, in dB (negative). It can hide a weaker tone.

    Raises:
        ValueError: if the window has no side lobe, like some windows of a few samples.
    """
    levels = response(window, points_per_bin)
    highest = float(levels[main_lobe_edge(levels) :].max())
    if highest < 1e-12:
        raise ValueError(f"window must have a side lobe, got {len(window)} samples without one")
    return 20 * math.log10(highest)


def scalloping_loss(window: Float[Tensor, " n"]) -> float:
    r"""The loss of a tone half-way between two bins, in dB: :math:`-20\log_{10} |W(\tfrac12)|/|W(0)|`."""
    return -20 * math.log10(response(window, 2)[1])
