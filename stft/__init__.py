"""The short-time Fourier transform, from its definition to MFCCs and back to a waveform.

>>> from stft import istft, mel_spectrogram, stft
>>> spectrum = stft(waveform, n_fft=400, hop_length=160)  # (*batch, 201, frames), complex
>>> mel_spectrogram(waveform, sample_rate=16_000, n_mels=40)  # (*batch, 40, frames)
>>> istft(spectrum, n_fft=400, hop_length=160, length=waveform.shape[-1])  # the waveform again

``transform.py`` has the STFT in the papers' form. Exported is the fast form, with the arguments of torch.stft.

The names below are loaded when they are first used: ``python -m stft`` sets up threads before torch is imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "extensions.fast": ["istft", "mel_spectrogram", "mfcc", "spectrogram", "stft"],
        "extensions.griffin_lim": ["griffin_lim"],
        "extensions.phase_vocoder": ["phase_vocoder"],
        "extensions.streaming": ["stream_stft"],
        "fourier": ["dft", "fft", "ifft", "irfft", "rfft"],
        "mel": ["decibels", "mel_filter_bank"],
        "units": ["amplitude", "density", "mean_square"],
        "windows": ["blackman", "hamming", "hann", "rectangular"],
    },
)
