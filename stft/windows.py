r"""Windows, and what they do to a pure tone (Harris 1978, "On the Use of Windows for Harmonic Analysis with the DFT").

A frame is cut out of the sound by multiplying with a window. In the spectrum that is a convolution with the window's
own transform: a tone becomes a main lobe, whose width blurs, between side lobes, whose height leaks. All windows here
are sums of few cosines,

.. math::  w_m = \sum_j (-1)^j a_j \cos(2\pi j m/N), \qquad m = 0, …, n-1.

**Periodic or symmetric.** N = n continues periodically, as the transform takes it; shifted copies of it add up to a
constant. N = n − 1 ends as it begins; it is meant for the design of filters.

What differs from the paper: Harris centres his windows around 0, which gives the signs their other form; and the
coefficients of Hamming and Blackman are rounded, 0.54 and 0.42, as in every library.
"""

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import check_at_least_1


def cosine_sum(coefficients: Sequence[float], n: int, periodic: bool) -> Float[Tensor, " n"]:
    r""":math:`w_m = \sum_j (-1)^j a_j \cos(2\pi j m/N)`, N = n if periodic, else n − 1; of torch's default dtype.

    Computed in float64. One sample is all of its window: 1.

    Raises:
        ValueError: if ``n`` is below 1.
    """
    check_at_least_1(n=n)
    if n == 1:
        return torch.ones(1)
    period = n if periodic else n - 1
    angles = 2 * math.pi * torch.arange(n, dtype=torch.float64) / period  # (n)
    terms = [(-1) ** j * a * torch.cos(j * angles) for j, a in enumerate(coefficients)]
    return torch.stack(terms).sum(dim=0).to(torch.get_default_dtype())  # (n)


def rectangular(n: int, periodic: bool = True) -> Float[Tensor, " n"]:
    """All ones: the narrowest main lobe, the highest side lobes."""
    return cosine_sum([1.0], n, periodic)


def hann(n: int, periodic: bool = True) -> Float[Tensor, " n"]:
    r""":math:`\tfrac12 - \tfrac12\cos`, which is :math:`\sin^2`: it meets 0 smoothly, so its side lobes fall fast."""
    return cosine_sum([0.5, 0.5], n, periodic)


def hamming(n: int, periodic: bool = True) -> Float[Tensor, " n"]:
    """Hann on a step of 0.08. The step's first side lobes lie under Hann's with the other sign and nearly cancel it."""
    return cosine_sum([0.54, 0.46], n, periodic)


def blackman(n: int, periodic: bool = True) -> Float[Tensor, " n"]:
    """One more cosine: side lobes below −58 dB for a main lobe that is half as wide again."""
    return cosine_sum([0.42, 0.5, 0.08], n, periodic)


WINDOWS = {window.__name__: window for window in (rectangular, hann, hamming, blackman)}
