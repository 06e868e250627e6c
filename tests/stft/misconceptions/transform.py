"""Wrong short-time transforms that people really write. Each must fail the tests of ``stft.transform``."""

import torch
from torch.nn.functional import pad

from stft.transform import frame, overlap_add, stft


def window_after_the_transform(x, window, hop_length, center, pad_mode):
    """Tempting because "apply the window to the frame" does not say when. The bins are not samples."""
    spectrum = stft(x, torch.ones_like(window), hop_length, center, pad_mode)
    return spectrum * window[: spectrum.shape[-2], None]


def no_window(x, window, hop_length, center, pad_mode):
    """Tempting because cutting out a frame needs no window. A hard cut is a rectangular window, which leaks."""
    return stft(x, torch.ones_like(window), hop_length, center, pad_mode) + 0 * window.sum()


def never_centred(x, window, hop_length, center, pad_mode):
    """Tempting because the definition has no padding. But then the first and the last samples hardly count."""
    return stft(x, window, hop_length, center=False)


def edge_mirrored_twice(x, window, hop_length, center, pad_mode):
    """Tempting because "mirror" sounds so ("symmetric" in numpy). "reflect" does not repeat the outermost sample."""
    half = len(window) // 2
    longer = torch.cat([x[..., :half].flip(-1), x, x[..., -half:].flip(-1)], dim=-1)
    return stft(longer, window, hop_length, center=False)


def padded_by_the_hop(x, window, hop_length, center, pad_mode):
    """Tempting because the number of frames can be right. Centred frames need half a frame at each end."""
    longer = pad(x[None], (hop_length, hop_length), mode=pad_mode)[0]
    return stft(longer, window, hop_length, center=False)


def frames_first(x, window, hop_length, center, pad_mode):
    """Tempting because frames are computed so: (frames, bins) instead of (bins, frames)."""
    return stft(x, window, hop_length, center, pad_mode).transpose(-1, -2)


def window_moved_by_the_hop(x, window, hop_length, center, pad_mode):
    """Tempting because the window "slides" over the sound. Seen from the frame, it does not move."""
    spectrum = stft(x, window, hop_length, center, pad_mode)
    n = len(window)
    turns = torch.arange(spectrum.shape[-2])[:, None] * torch.arange(spectrum.shape[-1]) * hop_length % n
    return spectrum * torch.polar(torch.ones(1), -2 * torch.pi / n * turns)


def one_frame_too_few(x, window, hop_length, center, pad_mode):
    """Tempting because 100 samples with a hop of 10 "are" 10 frames. There is one at the start and one at the end."""
    return stft(x, window, hop_length, center, pad_mode)[..., :-1]


def gradient_stopped_at_the_frames(x, window, hop_length, center, pad_mode):
    """Tempting because the values are right. ``detach`` (or numpy) before the framing stops the sound's gradient."""
    return stft(x.detach(), window, hop_length, center, pad_mode) + 0 * frame(x, 1, 1).sum()


def _frames(spectrum, window):
    return torch.fft.irfft(spectrum.transpose(-1, -2), len(window))


def _divided(frames, weights, hop_length, center):
    """Added frames, divided by the added weights."""
    signal, envelope = overlap_add(frames, hop_length), overlap_add(weights.expand(frames.shape[-2], -1), hop_length)
    start = len(weights) // 2 if center else 0
    return (signal / envelope)[..., start : len(envelope) - start]


def frames_added_and_divided_by_the_window(spectrum, window, hop_length, center):
    """Tempting because it inverts an unchanged STFT. For a changed one it is not the nearest sound."""
    return _divided(_frames(spectrum, window), window, hop_length, center)


def envelope_not_squared(spectrum, window, hop_length, center):
    """Tempting because the STFT has one window. The inverse has a second one, so the square must be divided out."""
    return _divided(_frames(spectrum, window) * window, window, hop_length, center)


def envelope_forgotten(spectrum, window, hop_length, center):
    """Tempting because copies of Hann add up to a constant. Copies of its square do so only for some hops."""
    return _divided(_frames(spectrum, window) * window, torch.ones_like(window), hop_length, center)


def half_a_frame_left_at_the_front(spectrum, window, hop_length, center):
    """Tempting because ``center`` seems to matter for the STFT only. The sound then comes half a frame late."""
    return _divided(_frames(spectrum, window) * window, window**2, hop_length, center=False)


FORWARD = (
    window_after_the_transform,
    no_window,
    never_centred,
    edge_mirrored_twice,
    padded_by_the_hop,
    frames_first,
    window_moved_by_the_hop,
    one_frame_too_few,
    gradient_stopped_at_the_frames,
)
INVERSE = (
    frames_added_and_divided_by_the_window,
    envelope_not_squared,
    envelope_forgotten,
    half_a_frame_left_at_the_front,
)
