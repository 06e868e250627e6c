"""Wrong mel features that people really write. Each must fail the tests of ``stft.mel``."""

import torch

from stft.extensions.fast import mel_spectrogram
from stft.mel import dct_matrix, decibels, hz_to_mel, mel_filter_bank, mel_to_hz


def corners_equal_in_hz(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because ``linspace`` can take Hz. The bands have equal widths in mel."""
    return _bank(torch.linspace(f_min, f_max, n_mels + 2), sample_rate, n_fft, norm)


def without_the_outer_corners(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because there are n_mels bands. But M bands have M + 2 corners."""
    low, high = hz_to_mel(torch.tensor([f_min, f_max]), mel_scale).tolist()
    corners = mel_to_hz(torch.linspace(low, high, n_mels), mel_scale)
    outer = torch.tensor([2 * corners[0] - corners[1], 2 * corners[-1] - corners[-2]])
    return _bank(torch.cat([outer[:1], corners, outer[1:]]), sample_rate, n_fft, norm)


def corners_rounded_to_bins(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because tutorials do so. Low bands are then one bin wide or empty, and peaks are misplaced."""
    low, high = hz_to_mel(torch.tensor([f_min, f_max]), mel_scale).tolist()
    corners = mel_to_hz(torch.linspace(low, high, n_mels + 2), mel_scale)
    width = sample_rate / n_fft
    return _bank((corners / width).round() * width + 1e-9 * torch.arange(n_mels + 2), sample_rate, n_fft, norm)


def triangles_straight_in_mel(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because the corners are in mel (and Kaldi does so). torchaudio's triangles are straight in Hz."""
    low, high = hz_to_mel(torch.tensor([f_min, f_max]), mel_scale).tolist()
    corners = torch.linspace(low, high, n_mels + 2)
    bins = hz_to_mel(torch.arange(n_fft // 2 + 1) * (sample_rate / n_fft), mel_scale)[:, None]
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    bank = torch.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)).clamp(min=0)
    hz = mel_to_hz(corners, mel_scale)
    return bank * 2 / (hz[2:] - hz[:-2]) if norm else bank


def divided_by_the_sum(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because "normalised" often means a sum of 1. Slaney's bands have an area of 1, in Hz."""
    bank = mel_filter_bank(n_fft, sample_rate, n_mels, f_min, f_max, None, mel_scale)
    return bank / bank.sum(0) if norm else bank


def one_scale_for_all(f_min, f_max, n_mels, sample_rate, n_fft, norm, mel_scale):
    """Tempting because "the mel scale" sounds like one scale. librosa's default is Slaney's, torchaudio's is HTK's."""
    return mel_filter_bank(n_fft, sample_rate, n_mels, f_min, f_max, norm, "slaney")


def _bank(corners, sample_rate, n_fft, norm):
    bins = torch.arange(n_fft // 2 + 1)[:, None] * (sample_rate / n_fft)
    left, middle, right = corners[:-2], corners[1:-1], corners[2:]
    bank = torch.minimum((bins - left) / (middle - left), (right - bins) / (right - middle)).clamp(min=0)
    return bank * 2 / (right - left) if norm else bank


def ten_for_everything(x, stype, top_db):
    """Tempting because dB is 10 log₁₀ of a power. A magnitude must be squared first, which gives 20."""
    return decibels(x, "power", top_db)


def natural_logarithm(x, stype, top_db):
    """Tempting because ``log`` is the shorter name. But 10 ln is 2.3 times as much."""
    factor = 10 if stype == "power" else 20
    levels = factor * x.clamp(min=1e-10).log()
    return levels if top_db is None else levels.clamp(min=float(levels.detach().max()) - top_db)


def floor_added(x, stype, top_db):
    """Tempting because it avoids log 0 too. But it raises all small values, not only those below the floor."""
    levels = (10 if stype == "power" else 20) * (x + 1e-10).log10()
    return levels if top_db is None else torch.maximum(levels, levels.amax((-3, -2, -1), keepdim=True) - top_db)


def floor_below_0_db(x, stype, top_db):
    """Tempting because "80 dB" sounds absolute. It is relative to the maximum."""
    levels = decibels(x, stype)
    return levels if top_db is None else levels.clamp(min=-top_db)


def loudest_of_the_batch(x, stype, top_db):
    """Tempting because ``max()`` needs no argument (and librosa does so). A clip then depends on its neighbours."""
    return decibels(x, stype, top_db, shared_dims=x.ndim)


def starts_at_sample_0(n_mfcc, n_mels, norm):
    """Tempting because cos(πqm/M) is simpler. The samples of DCT-II are half a step further."""
    m, q = torch.arange(n_mels)[:, None], torch.arange(n_mfcc)
    columns = 2 * torch.cos(torch.pi * q * m / n_mels)
    return columns / columns.norm(dim=0) if norm else columns


def first_not_smaller(n_mfcc, n_mels, norm):
    """Tempting because one factor is simpler. The constant column is √2 longer than the others."""
    columns = dct_matrix(n_mfcc, n_mels, None)
    return columns / (2 * n_mels) ** 0.5 if norm else columns


def without_the_2(n_mfcc, n_mels, norm):
    """Tempting because the DCT-II of textbooks has no 2. That of scipy and torchaudio has."""
    return dct_matrix(n_mfcc, n_mels, norm) / (1 if norm else 2)


def of_the_power(waveform, sample_rate, n_mfcc, n_mels, **options):
    """Tempting because a cepstrum is a spectrum of a spectrum. Without the logarithm, pitch and tract stay mixed."""
    return dct_matrix(n_mfcc, n_mels).T @ mel_spectrogram(waveform, sample_rate, n_mels=n_mels, **options)


def along_time(waveform, sample_rate, n_mfcc, n_mels, **options):
    """Tempting because transforms act on the last dimension, which is time. The DCT goes across the bands."""
    levels = decibels(mel_spectrogram(waveform, sample_rate, n_mels=n_mels, **options), top_db=80.0)
    frames = levels.shape[-1]
    mixed = levels @ dct_matrix(frames, frames)
    return mixed[..., :n_mfcc, :]


def without_top_db(waveform, sample_rate, n_mfcc, n_mels, **options):
    """Tempting because the default of AmplitudeToDB is None. Inside MFCC it is 80."""
    return dct_matrix(n_mfcc, n_mels).T @ decibels(mel_spectrogram(waveform, sample_rate, n_mels=n_mels, **options))


ALL = {
    "bank": (
        corners_equal_in_hz,
        without_the_outer_corners,
        corners_rounded_to_bins,
        triangles_straight_in_mel,
        divided_by_the_sum,
        one_scale_for_all,
    ),
    "decibels": (ten_for_everything, natural_logarithm, floor_added, floor_below_0_db, loudest_of_the_batch),
    "dct": (starts_at_sample_0, first_not_smaller, without_the_2),
    "mfcc": (of_the_power, along_time, without_top_db),
}
