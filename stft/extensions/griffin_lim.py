r"""A waveform from magnitudes alone (Griffin & Lim 1984, section III; Perraudin, Balazs & Søndergaard 2013).

Two sets: spectra with the given magnitudes S, and spectra that some waveform has. Griffin & Lim walk from one to the
other and back: with the present phases, find the nearest waveform (``istft``), take its phases (``stft``), and put the
magnitudes S on them again. With zeros at the ends no step comes further away: what ``spectral_convergence`` measures
does not rise.

Perraudin et al., "A fast Griffin-Lim algorithm", algorithm 2, go further than the last step, in its direction:

.. math::
    C_i = \mathrm{stft}(\mathrm{istft}(S\, e^{i\,\angle T_{i-1}})), \qquad T_i = C_i + \alpha\,(C_i - C_{i-1})

Often that ends nearer, and it may rise on the way.

What differs from the papers: only the phase of :math:`T_i` counts, so it is divided by :math:`1 + \alpha`, and
:math:`C_0 = 0`: as torchaudio and librosa do.
"""

import math

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from stft.transform import Padding, Window, istft, sides, stft


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
    r"""The waveform after so many iterations; its frames are centred, as ``stft`` has them by default.

    Args:
        magnitudes: :math:`S = |X|`, one-sided.
        n_fft, hop_length, win_length, window: as for the ``stft`` that gave the magnitudes.
        iterations: from 0, the inverse with the first phases, up.
        momentum: :math:`\alpha`; 0 is Griffin & Lim's own algorithm.
        length: samples of the waveform; by default as many as the frames hold for certain.
        pad_mode: how the ends are padded. With "constant" no step is further away.
        start: numbers whose phases are the first ones; by default all phases are 0. See ``random_phases``.

    Raises:
        ValueError: if a magnitude is negative or not finite, ``momentum`` is not from 0 to below 1, ``iterations`` is
            negative; and as ``istft``.
    """
    if not (magnitudes.isfinite() & (magnitudes >= 0)).all():
        raise ValueError("magnitudes must be finite and not negative")
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
        phases = unit(consistent - momentum / (1 + momentum) * last)  # T_i / (1 + alpha), without its magnitude
        last = consistent
    return istft(magnitudes * phases, **options, length=length)


def unit(z: Complex[Tensor, "*shape"]) -> Complex[Tensor, "*shape"]:
    """z/|z|; the little that keeps 0 from being divided by itself is torchaudio's."""
    return z / (z.abs() + 1e-16)


def random_phases(
    like: Float[Tensor, "*batch bins frames"], generator: torch.Generator
) -> Complex[Tensor, "*batch bins frames"]:
    """Phases that are equally likely everywhere on the circle."""
    angles = 2 * math.pi * torch.rand(like.shape, generator=generator, dtype=like.dtype)
    return torch.polar(torch.ones_like(angles), angles).to(like.device)


def spectral_convergence(
    waveform: Float[Tensor, "*batch samples"],
    magnitudes: Float[Tensor, "*batch bins frames"],
    n_fft: int = 400,
    **options: object,
) -> float:
    r"""How far off the waveform's magnitudes are, :math:`20 \log_{10} \lVert\, |\mathrm{stft}(x)| - S \rVert / \lVert S \rVert`
    in dB, over all ``n_fft`` bins, the mirrored ones too; the ``options`` are those of ``stft``.

    Raises:
        ValueError: if all magnitudes are zero.
    """  # noqa: E501
    if not magnitudes.any():
        raise ValueError("magnitudes must not all be zero")
    spectrum = stft(waveform, n_fft, **options)
    weights = sides(spectrum, n_fft).sqrt()
    difference = weights * (spectrum.abs() - magnitudes)
    return 20 * math.log10(max(1e-20, float(difference.norm() / (weights * magnitudes).norm())))
