r"""Faster or slower at the same pitch (Flanagan & Golden 1966, "Phase Vocoder"; Dolson 1986).

Reading the frames of an STFT at another rate changes the duration of the sound. The magnitude of a new frame is
interpolated between its two old neighbours. Its phase is not: from one new frame to the next, a tone must advance by
the same phase as from one old frame to the next. So only the first frame keeps its phase. After it, the phase advances
of the old frames are summed.

What differs from the paper, and from torchaudio and librosa: they add the whole turns that a tone at the bin's centre
makes per hop (``phase_advance``), to estimate the true frequency of the tone. Whole turns change no phase. They matter
only if the hop itself changes, which it does not here; ``test_whole_turns_do_not_matter`` shows this.
"""

import torch
from jaxtyping import Complex
from torch import Tensor

from stft.checks import COMPLEX, check_positive, check_samples


def phase_vocoder(
    spectrum: Complex[Tensor, "*batch bins frames"], rate: float
) -> Complex[Tensor, "*batch bins new_frames"]:
    r"""The spectrum of the same sound, ``rate`` times as fast. New frame j is at the time j·rate, in old frames.

    With j·rate = t + a, t an integer and 0 ≤ a < 1:

    .. math::
        |Y_j| = (1 - a)\,|X_t| + a\,|X_{t+1}|, \qquad
        \angle Y_0 = \angle X_0, \quad \angle Y_{j+1} = \angle Y_j + \angle X_{t+1} - \angle X_t

    The frames after the last one are zero.

    Returns:
        Complex numbers of shape (\*batch, bins, ⌈frames / rate⌉).

    Raises:
        ValueError: if the rate is not positive and finite; if the spectrum is real, or has no frame.
    """
    check_positive(rate=rate)
    if spectrum.shape[-1] == 0:
        raise ValueError("the spectrum must have at least one frame, got none")
    check_samples(COMPLEX, spectrum=spectrum)
    if rate == 1:
        return spectrum
    times = torch.arange(0, spectrum.shape[-1], rate, dtype=torch.float64, device=spectrum.device)  # (new_frames)
    t = times.long()
    a = (times - t).to(spectrum.real)
    silence = spectrum.new_zeros(*spectrum.shape[:-1], 2)  # one frame for the last neighbour, one for rounding of times
    longer = torch.cat([spectrum, silence], dim=-1)  # (*batch, bins, frames + 2)
    left, right = longer[..., t], longer[..., t + 1]  # (*batch, bins, new_frames)  X_t, X_{t+1}
    advances = right.angle() - left.angle()  # (*batch, bins, new_frames)
    phases = torch.cat([spectrum[..., :1].angle(), advances[..., :-1]], dim=-1).cumsum(dim=-1)
    return torch.polar((1 - a) * left.abs() + a * right.abs(), phases)
