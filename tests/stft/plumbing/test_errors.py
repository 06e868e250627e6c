"""Wrong input is told in one line: what came, and what is allowed."""

import pytest
import torch

from stft.mel import dct_matrix, decibels, mel_filter_bank, mel_spectrogram, mfcc
from stft.transform import frame, istft, overlap_add, overlapped, spectrogram, stft

SOUND = torch.zeros(100, dtype=torch.float64)
SPECTRUM = torch.ones(11, 9, dtype=torch.complex128)
NAN = float("nan")


@pytest.mark.parametrize("transform", [stft, spectrogram, mel_spectrogram, mfcc])
@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (torch.zeros(0), r"waveform must have samples in its last dimension, got shape \(0,\)"),
        (torch.zeros(2, 0), r"waveform must have samples in its last dimension, got shape \(2, 0\)"),
        (torch.zeros(0, 50), r"waveform must have samples in its last dimension, got shape \(0, 50\)"),
        (torch.zeros(900, dtype=torch.complex64), "waveform must be of float32 or float64, got torch.complex64"),
        (torch.zeros(900, dtype=torch.int16), "waveform must be of float32 or float64, got torch.int16"),
        (torch.zeros(900, dtype=torch.float16), "waveform must be of float32 or float64, got torch.float16"),
        (torch.zeros(200), "mirrored by n_fft // 2 = 200 samples, the waveform must have more, got 200"),
    ],
)
def test_sounds_that_are_none(transform, sound, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        transform(sound)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_fft": 0}, "n_fft must be at least 1, got 0"),
        ({"hop_length": 0}, "hop_length must be at least 1, got 0"),
        ({"hop_length": -3}, "hop_length must be at least 1, got -3"),
        ({"win_length": 21}, "win_length must be from 1 to n_fft 20, got 21"),
        ({"win_length": 0}, "win_length must be from 1 to n_fft 20, got 0"),
        ({"window": torch.ones(21)}, "win_length must be from 1 to n_fft 20, got 21"),
        ({"window": torch.ones(5), "win_length": 6}, r"window must be 6 real numbers, got torch.float\d+ \(5,\)"),
        ({"window": torch.ones(2, 20)}, r"window must be 2 real numbers, got .* \(2, 20\)"),
        ({"normalized": True}, "normalized must be one of False, 'frame_length', 'window', got True"),
        ({"method": "fftw"}, "method must be one of 'matrix', 'fft', 'torch', got 'fftw'"),
    ],
)
def test_options_of_both_ways(options, message: str, untyped) -> None:
    for transform, given in ((stft, SOUND), (istft, SPECTRUM)):
        with pytest.raises(ValueError, match=message):
            transform(given, **{"n_fft": 20, **options})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: stft(SOUND, 120, center=False), "at least a frame's 120 samples, got 100"),
        (lambda: frame(SOUND, 0, 1), "frame_length must be at least 1, got 0"),
        (lambda: frame(SOUND, 4, 0), "hop_length must be at least 1, got 0"),
        (lambda: overlap_add(torch.zeros(2, 3), 0), "hop_length must be at least 1, got 0"),
        (lambda: overlapped(torch.zeros(3), 0), "hop_length must be at least 1, got 0"),
        (lambda: spectrogram(SOUND, 0.0, n_fft=20), "power must be positive and finite, got 0.0"),
        (lambda: istft(SPECTRUM, 22), "must have 12 bins for n_fft 22 and at least one frame, got 11 bins and 9"),
        (lambda: istft(SPECTRUM[:, :0], 20), "must have 11 bins .* got 11 bins and 0 frames"),
        (lambda: istft(SPECTRUM, 20, onesided=False), "must have 20 bins for n_fft 20"),
        (lambda: istft(SPECTRUM * NAN, 20), "the spectrum must be finite, got nan or inf"),
        (lambda: istft(SPECTRUM / 0, 20), "the spectrum must be finite, got nan or inf"),
        (lambda: istft(SPECTRUM, 20, length=0), "length must be from 1 to the 50 samples that the frames reach, got 0"),
        (lambda: istft(SPECTRUM, 20, length=51), "length must be from 1 to the 50 samples .* got 51"),
        (lambda: istft(SPECTRUM, 20, center=False), r"sample 0 cannot be known: .* zero there \(hop 5, center False\)"),
        (lambda: istft(SPECTRUM, 20, 20), r"sample 10 cannot be known: every window is zero there \(hop 20"),
        (lambda: mel_filter_bank(0), "n_fft must be at least 1, got 0"),
        (lambda: mel_filter_bank(n_mels=0), "n_mels must be at least 1, got 0"),
        (lambda: mel_filter_bank(sample_rate=0.0), "sample_rate must be positive and finite, got 0.0"),
        (lambda: mel_filter_bank(sample_rate=NAN), "sample_rate must be positive and finite, got nan"),
        (lambda: mel_filter_bank(sample_rate=-8000), "sample_rate must be positive and finite, got -8000"),
        (lambda: mel_filter_bank(f_min=-1.0), "0 <= f_min < f_max, got -1.0 and 8000.0"),
        (lambda: mel_filter_bank(f_min=900.0, f_max=900.0), "0 <= f_min < f_max, got 900.0 and 900.0"),
        (lambda: mel_filter_bank(f_max=float("inf")), "0 <= f_min < f_max, got 0.0 and inf"),
        (lambda: mel_spectrogram(SOUND, n_fft=0), "n_fft must be at least 1, got 0"),
        (lambda: mel_spectrogram(SOUND, 0), "sample_rate must be positive and finite, got 0"),
        (lambda: mel_spectrogram(SOUND, power=-1.0, n_fft=20), "power must be positive and finite, got -1.0"),
        (lambda: decibels(SOUND, amin=0.0), "amin must be positive and finite, got 0.0"),
        (lambda: decibels(SOUND, reference=0.0), "reference must be positive and finite, got 0.0"),
        (lambda: decibels(SOUND, top_db=-1.0), "top_db must not be negative, got -1.0"),
        (lambda: decibels(SOUND, top_db=1.0, shared_dims=0), "shared_dims must be at least 1, got 0"),
        (lambda: dct_matrix(5, 4), "n_mfcc must be from 1 to n_mels 4, got 5"),
        (lambda: dct_matrix(0, 4), "n_mfcc must be from 1 to n_mels 4, got 0"),
        (lambda: mfcc(SOUND, n_fft=20, n_mels=7), "n_mfcc must be from 1 to n_mels 7, got 40"),
    ],
)
def test_wrong_input_is_named(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_number_is_no_sound(untyped) -> None:
    with pytest.raises(ValueError, match=r"waveform must have samples in its last dimension, got shape \(\)"):
        stft(torch.zeros(()), 20)


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (stft, {"pad_mode": "circular"}, "pad_mode must be one of 'reflect', 'constant', 'replicate', got 'circular'"),
        (mel_filter_bank, {"norm": "area"}, "norm must be one of None, 'slaney', got 'area'"),
        (mel_filter_bank, {"mel_scale": "bark"}, "mel_scale must be one of 'htk', 'slaney', got 'bark'"),
        (decibels, {"stype": "amplitude"}, "stype must be one of 'power', 'magnitude', got 'amplitude'"),
        (dct_matrix, {"norm": "backward"}, "norm must be one of None, 'ortho', got 'backward'"),
    ],
)
def test_unknown_names(function, options, message: str, untyped) -> None:
    arguments = {mel_filter_bank: (), dct_matrix: (3, 4)}.get(function, (torch.ones(500),))
    with pytest.raises(ValueError, match=message):
        function(*arguments, **options)
