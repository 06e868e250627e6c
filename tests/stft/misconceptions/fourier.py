"""Wrong Fourier transforms that people really write. Each must fail the tests of ``stft.fourier``."""

import math

import torch

from stft.fourier import bluestein, dft, dft_matrix, fft, ifft, roots_of_unity


def turning_the_other_way(x):
    """Tempting because e^{iωt} is the oscillation of textbooks. The transform multiplies with its conjugate."""
    return x @ dft_matrix(x.shape[-1], x).conj()


def divided_by_n(x):
    """Tempting because a mean looks natural. By convention the inverse has the 1/n."""
    return fft(x) / x.shape[-1]


def angles_in_float32(x):
    """Tempting because x is float32. The angle 2π·k·m/n then loses its digits: reduce k·m modulo n first."""
    n = x.shape[-1]
    k = torch.arange(n, dtype=torch.float32)
    angles = -2 * math.pi * k[:, None] * k / n
    return x @ torch.polar(torch.ones_like(angles), angles).to(x)


def _split(x, n1, twiddled=True, swapped=False):
    n = x.shape[-1]
    inner = dft_matrix(n1, x) @ x.unflatten(-1, (n1, n // n1))
    if twiddled:
        inner = inner * roots_of_unity(n, x)[torch.arange(n1)[:, None] * torch.arange(n // n1)]
    outer = dft(inner)
    return (outer if swapped else outer.transpose(-1, -2)).flatten(-2)


def twiddles_forgotten(x):
    """Tempting because an image's DFT is one along the rows and one along the columns. A signal's is not."""
    return _split(x, 6, twiddled=False) if x.shape[-1] % 6 == 0 else fft(x)


def left_in_the_order_of_the_input(x):
    """Tempting because ``flatten`` gives n numbers. Bin n₁k₂ + k₁ needs a transpose first."""
    return _split(x, 6, swapped=True) if x.shape[-1] % 6 == 0 else fft(x)


def padded_to_a_power_of_two(x):
    """Tempting because "the FFT needs a power of two". Zeros behind the signal give other frequencies."""
    n = x.shape[-1]
    longer = 2 ** math.ceil(math.log2(n))
    return fft(torch.nn.functional.pad(x, (0, longer - n)))[..., :n]


def wrapped_around(x):
    """Tempting because the result has n entries. Bluestein's convolution must be 2n − 1 long, or its ends overlap."""
    n = x.shape[-1]
    if n < 65:
        return bluestein(x)
    m = torch.arange(n)
    chirp = roots_of_unity(2 * n, x)[m * m % (2 * n)]
    spectrum = torch.fft.fft(torch.nn.functional.pad(x * chirp, (0, 1)))
    return torch.fft.ifft(spectrum * torch.fft.fft(torch.nn.functional.pad(chirp.conj(), (0, 1))))[..., :n] * chirp


def detached_matrix_product(x):
    """Tempting because the values are right. But no gradient flows through numpy."""
    return torch.from_numpy(dft(x.detach()).numpy()) + 0 * x


def half_is_enough(bins, n):
    """Tempting because the real part looks right. But the mirrored half counts too, except for bins 0 and n/2."""
    return ifft(torch.nn.functional.pad(bins, (0, n - bins.shape[-1]))).real


def last_bin_mirrored_too(bins, n):
    """Tempting because it is right for odd n. For even n, bin n/2 is its own mirror image."""
    full = torch.cat([bins, bins[..., 1:].conj().flip(-1)], dim=-1)
    return ifft(full).real[..., :n]


def mirrored_without_the_conjugate(bins, n):
    """Tempting because magnitudes are symmetric. Phases change their sign."""
    return ifft(torch.cat([bins, bins[..., 1 : (n + 1) // 2].flip(-1)], dim=-1)).real


FORWARD = (
    turning_the_other_way,
    divided_by_n,
    angles_in_float32,
    twiddles_forgotten,
    left_in_the_order_of_the_input,
    padded_to_a_power_of_two,
    wrapped_around,
    detached_matrix_product,
)
INVERSE_REAL = (half_is_enough, last_bin_mirrored_too, mirrored_without_the_conjugate)
