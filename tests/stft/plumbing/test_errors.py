"""Wrong input raises a ``ValueError`` of one line: which argument, what is allowed, what came."""

import math

import pytest
import torch

from stft import transform
from stft.extensions.fast import istft, mel_spectrogram, mfcc, spectrogram, stft
from stft.extensions.griffin_lim import griffin_lim, spectral_convergence
from stft.extensions.kaiser import kaiser, kaiser_beta
from stft.extensions.phase_vocoder import phase_vocoder
from stft.extensions.streaming import stream_stft
from stft.fourier import dft, dft_matrix, fft, irfft, rfft
from stft.mel import dct_matrix, decibels, mel_cepstrum, mel_filter_bank
from stft.transform import frame, overlap_add, overlapped
from stft.units import amplitude, density, magnitude_to_power, mean_square
from stft.windows import hann, rectangular, response, side_lobe_level

GL = {"n_fft": 32, "hop_length": 8}
FRAMES = torch.ones(17, 9)
THREE_BINS = torch.zeros(3, 2, dtype=torch.complex128)
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
        (
            torch.zeros(900, dtype=torch.complex64),
            "waveform must be a tensor of float32 or float64, got torch.complex64",
        ),
        (torch.zeros(900, dtype=torch.int16), "waveform must be a tensor of float32 or float64, got torch.int16"),
        (torch.zeros(900, dtype=torch.float16), "waveform must be a tensor of float32 or float64, got torch.float16"),
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
        ({"window": "hann"}, "window must be a tensor of float32 or float64, got a str"),
        ({"window": torch.ones(20) + 0j}, "window must be a tensor of float32 or float64, got torch.complex"),
        ({"normalized": True}, "normalized must be one of False, 'frame_length', 'window', got True"),
        ({"method": "fftw"}, "method must be one of 'matrix', 'fft', 'torch', got 'fftw'"),
    ],
)
def test_options_of_both_ways(options, message: str, untyped) -> None:
    for function, given in ((stft, SOUND), (istft, SPECTRUM)):
        with pytest.raises(ValueError, match=message):
            function(given, **{"n_fft": 20, **options})


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
        (lambda: transform.stft(SOUND[:0], hann(20), 5), r"waveform must have samples in its last dimension"),
        (
            lambda: transform.stft(SOUND.half(), hann(20), 5),
            "waveform must be a tensor of float32 or float64, got torch.float16",
        ),
        (lambda: transform.stft(SOUND, hann(20), 0), "hop_length must be at least 1, got 0"),
        (
            lambda: transform.stft(SOUND[:10], hann(20), 5),
            "mirrored by n_fft // 2 = 10 samples, .* got 10",
        ),
        (lambda: transform.istft(SPECTRUM, hann(22), 5), "a spectrum of 22 real samples must have 12 bins, got 11"),
        (lambda: transform.istft(SPECTRUM, hann(20), 20), r"sample 10 cannot be known: .* \(hop 20, center True\)"),
        (
            lambda: transform.istft(SPECTRUM, hann(20), 5, length=51),
            "length must be from 1 to the 50 samples .* got 51",
        ),
        (lambda: fft(torch.zeros(3, 0)), r"x must have samples in its last dimension, got shape \(3, 0\)"),
        (
            lambda: dft(torch.zeros(3, dtype=torch.int64)),
            "x must be a tensor of float32 or .* or complex128, got torch.int64",
        ),
        (lambda: rfft(torch.zeros(3, 0)), r"x must have samples in its last dimension, got shape \(3, 0\)"),
        (lambda: rfft(torch.zeros(3, dtype=torch.complex64)), "x must be a tensor of float32 or float64, .*complex64"),
        (lambda: rfft(torch.zeros(3, dtype=torch.int64)), "x must be a tensor of float32 or float64, got torch.int64"),
        (lambda: irfft(torch.zeros(3, dtype=torch.complex64), 7), "7 real samples must have 4 bins, got 3"),
        (lambda: irfft(torch.zeros(1, dtype=torch.complex64), 0), "n must be at least 1, got 0"),
        (lambda: dft_matrix(-1, torch.zeros(1)), "n must be at least 1, got -1"),
        (lambda: hann(0), "n must be at least 1, got 0"),
        (lambda: response(torch.tensor([1.0, -1.0])), "window must not sum to 0, got 0.0e"),
        (lambda: side_lobe_level(rectangular(2)), "window must have a side lobe, got 2 samples without one"),
        (lambda: side_lobe_level(hann(4)), "window must have a side lobe, got 4 samples without one"),
        (lambda: kaiser(0, 1.0), "n must be at least 1, got 0"),
        (lambda: kaiser(4, -1.0), "beta must be 0 or more and finite, got -1.0"),
        (lambda: kaiser(4, math.inf), "beta must be 0 or more and finite, got inf"),
        (lambda: kaiser_beta(-1.0), "attenuation must be 0 or more and finite, got -1.0"),
        (lambda: magnitude_to_power(THREE_BINS, 0.0), "power must be positive and finite, got 0.0"),
        (lambda: amplitude(THREE_BINS, hann(6), 6), "the spectrum must have 4 bins for n_fft 6, got 3"),
        (lambda: mean_square(THREE_BINS, hann(6), 6), "the spectrum must have 4 bins for n_fft 6, got 3"),
        (lambda: density(THREE_BINS, hann(6), 6, 8000), "the spectrum must have 4 bins for n_fft 6, got 3"),
        (lambda: density(THREE_BINS, hann(4), 4, 0.0), "sample_rate must be positive and finite, got 0.0"),
        (lambda: density(THREE_BINS, hann(4), 4, NAN), "sample_rate must be positive and finite, got nan"),
        (lambda: griffin_lim(-FRAMES, **GL), "magnitudes must be finite and not negative, got -1.0"),
        (lambda: griffin_lim(FRAMES * NAN, **GL), "magnitudes must be finite and not negative, got nan"),
        (lambda: griffin_lim(FRAMES, **GL, momentum=1.0), "momentum must be from 0 to below 1, got 1.0"),
        (lambda: griffin_lim(FRAMES, **GL, iterations=-1), "iterations must not be negative, got -1"),
        (lambda: griffin_lim(FRAMES, n_fft=30), "must have 16 bins for n_fft 30"),
        (lambda: spectral_convergence(torch.zeros(64), 0 * FRAMES, **GL), "magnitudes must not all be zero"),
        (lambda: phase_vocoder(THREE_BINS, 0.0), "rate must be positive and finite, got 0.0"),
        (lambda: phase_vocoder(THREE_BINS, NAN), "rate must be positive and finite, got nan"),
        (lambda: phase_vocoder(THREE_BINS[:, :0], 2.0), "the spectrum must have at least one frame, got none"),
        (lambda: list(stream_stft([])), "the waveform must have samples, got no chunk"),
        (
            lambda: list(stream_stft([SOUND[:0]] * 2)),
            r"waveform must have samples in its last dimension, got shape \(0,\)",
        ),
        (lambda: list(stream_stft([SOUND], n_fft=0)), "n_fft must be at least 1, got 0"),
        (lambda: list(stream_stft([SOUND], 4, 0)), "hop_length must be at least 1, got 0"),
        (lambda: list(stream_stft([SOUND[:9]], 10, center=False)), "at least a frame's 10 samples, got 9"),
        (lambda: list(stream_stft([SOUND], 4, win_length=5)), "win_length must be from 1 to n_fft 4, got 5"),
        (lambda: mel_cepstrum(torch.zeros(7, 2), 8), "n_mfcc must be from 1 to n_mels 7, got 8"),
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


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: stft(SOUND.numpy(), 20), "waveform must be a tensor of float32 or float64, got a ndarray"),
        (lambda: rfft([1.0, 2.0]), "x must be a tensor of float32 or float64, got a list"),
        (lambda: istft(SPECTRUM.real, 20), "spectrum must be a tensor of complex64 or complex128, got torch.float64"),
        (lambda: istft(SPECTRUM.numpy(), 20), "spectrum must be .*, got a ndarray"),
        (lambda: transform.istft(SPECTRUM.real, hann(20), 5), "spectrum must be .*, got torch.float64"),
        (lambda: phase_vocoder(SPECTRUM.real, 2.0), "spectrum must be .*, got torch.float64"),
        (lambda: griffin_lim(SPECTRUM, 20), "magnitudes must be a tensor of float32 or float64, got torch.complex128"),
        (lambda: list(stream_stft(SOUND)), "chunks must be tensors of samples, got a single number; one waveform"),
        (lambda: list(stream_stft([SOUND.numpy()])), "chunks must be tensors of samples, got a ndarray"),
    ],
)
def test_what_is_no_tensor_or_has_other_numbers(wrong, message: str, untyped) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_a_start_of_another_shape(untyped) -> None:
    with pytest.raises(ValueError, match=r"start must have the magnitudes' shape \(17, 9\), got \(17, 1\)"):
        griffin_lim(FRAMES, **GL, start=torch.ones(17, 1) + 0j)


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
