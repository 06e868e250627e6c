"""The short-time Fourier transform, from its definition to MFCCs and back to a waveform."""

from stft.fourier import dft, fft, ifft, irfft, rfft
from stft.mel import decibels, mel_filter_bank, mel_spectrogram, mfcc
from stft.transform import istft, spectrogram, stft
from stft.windows import blackman, hamming, hann, rectangular

__all__ = [
    "blackman",
    "decibels",
    "dft",
    "fft",
    "hamming",
    "hann",
    "ifft",
    "irfft",
    "istft",
    "mel_filter_bank",
    "mel_spectrogram",
    "mfcc",
    "rectangular",
    "rfft",
    "spectrogram",
    "stft",
]
