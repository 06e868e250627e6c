"""Wrong options of the STFT that people really write. Each must fail the tests of ``stft.extensions.fast``."""

import torch
from torch.nn.functional import pad

from stft.extensions.fast import stft


def window_at_the_left(x, n_fft, win_length, window, **rest):
    """Tempting because zeros at the end are simplest. A short window is centred in its frame, or the phases turn."""
    return stft(x, n_fft, window=pad(window, (0, n_fft - win_length)), **rest)


def no_window(x, n_fft, win_length, window, **rest):
    """Tempting because it is torch's default. The default is a rectangular window, which leaks."""
    return stft(x, n_fft, window=torch.ones_like(window), **rest) + 0 * window.sum()


def mirrored_half_kept(x, onesided, **rest):
    """Tempting because ``fft`` gives n bins. For a real sound, one half of them repeats the other."""
    return stft(x, onesided=False, **rest)


def divided_by_n(x, n_fft, normalized, **rest):
    """Tempting because a mean is "normalised". torch divides by the root of n, and only on request."""
    return stft(x, n_fft, **rest) / n_fft


OPTIONS = (window_at_the_left, no_window, mirrored_half_kept, divided_by_n)
