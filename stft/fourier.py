r"""The discrete Fourier transform (DFT), and a fast algorithm for any length (Cooley & Tukey 1965; Bluestein 1970).

.. math::  X_k = \sum_{m=0}^{n-1} x_m\, W_n^{km}, \qquad W_n = e^{-2\pi i/n}

The DFT itself is much older than computers. ``dft_spec`` is the line above in loops. ``dft`` is the same as a product
with a matrix: :math:`n^2` multiplications. ``fft`` needs about :math:`n\,(n_1 + n_2 + …)` multiplications for
n = n₁·n₂·…: it splits n into two factors, transforms along each, and turns the phases in between (Cooley & Tukey, "An
Algorithm for the Machine Calculation of Complex Fourier Series"). A length without small factors becomes a convolution,
whose length is free to choose (Bluestein, "A Linear Filtering Approach to the Computation of Discrete Fourier
Transform"). All functions transform the last dimension of a batch and have gradients.

What differs from the papers: Cooley and Tukey have W = e^{2πi/n}; here the exponent is negative, as in every library.
They split down to the primes. Here a length of up to 64 is transformed by its matrix, because one matrix product of
this size is faster than many small steps. The same holds for a length of up to 512 without a factor of up to 64.
"""

import math

import torch
from jaxtyping import Complex, Float, Shaped
from torch import Tensor

from stft.checks import COMPLEX, REAL, check_at_least_1, check_samples

DIRECT = 64  # lengths up to this are transformed by their matrix
DIRECT_WITHOUT_FACTOR = 512  # so are lengths up to this without a small factor: Bluestein's three transforms are slower


def dft_spec(x: Complex[Tensor, " n"]) -> Complex[Tensor, " n"]:
    r"""The definition in loops: :math:`X_k = \sum_m x_m\, e^{-2\pi i k m/n}`."""
    n = len(x)
    spectrum = torch.zeros_like(x)
    for k in range(n):
        for m in range(n):
            spectrum[k] += x[m] * math.e ** (-2j * math.pi * k * m / n)
    return spectrum


def roots_of_unity(n: int, like: Tensor) -> Complex[Tensor, " n"]:
    r""":math:`W_n^0, …, W_n^{n-1}`. Computed in float64, returned in the precision and on the device of ``like``."""
    angles = torch.arange(n, dtype=torch.float64) * (-2 * math.pi / n)
    return torch.polar(torch.ones_like(angles), angles).to(like.device, like.dtype.to_complex())


def dft_matrix(n: int, like: Tensor) -> Complex[Tensor, "n n"]:
    r"""The matrix with the entry :math:`W_n^{km}` in row k and column m. It is symmetric.

    W has period n. So km is reduced modulo n as an integer, without rounding.

    Raises:
        ValueError: if ``n`` is below 1.
    """
    check_at_least_1(n=n)
    k = torch.arange(n, device=like.device)
    return roots_of_unity(n, like)[k[:, None] * k % n]  # (n, n)


def dft(x: Shaped[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    r"""The definition as a matrix product: :math:`X_k = \sum_m x_m\, W_n^{mk}`, for real or complex x.

    Raises:
        ValueError: if n is 0.
    """
    x = as_complex(x)
    return x @ dft_matrix(x.shape[-1], x)  # (*batch, n)  sum_m x_m W_n^{mk}


def fft(x: Shaped[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    r"""The DFT of real or complex x: by the matrix for small n, else by the factors of n, else as a convolution.

    Raises:
        ValueError: if n is 0.
    """
    x = as_complex(x)
    n = x.shape[-1]
    n1 = largest_factor(n)
    if n <= DIRECT or (n1 == 1 and n <= DIRECT_WITHOUT_FACTOR):
        return dft(x)
    return cooley_tukey(x, n1) if n1 > 1 else bluestein(x)


def largest_factor(n: int) -> int:
    """The largest factor of n that is at most 64 and at most √n. It is 1 for a prime."""
    return max(d for d in range(1, min(DIRECT, math.isqrt(n)) + 1) if n % d == 0)


def cooley_tukey(x: Complex[Tensor, "*batch n"], n1: int) -> Complex[Tensor, "*batch n"]:
    r"""Eqs. (3) to (7) of Cooley & Tukey, for n = n₁·n₂, with m = n₂m₁ + m₂ and k = k₁ + n₁k₂:

    .. math::
        X_{k_1 + n_1 k_2} = \sum_{m_2} W_{n_2}^{k_2 m_2} \Big( W_n^{k_1 m_2} \sum_{m_1} W_{n_1}^{k_1 m_1}\, x_{n_2 m_1 + m_2} \Big)

    :math:`W_n^{km}` is a product of four factors. The fourth, :math:`W_n^{n_1 n_2 k_2 m_1}`, is 1, which saves the work.
    :math:`W_n^{k_1 m_2}` is called the twiddle factor. The outer sum is a DFT of length n₂, which may be split again.
    """  # noqa: E501
    n = x.shape[-1]
    n2 = n // n1
    grid = x.unflatten(-1, (n1, n2))  # (*batch, m1, m2)
    k1, m2 = torch.arange(n1, device=x.device)[:, None], torch.arange(n2, device=x.device)
    inner = dft_matrix(n1, x) @ grid  # (*batch, k1, m2)  sum over m1
    inner *= roots_of_unity(n, x)[k1 * m2]  # (*batch, k1, m2), k1 m2 < n
    outer = fft(inner)  # (*batch, k1, k2)  sum over m2
    return outer.transpose(-1, -2).flatten(-2)  # (*batch, n): index n1 k2 + k1


def bluestein(x: Complex[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    r"""Any length, also a prime. With km = (k² + m² − (k − m)²)/2 the DFT becomes a convolution with a chirp c:

    .. math::  X_k = c_k \sum_m (x_m c_m)\, \overline{c_{k-m}}, \qquad c_m = W_n^{m^2/2} = W_{2n}^{m^2}

    A convolution is a product of transforms of any length from 2n − 1 on, here a power of two. The index k − m runs
    from −(n − 1) to n − 1. Negative indices go to the end of the kernel.
    """
    n = x.shape[-1]
    longer = 2 ** math.ceil(math.log2(2 * n - 1))
    m = torch.arange(n, device=x.device)
    chirp = roots_of_unity(2 * n, x)[m * m % (2 * n)]  # (n)
    kernel = chirp.new_zeros(longer)
    kernel[:n] = chirp.conj()
    kernel[longer - n + 1 :] = chirp[1:].conj().flip(0)
    padded = torch.nn.functional.pad(x * chirp, (0, longer - n))  # (*batch, longer)
    convolved = ifft(fft(padded) * fft(kernel))  # (*batch, longer)
    return convolved[..., :n] * chirp  # (*batch, n)


def ifft(spectrum: Shaped[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    r"""The inverse: :math:`x_m = \frac1n \sum_k X_k\, W_n^{-km} = \frac1n\, \overline{\mathrm{fft}(\overline X)}_m`."""
    return fft(as_complex(spectrum).conj()).conj() / spectrum.shape[-1]


def rfft(x: Shaped[Tensor, "*batch n"]) -> Complex[Tensor, "*batch bins"]:
    r"""The bins 0 to ⌊n/2⌋ of real x. The other bins are their mirror image, :math:`X_{n-k} = \overline{X_k}`.

    For even n, the even and the odd samples form one complex signal of length n/2, :math:`z_m = x_{2m} + i\,x_{2m+1}`.
    Symmetry separates their transforms E and O again. One step of Cooley and Tukey combines them:

    .. math::
        E_k = \tfrac12 (Z_k + \overline{Z_{-k}}), \quad O_k = \tfrac1{2i} (Z_k - \overline{Z_{-k}}), \quad
        X_k = E_k + W_n^k\, O_k

    Raises:
        ValueError: if x is complex, or n is 0.
    """
    check_samples(REAL, x=x)
    n = x.shape[-1]
    if n % 2:
        return fft(x)[..., : n // 2 + 1]
    z = fft(torch.complex(x[..., 0::2], x[..., 1::2]))  # (*batch, n / 2)
    forward = torch.cat([z, z[..., :1]], dim=-1)  # (*batch, bins)  Z_k for k = 0, ..., n / 2
    backward = forward.flip(-1).conj()  # (*batch, bins)  conj Z_{-k}
    even, odd = (forward + backward) / 2, (forward - backward) / 2j  # (*batch, bins) each  E_k, O_k
    return even + roots_of_unity(n, x)[: n // 2 + 1] * odd


def irfft(spectrum: Complex[Tensor, "*batch bins"], n: int) -> Float[Tensor, "*batch n"]:
    r"""The n real samples with these bins 0 to ⌊n/2⌋. Of bin 0, and of bin n/2 for even n, only the real part counts.

    Raises:
        ValueError: if ``n`` is below 1; if the spectrum is real, or has not ⌊n/2⌋ + 1 bins.
    """
    return ifft(mirrored(spectrum, n)).real


def mirrored(spectrum: Complex[Tensor, "*batch bins"], n: int) -> Complex[Tensor, "*batch n"]:
    r"""All n bins of a real signal, from its first ⌊n/2⌋ + 1 bins: :math:`X_{n-k} = \overline{X_k}`.

    Raises:
        ValueError: if ``n`` is below 1; if the spectrum is real, or has not ⌊n/2⌋ + 1 bins.
    """
    check_at_least_1(n=n)
    check_samples(COMPLEX, spectrum=spectrum)
    if spectrum.shape[-1] != n // 2 + 1:
        raise ValueError(f"a spectrum of {n} real samples must have {n // 2 + 1} bins, got {spectrum.shape[-1]}")
    return torch.cat([spectrum, spectrum[..., 1 : (n + 1) // 2].conj().flip(-1)], dim=-1)


def as_complex(x: Shaped[Tensor, "*batch n"]) -> Complex[Tensor, "*batch n"]:
    check_samples(REAL + COMPLEX, x=x)
    return x if x.is_complex() else x.to(x.dtype.to_complex())
