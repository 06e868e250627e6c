"""Wrong windows that people really write. Each must fail the tests of the window that is named beside it."""

import math

import torch

from stft.windows import cosine_sum, hann


def always_symmetric(n, periodic=True):
    """Tempting because numpy and textbooks have it. Its copies do not add up to a constant."""
    return hann(n, periodic=False)


def periodic_ends_with_zero(n, periodic=True):
    """Tempting because ``linspace`` includes its end. Then both ends are 0, which is one sample too many."""
    return torch.sin(math.pi * torch.linspace(0, 1, n)) ** 2 if n > 1 else torch.ones(n)


def sine_not_squared(n, periodic=True):
    """Tempting because it looks similar (the "sine window"). Hann's window is its square."""
    return hann(n, periodic).sqrt()


def signs_forgotten(n, periodic=True):
    """Tempting because "a sum of cosines" does not mention the minus. The maximum is then at the ends."""
    return cosine_sum([0.5, -0.5], n, periodic)


def coefficients_of_hann(n, periodic=True):
    """Tempting because the names are alike ("Hanning"). Hamming's window has a step of 0.08."""
    return hann(n, periodic)


def coefficients_exact(n, periodic=True):
    """Tempting because 25/46 cancels the first side lobe best. Every library has Hamming's own 0.54."""
    return cosine_sum([25 / 46, 21 / 46], n, periodic)


def second_cosine_forgotten(n, periodic=True):
    """Tempting because 0.42 and 0.5 look like Hann's pair. Blackman's three coefficients sum to 1."""
    return cosine_sum([0.42, 0.5], n, periodic)


ALL = {  # wrong version: scipy's name of what it should be
    always_symmetric: "hann",
    periodic_ends_with_zero: "hann",
    sine_not_squared: "hann",
    signs_forgotten: "hann",
    coefficients_of_hann: "hamming",
    coefficients_exact: "hamming",
    second_cosine_forgotten: "blackman",
}
