"""Other correct solutions of the STFT's exercises, written without the real ones. The judge must accept them."""

import math

import torch

from stft.checks import check_at_least_1
from stft.fourier import ifft, rfft
from stft.transform import frame, pad_ends


def fourier_dft(x):
    n = x.shape[-1]
    k = torch.arange(n)
    angles = (-2 * math.pi / n) * (k[:, None] * k % n).double()
    matrix = torch.complex(angles.cos(), angles.sin()).to(torch.promote_types(x.dtype, torch.complex64))
    return torch.einsum("...m, mk -> ...k", x.to(matrix.dtype), matrix)


def fourier_irfft(spectrum, n):
    bins = [spectrum[..., k] if 2 * k <= n else spectrum[..., n - k].conj() for k in range(n)]
    return ifft(torch.stack(bins, dim=-1)).real


def transform_overlap_add(frames, hop_length):
    check_at_least_1(hop_length=hop_length)
    *batch, count, n = frames.shape
    places = torch.arange(count)[:, None] * hop_length + torch.arange(n)
    flat = frames.reshape(*batch, count * n)
    return flat.new_zeros(*batch, (count - 1) * hop_length + n).index_add(-1, places.flatten(), flat)


def transform_stft(waveform, window, hop_length, center=True, pad_mode="reflect"):
    n = window.shape[0]
    if center:
        waveform = pad_ends(waveform, n // 2, pad_mode)
    columns = [rfft(piece * window) for piece in frame(waveform, n, hop_length).unbind(-2)]
    return torch.stack(columns, dim=-1)


def mel_dct_matrix(n_mfcc, n_mels, norm="ortho", dtype=None):
    if n_mfcc < 1 or n_mfcc > n_mels or norm not in (None, "ortho"):
        raise ValueError(f"n_mfcc must be from 1 to {n_mels} and norm None or 'ortho', got {n_mfcc} and {norm}")
    middle = (torch.arange(n_mels, dtype=torch.float64) + 0.5) * math.pi / n_mels
    columns = torch.stack([2 * (q * middle).cos() for q in range(n_mfcc)], dim=1)
    if norm is not None:
        columns[:, 0] *= (4 * n_mels) ** -0.5
        columns[:, 1:] *= (2 * n_mels) ** -0.5
    return columns.to(dtype if dtype is not None else torch.get_default_dtype())
