"""The short-time Fourier transform, from its definition to MFCCs and back to a waveform.

>>> from stft import istft, mel_spectrogram, stft
>>> spectrum = stft(waveform, n_fft=400, hop_length=160)  # (*batch, 201, frames), complex
>>> mel_spectrogram(waveform, sample_rate=16_000, n_mels=80)  # (*batch, 80, frames)
>>> istft(spectrum, n_fft=400, hop_length=160, length=waveform.shape[-1])  # the waveform again

``transform.py`` has the STFT in the papers' form. Exported is the fast form, with the arguments of torch.stft.
"""

from stft.extensions.fast import istft, mel_spectrogram, mfcc, spectrogram, stft
from stft.extensions.griffin_lim import griffin_lim
from stft.extensions.phase_vocoder import phase_vocoder
from stft.extensions.streaming import stream_stft
from stft.fourier import dft, fft, ifft, irfft, rfft
from stft.mel import decibels, mel_filter_bank
from stft.units import amplitude, density, mean_square
from stft.windows import blackman, hamming, hann, rectangular

__all__ = [
    "amplitude",
    "blackman",
    "decibels",
    "density",
    "dft",
    "fft",
    "griffin_lim",
    "hamming",
    "hann",
    "ifft",
    "irfft",
    "istft",
    "mean_square",
    "mel_filter_bank",
    "mel_spectrogram",
    "mfcc",
    "phase_vocoder",
    "rectangular",
    "rfft",
    "spectrogram",
    "stft",
    "stream_stft",
]
