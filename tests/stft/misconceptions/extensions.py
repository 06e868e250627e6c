"""Wrong ways back to a waveform that people really write. Each must fail the tests of ``stft.extensions``."""

import torch

from stft.extensions.fast import istft, stft
from stft.extensions.griffin_lim import griffin_lim, unit


def magnitudes_put_on_once(magnitudes, iterations, momentum, length, **options):
    """Tempting because the magnitudes are given at the start. Each iteration must restore them."""
    spectrum = magnitudes + 0j
    for _ in range(iterations):
        spectrum = stft(istft(spectrum, **options, length=length), **options)
    return istft(magnitudes * unit(spectrum), **options, length=length)


def momentum_forgotten(magnitudes, iterations, momentum, length, **options):
    """Tempting because it is the 1984 paper. The argument then has no effect."""
    return griffin_lim(magnitudes, iterations=iterations, momentum=0.0, length=length, **options)


def momentum_backwards(magnitudes, iterations, momentum, length, **options):
    """Tempting because momentum sounds like an average with the last step. It goes beyond the new step."""
    phases, last = magnitudes + 0j, 0
    phases = unit(phases + 1e-300)
    for _ in range(iterations):
        consistent = stft(istft(magnitudes * phases, **options, length=length), **options)
        phases, last = unit(consistent + momentum / (1 + momentum) * last), consistent
    return istft(magnitudes * phases, **options, length=length)


def last_spectrum_inverted(magnitudes, iterations, momentum, length, **options):
    """Tempting because ``consistent`` is the spectrum of a sound. But it has not the given magnitudes."""
    phases, last = torch.ones_like(magnitudes) + 0j, 0
    consistent = magnitudes * phases
    for _ in range(iterations):
        consistent = stft(istft(magnitudes * phases, **options, length=length), **options)
        phases, last = unit(consistent - momentum / (1 + momentum) * last), consistent
    return istft(consistent, **options, length=length)


def _times(spectrum, rate):
    times = torch.arange(0, spectrum.shape[-1], rate)
    padded = torch.nn.functional.pad(spectrum, (0, 2))
    t, part = times.long(), times - times.long()
    return padded[..., t], padded[..., t + 1], part


def interpolated(spectrum, rate):
    """Tempting because interpolation of complex numbers looks harmless. Where the phases differ, they cancel."""
    left, right, part = _times(spectrum, rate)
    return (1 - part) * left + part * right


def phases_of_the_old_frames(spectrum, rate):
    """Tempting because the old phases are known. But a new frame must continue the new frame before it."""
    left, right, part = _times(spectrum, rate)
    return torch.polar((1 - part) * left.abs() + part * right.abs(), left.angle())


def advanced_by_the_rate(spectrum, rate):
    """Tempting because new frames are ``rate`` old frames apart. In the new sound they are one hop apart again."""
    left, right, part = _times(spectrum, rate)
    steps = rate * (right / (left + 1e-300)).angle()
    phases = torch.cat([spectrum[..., :1].angle(), steps[..., :-1]], dim=-1).cumsum(-1)
    return torch.polar((1 - part) * left.abs() + part * right.abs(), phases)


def first_phase_zero(spectrum, rate):
    """Tempting because only differences seem to count. They start from the first frame's phases."""
    turned = spectrum * torch.exp(-1j * spectrum[..., :1].angle())
    left, right, part = _times(turned, rate)
    steps = (right.angle() - left.angle())[..., :-1]
    phases = torch.cat([torch.zeros_like(steps[..., :1]), steps], dim=-1).cumsum(-1)
    return torch.polar((1 - part) * left.abs() + part * right.abs(), phases)


GRIFFIN_LIM = (magnitudes_put_on_once, momentum_forgotten, momentum_backwards, last_spectrum_inverted)
PHASE_VOCODER = (interpolated, phases_of_the_old_frames, advanced_by_the_rate, first_phase_zero)
