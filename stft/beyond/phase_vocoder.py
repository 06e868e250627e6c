r"""Faster or slower at the same pitch (Flanagan & Golden 1966, "Phase Vocoder"; Dolson 1986).

Frames that are read at another rate than they were taken give another duration. Their magnitudes can be mixed from the
two neighbours. Their phases cannot: a tone of frequency f must advance by 2πfH from one new frame to the next, and f is
not exactly that of its bin. How far the phase really advanced between two neighbours says what f is, up to whole turns;
of these, the nearest to the bin's own advance is taken.
"""

import math

import torch
from jaxtyping import Complex
from torch import Tensor

from stft.checks import check_at_least_1, check_positive


def phase_vocoder(
    spectrum: Complex[Tensor, "*batch bins frames"], rate: float, hop_length: int, n_fft: int
) -> Complex[Tensor, "*batch bins new_frames"]:
    r"""The spectrum of the same sound, ``rate`` times as fast: frames at 0, rate, 2·rate, … of the old ones.

    .. math::
        \phi_{j+1} = \phi_j + \omega_k + \mathrm{princarg}(\angle X_{t+1} - \angle X_t - \omega_k), \qquad
        \omega_k = 2\pi k H / n

    with t the whole part of j·rate, and :math:`\mathrm{princarg}` less whole turns: it lies between −π and π.

    Args:
        spectrum: one-sided, for ``n_fft`` and ``hop_length``.
        rate: above 1 shorter, below 1 longer.

    Raises:
        ValueError: if the rate is not positive and finite, there is no frame, or there are not the bins for ``n_fft``.
    """
    check_positive(rate=rate)
    check_at_least_1(hop_length=hop_length, n_fft=n_fft)
    bins, frames = spectrum.shape[-2:]
    if bins != n_fft // 2 + 1 or frames == 0:
        raise ValueError(
            f"the spectrum must have {n_fft // 2 + 1} bins for n_fft {n_fft} and at least one frame, "
            f"got {bins} bins and {frames} frames"
        )
    if rate == 1:
        return spectrum
    times = torch.arange(0, frames, rate, dtype=torch.float64, device=spectrum.device)  # (new_frames), in old frames
    before = times.long()  # t
    behind = (times - before).to(spectrum.real)  # part of the way to t + 1
    silence = spectrum.new_zeros(*spectrum.shape[:-1], 2)
    padded = torch.cat([spectrum, silence], dim=-1)  # the last frame's neighbour
    left, right = padded[..., before], padded[..., before + 1]  # (*batch, bins, new_frames)
    magnitudes = behind * right.abs() + (1 - behind) * left.abs()
    expected = 2 * math.pi * hop_length / n_fft * torch.arange(bins, device=spectrum.device)[:, None]  # omega_k
    expected = expected.to(spectrum.real)
    surplus = right.angle() - left.angle() - expected
    advance = expected + surplus - 2 * math.pi * torch.round(surplus / (2 * math.pi))
    phases = torch.cat([spectrum[..., :1].angle(), advance[..., :-1]], dim=-1).cumsum(dim=-1)
    return torch.polar(magnitudes, phases)
