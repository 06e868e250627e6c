"""Wrong short-time transforms that people really write. Each must fail the tests of ``stft.transform``."""

import torch
from torch.nn.functional import pad

from stft.transform import frame, overlap_add, stft


def window_at_the_left(x, n_fft, win_length, window, **rest):
    """Tempting because zeros are put behind; a short window stands in the middle of its frame, or phases turn."""
    return stft(x, n_fft, window=pad(window, (0, n_fft - win_length)), **rest)


def no_window(x, n_fft, win_length, window, **rest):
    """Tempting because it is torch's default, silently: a rectangular window, which leaks."""
    return stft(x, n_fft, window=torch.ones_like(window), **rest) + 0 * window.sum()


def window_after_the_transform(x, n_fft, win_length, window, **rest):
    """Tempting because "apply the window to the frame" leaves open which side; the bins are no samples."""
    spectrum = stft(x, n_fft, window=torch.ones(n_fft), **rest)
    middle = pad(window, ((n_fft - win_length) // 2, n_fft - win_length - (n_fft - win_length) // 2))
    return spectrum * middle[: spectrum.shape[-2], None]


def never_centred(x, center, **rest):
    """Tempting because the definition has no padding; the first and the last samples then hardly count."""
    return stft(x, center=False, **rest)


def edge_mirrored_twice(x, n_fft, center, pad_mode, **rest):
    """Tempting because "mirror" sounds so ("symmetric" in numpy); reflect does not repeat the outermost sample."""
    half = n_fft // 2
    longer = torch.cat([x[..., :half].flip(-1), x, x[..., -half:].flip(-1)], dim=-1)
    return stft(longer, n_fft, center=False, **rest)


def padded_by_the_hop(x, n_fft, hop_length, center, pad_mode, **rest):
    """Tempting because then the count is right too; centred frames need half a frame at each end."""
    longer = pad(x[None], (hop_length, hop_length), mode=pad_mode)[0]
    return stft(longer, n_fft, hop_length, center=False, **rest)


def mirrored_half_kept(x, onesided, **rest):
    """Tempting because ``fft`` gives n bins; of a real sound one half says nothing new."""
    return stft(x, onesided=False, **rest)


def divided_by_n(x, n_fft, normalized, **rest):
    """Tempting because a mean is "normalised"; torch divides by the root of n, and only if it is asked to."""
    return stft(x, n_fft, **rest) / n_fft


def frames_first(x, **rest):
    """Tempting because that is how frames are computed; (frames, bins) instead of (bins, frames)."""
    return stft(x, **rest).transpose(-1, -2)


def _frames(spectrum, n_fft, win_length, window, onesided):
    left = (n_fft - win_length) // 2
    bins = spectrum.transpose(-1, -2)
    frames = torch.fft.irfft(bins, n_fft) if onesided else torch.fft.ifft(bins).real
    return frames, pad(window, (left, n_fft - win_length - left))


def _added(frames, weights, hop_length, n_fft, center):
    signal, envelope = overlap_add(frames, hop_length), overlap_add(weights.expand(frames.shape[-2], -1), hop_length)
    start = n_fft // 2 if center else 0
    return (signal / envelope)[..., start : len(envelope) - start]


def frames_added_and_divided_by_the_window(spectrum, n_fft, hop_length, win_length, window, center, onesided, **rest):
    """Tempting because it does invert an untouched STFT; of a changed one it is not the nearest sound."""
    frames, window = _frames(spectrum, n_fft, win_length, window, onesided)
    return _added(frames, window, hop_length, n_fft, center)


def envelope_not_squared(spectrum, n_fft, hop_length, win_length, window, center, onesided, **rest):
    """Tempting because one window was applied; with the second one, its square is what must be undone."""
    frames, window = _frames(spectrum, n_fft, win_length, window, onesided)
    return _added(frames * window, window, hop_length, n_fft, center)


def envelope_forgotten(spectrum, n_fft, hop_length, win_length, window, center, onesided, **rest):
    """Tempting because copies of Hann add up to a constant; those of its square do so only for some hops."""
    frames, window = _frames(spectrum, n_fft, win_length, window, onesided)
    return _added(frames * window, torch.ones_like(window), hop_length, n_fft, center)


def half_a_frame_left_at_the_front(spectrum, n_fft, hop_length, win_length, window, center, onesided, **rest):
    """Tempting because center only matters for the analysis; the sound then comes half a frame late."""
    frames, window = _frames(spectrum, n_fft, win_length, window, onesided)
    return _added(frames * window, window**2, hop_length, n_fft, center=False)


def window_moved_by_the_hop(x, n_fft, hop_length, win_length, window, **rest):
    """Tempting because the window "slides" over the sound; seen from the frame it stands still."""
    spectrum = stft(x, n_fft, hop_length, win_length, window, **rest)
    turns = torch.arange(spectrum.shape[-2])[:, None] * torch.arange(spectrum.shape[-1]) * hop_length % n_fft
    return spectrum * torch.polar(torch.ones(1), -2 * torch.pi / n_fft * turns)


def one_frame_too_few(x, n_fft, hop_length, center, pad_mode, **rest):
    """Tempting because 100 samples with a hop of 10 "are" 10 frames; there is one at the beginning and at the end."""
    return stft(x, n_fft, hop_length, center=center, pad_mode=pad_mode, **rest)[..., :-1]


def gradient_stopped_at_the_frames(x, n_fft, hop_length, win_length, window, center, pad_mode, **rest):
    """Tempting because the values are right; ``detach`` (or numpy) for the framing cuts the sound off."""
    spectrum = stft(x.detach(), n_fft, hop_length, win_length, window, center, pad_mode, **rest)
    return spectrum + 0 * frame(x, 1, 1).sum()


FORWARD = (
    window_at_the_left,
    no_window,
    window_after_the_transform,
    never_centred,
    edge_mirrored_twice,
    padded_by_the_hop,
    mirrored_half_kept,
    divided_by_n,
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
