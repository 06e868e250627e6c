"""A sound in float64 keeps float64's accuracy while torch's default dtype is float32, as in a user's program.

The other tests of this folder run with float64 as the default dtype, and would not see a constant in float32.
"""

import warnings
from collections.abc import Callable

import librosa
import numpy as np
import pytest
import scipy
import torch
from torch import Tensor

from stft import griffin_lim, istft, mel_spectrogram, mfcc, spectrogram, stft
from stft.extensions.kaiser import kaiser
from stft.extensions.streaming import stream_stft
from stft.mel import dct_matrix, mel_cepstrum, mel_filter_bank
from stft.windows import blackman, hamming, hann, rectangular
from tests.stft.checks import normal

pytestmark = pytest.mark.usefixtures("float32")
DTYPE = torch.float64
X = normal(3000, dtype=DTYPE)
FRAMES = {"n_fft": 512, "hop_length": 128}
SPECTRUM = librosa.stft(X.numpy(), **FRAMES, dtype=np.complex128, pad_mode="reflect")
BANDS = {"sr": 8000, "n_fft": 512, "n_mels": 40, "htk": True, "norm": None, "dtype": np.float64}
BANK = librosa.filters.mel(**BANDS)
MEL = BANK @ np.abs(SPECTRUM) ** 2
LEVELS = librosa.power_to_db(MEL, amin=1e-10, top_db=80)
WINDOW = scipy.signal.get_window
RESULTS: dict[str, tuple[Callable[[], Tensor], np.ndarray]] = {  # ours, and librosa's or scipy's
    "stft": (lambda: stft(X, **FRAMES), SPECTRUM),
    "stft, a short window": (
        lambda: stft(X, 512, 128, 400),
        librosa.stft(X.numpy(), **FRAMES, win_length=400, dtype=np.complex128, pad_mode="reflect"),
    ),
    "stft, normalized": (lambda: stft(X, **FRAMES, normalized="window"), SPECTRUM / np.sqrt(512 * 3 / 8)),
    "stream_stft": (lambda: torch.cat(list(stream_stft([X[:900], X[900:]], **FRAMES)), dim=-1), SPECTRUM),
    "spectrogram": (lambda: spectrogram(X, **FRAMES), np.abs(SPECTRUM) ** 2),
    "istft": (lambda: istft(torch.from_numpy(SPECTRUM), **FRAMES, length=3000), X.numpy()),
    "griffin_lim without a step": (
        lambda: griffin_lim(torch.from_numpy(np.abs(SPECTRUM)), **FRAMES, iterations=0),
        librosa.istft(np.abs(SPECTRUM) + 0j, hop_length=128, dtype=np.float64),
    ),
    "mel_filter_bank": (lambda: mel_filter_bank(512, 8000, 40, dtype=DTYPE), BANK.T),
    "mel_filter_bank, area 1": (
        lambda: mel_filter_bank(512, 8000, 40, norm="slaney", dtype=DTYPE),
        librosa.filters.mel(**{**BANDS, "norm": "slaney"}).T,
    ),
    "mel_spectrogram": (lambda: mel_spectrogram(X, 8000, **FRAMES, n_mels=40), MEL),
    "dct_matrix": (
        lambda: dct_matrix(13, 40, dtype=DTYPE),
        scipy.fft.dct(np.eye(40), axis=1, norm="ortho")[:, :13],
    ),
    "mel_cepstrum": (
        lambda: mel_cepstrum(torch.from_numpy(LEVELS), 13),
        scipy.fft.dct(LEVELS, axis=0, norm="ortho")[:13],
    ),
    "mfcc": (
        lambda: mfcc(X, 8000, 13, **FRAMES, n_mels=40),
        scipy.fft.dct(LEVELS, axis=0, norm="ortho")[:13],
    ),
    "rectangular": (lambda: rectangular(255, dtype=DTYPE), WINDOW("boxcar", 255)),
    "hann": (lambda: hann(255, dtype=DTYPE), WINDOW("hann", 255)),
    "hamming, symmetric": (lambda: hamming(255, False, DTYPE), WINDOW("hamming", 255, fftbins=False)),
    "blackman": (lambda: blackman(255, dtype=DTYPE), WINDOW("blackman", 255)),
    "hann of one sample": (lambda: hann(1, dtype=DTYPE), np.ones(1)),
    "kaiser": (lambda: kaiser(255, 12.0, dtype=DTYPE), WINDOW(("kaiser", 12.0), 255)),
    "kaiser of one sample": (lambda: kaiser(1, dtype=DTYPE), np.ones(1)),
}


@pytest.mark.parametrize("name", RESULTS)
def test_constants_have_the_dtype_of_the_sound(name: str) -> None:
    """A constant in float32 would be off by 3e-8. All errors are relative to the largest value.

    The corners of mel bands and the angles of the cosines are rounded at 10 to 100 times the size of the result.
    """
    ours, reference = RESULTS[name]
    result = ours()
    assert result.dtype in (torch.float64, torch.complex128), "the result has another dtype than the sound"
    assert torch.get_default_dtype() == torch.float32
    error = float(np.abs(result.numpy() - reference).max() / np.abs(reference).max())
    rounded = name.startswith(("mel_f", "mel_s", "dct", "griffin"))
    assert error < (1e-14 if rounded else 2e-15), f"{name} is off by {error:.1e} of the largest value"


def test_a_sound_in_float32_gives_float32() -> None:
    x = X.float()
    assert {stft(x, **FRAMES).real.dtype, mel_spectrogram(x, 8000, n_mels=9).dtype, hann(4).dtype} == {torch.float32}


@pytest.mark.parametrize("make", [mel_spectrogram, mfcc, lambda x, *_, **options: mel_filter_bank(4, 16, 4, **options)])
def test_empty_mel_bands_are_named_once(make: Callable) -> None:
    """Bins at 0, 4 and 8 Hz; corners at 0, 1.6, 3.2, 4.8, 6.4 and 8 Hz: the first and the last band have no bin.

    Bands that all have bins get no warning. Python itself shows the same warning of the same line once.
    """
    options = {"mel_scale": "slaney", **({} if make not in (mel_spectrogram, mfcc) else {"n_fft": 4, "n_mels": 4})}
    options |= {"n_mfcc": 2} if make is mfcc else {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(X, 16, **options)
        mel_filter_bank(16, 16, 3, mel_scale="slaney")
    assert [str(warning.message) for warning in caught] == ["no bin of n_fft 4 is in the mel bands [0, 3] of 4"]
