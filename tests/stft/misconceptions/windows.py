"""Wrong windows that people really write. Each must fail the tests of the window that is named beside it."""

import math

import torch

from stft.windows import cosine_sum, hann


def always_symmetric(n, periodic=True):
    """Tempting because it looks right in a plot, and is numpy's and the textbook's; its copies do not sum to 1."""
    return hann(n, periodic=False)


def periodic_ends_with_zero(n, periodic=True):
    """Tempting because ``linspace`` includes its end: 0 then stands at both ends, one sample too many."""
    return torch.sin(math.pi * torch.linspace(0, 1, n)) ** 2 if n > 1 else torch.ones(n)


def sine_not_squared(n, periodic=True):
    """Tempting because it is a hill as well (the "sine window"); Hann is its square."""
    return hann(n, periodic).sqrt()


def signs_forgotten(n, periodic=True):
    """Tempting because "a sum of cosines" does not say minus: the hill then stands at the ends."""
    return cosine_sum([0.5, -0.5], n, periodic)


def coefficients_of_hann(n, periodic=True):
    """Tempting because the names are alike ("Hanning"); Hamming's window stands on a step of 0.08."""
    return hann(n, periodic)


def coefficients_exact(n, periodic=True):
    """Tempting because 25/46 cancels the first side lobe best; every library has Hamming's own 0.54."""
    return cosine_sum([25 / 46, 21 / 46], n, periodic)


def second_cosine_forgotten(n, periodic=True):
    """Tempting because 0.42 and 0.5 look like the pair of Hann; Blackman's three sum to 1."""
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
