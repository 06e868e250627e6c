r"""A waveform from magnitudes alone (Griffin & Lim 1984, section III; Perraudin, Balazs & Søndergaard 2013).

The magnitudes S of an STFT are known, its phases are not. Griffin & Lim alternate between two projections. Give S the
present phases and find the waveform with the nearest STFT (``istft``). Then take the phases of this waveform's STFT
(``stft``) as the next ones. If the ends are padded with zeros, the distance to S never rises from one iteration to the
next. ``spectral_convergence`` measures it.

Perraudin et al., "A fast Griffin-Lim algorithm", algorithm 2, add momentum: each step continues the last one.

.. math::
    C_i = \mathrm{stft}(\mathrm{istft}(S\, e^{i\,\angle T_{i-1}})), \qquad T_i = C_i + \alpha\,(C_i - C_{i-1})

The result is usually nearer to S, but the distance may rise in between.

What differs from the papers, as in torchaudio and librosa: :math:`T_i` is divided by :math:`1 + \alpha`, which does not
change its phase, and :math:`C_0 = 0`.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from stft.checks import REAL, check_samples
from stft.extensions.fast import Window, istft, stft
from stft.transform import Padding
from stft.units import sides


def griffin_lim(
    magnitudes: Float[Tensor, "*batch bins frames"],
    n_fft: int = 400,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Window | None = None,
    iterations: int = 32,
    momentum: float = 0.99,
    length: int | None = None,
    pad_mode: Padding = "reflect",
    start: Complex[Tensor, "*batch bins frames"] | None = None,
) -> Float[Tensor, "*batch samples"]:
    r"""A waveform whose STFT has nearly these magnitudes. The frames are centred.

    Args:
        magnitudes: :math:`S = |X|`, one-sided, of shape (\*batch, bins, frames).
        n_fft, hop_length, win_length, window: as for the ``stft`` that gave the magnitudes.
        iterations: 0 or more. 0 gives the inverse with the first phases.
        momentum: :math:`\alpha`, from 0 to below 1. 0 is Griffin & Lim's algorithm.
        length: samples of the waveform; by default all between the paddings.
        pad_mode: how ``stft`` pads the ends. With "constant" and momentum 0 the distance never rises.
        start: complex numbers with the first phases, for example from ``random_phases``; by default all phases are 0.

    Returns:
        Real samples of shape (\*batch, samples).

    Raises:
        ValueError: if a magnitude is complex, negative or not finite; if ``start`` has another shape; if ``momentum``
            is not from 0 to below 1; if ``iterations`` is negative; and as ``istft``.
    """
    check_samples(REAL, magnitudes=magnitudes)
    allowed = magnitudes.isfinite() & (magnitudes >= 0)
    if not allowed.all():
        raise ValueError(f"magnitudes must be finite and not negative, got {float(magnitudes[~allowed][0])}")
    if not 0 <= momentum < 1:
        raise ValueError(f"momentum must be from 0 to below 1, got {momentum}")
    if start is not None and start.shape != magnitudes.shape:
        raise ValueError(f"start must have the magnitudes' shape {tuple(magnitudes.shape)}, got {tuple(start.shape)}")
    if iterations < 0:
        raise ValueError(f"iterations must not be negative, got {iterations}")
    options = {"n_fft": n_fft, "hop_length": hop_length, "win_length": win_length, "window": window}
    phases = torch.ones_like(magnitudes).to(magnitudes.dtype.to_complex()) if start is None else unit(start)
    last = torch.zeros_like(phases)  # C_{i-1}
    for _ in range(iterations):
        consistent = stft(istft(magnitudes * phases, **options, length=length), **options, pad_mode=pad_mode)  # C_i
        phases = unit(consistent - momentum / (1 + momentum) * last)  # T_i / (1 + alpha); only its phase counts
        last = consistent
    return istft(magnitudes * phases, **options, length=length)


def unit(z: Complex[Tensor, "*shape"]) -> Complex[Tensor, "*shape"]:
    """z/|z|. The small number avoids 0/0, as in torchaudio."""
    return z / (z.abs() + 1e-16)


def random_phases(
    like: Float[Tensor, "*batch bins frames"], generator: torch.Generator
) -> Complex[Tensor, "*batch bins frames"]:
    """Complex numbers of magnitude 1 with uniformly distributed phases, of the shape of ``like``."""
    angles = 2 * math.pi * torch.rand(like.shape, generator=generator, dtype=like.dtype)
    return torch.polar(torch.ones_like(angles), angles).to(like.device)


def spectral_convergence(
    waveform: Float[Tensor, "*batch samples"],
    magnitudes: Float[Tensor, "*batch bins frames"],
    n_fft: int = 400,
    **options: object,
) -> float:
    r"""The distance of the waveform's magnitudes from S, in dB (lower is nearer).

    .. math::  20 \log_{10} \lVert\, |\mathrm{stft}(x)| - S \rVert / \lVert S \rVert

    The norm covers all ``n_fft`` bins, also the mirrored ones. The ``options`` are those of ``stft``.

    Raises:
        ValueError: if all magnitudes are zero.
    """
    if not magnitudes.any():
        raise ValueError("magnitudes must not all be zero")
    spectrum = stft(waveform, n_fft, **options)
    weights = sides(spectrum, n_fft).sqrt()
    difference = weights * (spectrum.abs() - magnitudes)
    return 20 * math.log10(max(1e-20, float(difference.norm() / (weights * magnitudes).norm())))
