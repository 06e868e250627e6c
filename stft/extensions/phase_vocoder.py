r"""Faster or slower at the same pitch (Flanagan & Golden 1966, "Phase Vocoder"; Dolson 1986).

Frames that are read at another rate than they were taken give another duration. Their magnitudes can be mixed from the
two neighbours. Their phases cannot: a tone must go on from one new frame to the next as it went on from one old frame
to the next. So the phases of the old frames are forgotten, but for the first one's, and how far each bin turned from
frame to frame is added up.

What differs from the paper, and from torchaudio and librosa: they also estimate the tone's true frequency, by adding
to the turn that was seen the whole turns that a tone at the bin's centre makes in a hop (``phase_advance``). Whole
turns change no phase. Where the new frames lie as far apart as the old ones, as here, they have no effect, and the
argument has none either; ``test_whole_turns_do_not_matter`` shows it. They are needed when the hop itself is changed.
"""

import torch
from jaxtyping import Complex
from torch import Tensor

from stft.checks import check_positive


def phase_vocoder(
    spectrum: Complex[Tensor, "*batch bins frames"], rate: float
) -> Complex[Tensor, "*batch bins new_frames"]:
    r"""The spectrum of the same sound, ``rate`` times as fast: frames at 0, rate, 2·rate, … of the old ones.

    With t + a = j·rate, t whole and 0 ≤ a < 1:

    .. math::
        |Y_j| = (1 - a)\,|X_t| + a\,|X_{t+1}|, \qquad
        \angle Y_0 = \angle X_0, \quad \angle Y_{j+1} = \angle Y_j + \angle X_{t+1} - \angle X_t

    After the last frame there is silence.

    Raises:
        ValueError: if the rate is not positive and finite, or there is no frame.
    """
    check_positive(rate=rate)
    if spectrum.shape[-1] == 0:
        raise ValueError("the spectrum must have at least one frame, got none")
    if rate == 1:
        return spectrum
    times = torch.arange(0, spectrum.shape[-1], rate, dtype=torch.float64, device=spectrum.device)  # (new_frames)
    t = times.long()
    a = (times - t).to(spectrum.real)
    silence = spectrum.new_zeros(*spectrum.shape[:-1], 2)
    longer = torch.cat([spectrum, silence], dim=-1)  # the last frame has a neighbour, also if times is rounded up
    left, right = longer[..., t], longer[..., t + 1]  # (*batch, bins, new_frames)  X_t, X_{t+1}
    turns = right.angle() - left.angle()
    phases = torch.cat([spectrum[..., :1].angle(), turns[..., :-1]], dim=-1).cumsum(dim=-1)
    return torch.polar((1 - a) * left.abs() + a * right.abs(), phases)
