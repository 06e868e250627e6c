"""Where torch, torchaudio, librosa and scipy differ: one test for each row of the table in ``report/measured.md``.

Each test shows that the libraries differ, and which of them we follow.
"""

import warnings

import librosa
import numpy as np
import pytest
import torch
from scipy import signal

from lab.peers import import_torchaudio
from stft.extensions.fast import istft, mel_spectrogram, mfcc, spectrogram, stft
from stft.extensions.griffin_lim import random_phases
from stft.mel import dct_matrix, decibels, mel_filter_bank
from stft.units import density
from stft.windows import hann
from tests.stft.checks import EXACT, normal
from tests.teach import check_close

torchaudio = import_torchaudio()
X = normal(2000)


def close(a, b) -> bool:
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    return a.shape == b.shape and torch.allclose(a, b.to(a), **EXACT)


def check(ours, theirs) -> None:
    __tracebackhide__ = True
    ours = torch.as_tensor(ours)
    check_close("ours and theirs", ours, torch.as_tensor(theirs).to(ours))


def test_window_by_default() -> None:
    """torch: none. torchaudio, librosa, ours: a periodic Hann window."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of torch say so themselves
        check(stft(X, 64, 16, window=torch.ones(64)), torch.stft(X, 64, 16, return_complex=True))
    check(stft(X, 64, 16, pad_mode="constant"), librosa.stft(X.numpy(), n_fft=64, hop_length=16))
    check(spectrogram(X, n_fft=64, hop_length=16), torchaudio.transforms.Spectrogram(64, hop_length=16)(X))
    assert not close(hann(64), hann(64, periodic=False))


def test_hop_by_default() -> None:
    """torch, librosa, ours: a quarter of a frame; torchaudio and our mel spectrogram: half a window."""
    frames = 1 + 2000 // 16, 1 + 2000 // 32
    assert (stft(X, 64).shape[-1], librosa.stft(X.numpy(), n_fft=64).shape[-1]) == (frames[0], frames[0])
    assert torch.stft(X, 64, window=hann(64), return_complex=True).shape[-1] == frames[0]
    assert torchaudio.transforms.Spectrogram(64)(X).shape[-1] == frames[1]
    assert mel_spectrogram(X, n_fft=64, n_mels=8).shape[-1] == frames[1]


def test_padding_by_default() -> None:
    """torch, torchaudio, ours: mirrored; librosa: zeros."""
    theirs = librosa.stft(X.numpy(), n_fft=64, hop_length=16)
    check(stft(X, 64, 16), torch.stft(X, 64, 16, window=hann(64), return_complex=True))
    check(stft(X, 64, 16, pad_mode="constant"), theirs)
    assert not close(stft(X, 64, 16), theirs)


def test_normalized() -> None:
    r"""True means √n in torch and √Σw² in torchaudio. Ours refuses True and takes the name."""
    by_torch = torch.stft(X, 64, 16, window=hann(64), normalized=True, return_complex=True)
    by_torchaudio = torchaudio.transforms.Spectrogram(64, hop_length=16, normalized=True)(X)
    assert not close(by_torch.abs().square(), by_torchaudio)
    check(stft(X, 64, 16, normalized="frame_length"), by_torch)
    check(spectrogram(X, n_fft=64, hop_length=16, normalized="window"), by_torchaudio)


def test_place_of_a_short_window() -> None:
    """torch, librosa, ours: in the middle of the frame; scipy: at its beginning. Magnitudes agree, phases turn."""
    w = hann(40)
    *_, theirs = signal.spectrogram(
        X.numpy(), window=w.numpy(), nperseg=40, nfft=64, noverlap=24, mode="complex", detrend=False, scaling="spectrum"
    )
    theirs = torch.from_numpy(theirs) * w.sum()
    ours = stft(X[: 40 + 16 * (theirs.shape[-1] - 1)], 64, 16, window=torch.nn.functional.pad(w, (0, 24)), center=False)
    check(ours, theirs[:, : ours.shape[-1]])
    middle = stft(torch.nn.functional.pad(X, (12, 12)), 64, 16, window=w, center=False)[:, : theirs.shape[-1]]
    check(middle.abs(), theirs.abs())
    assert not close(middle, theirs)
    centred = librosa.stft(X.numpy(), n_fft=64, win_length=40, hop_length=16, center=False)
    check(stft(X, 64, 16, window=w, center=False), centred)


def test_mel_scale_and_norm_by_default() -> None:
    """torchaudio, ours: HTK, peaks of 1; librosa: Slaney, areas of 1."""
    theirs = librosa.filters.mel(sr=16_000, n_fft=400, n_mels=40, dtype=np.float64).T
    check(mel_filter_bank(n_mels=40), torchaudio.functional.melscale_fbanks(201, 0.0, 8000.0, 40, 16_000))
    check(mel_filter_bank(n_mels=40, norm="slaney", mel_scale="slaney"), theirs)
    assert not close(mel_filter_bank(n_mels=40), theirs)


def test_precision_of_the_filters() -> None:
    """torchaudio computes them in the default dtype, librosa and ours in float64 before rounding."""
    exact = mel_filter_bank(2048, 16_000, 128)
    torch.set_default_dtype(torch.float32)
    try:
        ours = mel_filter_bank(2048, 16_000, 128)
        theirs = torchaudio.functional.melscale_fbanks(1025, 0.0, 8000.0, 128, 16_000)
    finally:
        torch.set_default_dtype(torch.float64)
    librosas = librosa.filters.mel(sr=16_000, n_fft=2048, n_mels=128, htk=True, norm=None).T
    errors = [float((torch.as_tensor(bank).double() - exact).abs().max()) for bank in (ours, librosas, theirs)]
    assert errors[0] < 6e-8
    assert errors[1] < 6e-8
    assert errors[2] > 1e-6


def test_bins_of_an_odd_frame() -> None:
    """The highest bin of 401 samples lies at 200/401 of the rate. librosa, ours: there; torchaudio: at its half."""
    theirs = torchaudio.functional.melscale_fbanks(201, 0.0, 8000.0, 40, 16_000)
    by_librosa = librosa.filters.mel(sr=16_000, n_fft=401, n_mels=40, htk=True, norm=None, dtype=np.float64).T
    check(mel_filter_bank(401, n_mels=40), by_librosa)
    assert not close(mel_filter_bank(401, n_mels=40), theirs)


def test_end_of_the_bands_for_an_odd_rate() -> None:
    """librosa, ours: half the rate; torchaudio rounds it down to whole Hz, 5512 instead of 5512.5."""
    by_librosa = librosa.filters.mel(sr=11_025, n_fft=256, n_mels=20, htk=True, norm=None, dtype=np.float64).T
    theirs = torchaudio.transforms.MelSpectrogram(11_025, 256, n_mels=20).mel_scale.fb
    check(mel_filter_bank(256, 11_025, 20), by_librosa)
    assert not close(mel_filter_bank(256, 11_025, 20), theirs)


def test_floor_of_a_magnitude() -> None:
    """torchaudio, ours: 1e-10, which is −200 dB; librosa: 1e-5, −100 dB."""
    silence = torch.zeros(3)
    assert decibels(silence, "magnitude")[0] == torchaudio.transforms.AmplitudeToDB("magnitude")(silence)[0] == -200
    assert librosa.amplitude_to_db(silence.numpy(), top_db=None)[0] == -100
    assert decibels(silence, "magnitude", amin=1e-5)[0] == -100


def test_top_db_by_default() -> None:
    """torchaudio's AmplitudeToDB, ours: none; librosa, and MFCC everywhere: 80 dB."""
    x = torch.tensor([[1.0, 1e-9]])
    check(decibels(x), torchaudio.transforms.AmplitudeToDB()(x))
    check(decibels(x, top_db=80.0), librosa.power_to_db(x.numpy()))
    assert not close(decibels(x), decibels(x, top_db=80.0))


def test_top_db_below_the_loudest_of_what() -> None:
    """torchaudio, ours: of the last three dimensions, so of a batch without channels; librosa: of everything."""
    x = 10 ** normal(2, 3, 4, 5)
    x[0] *= 1e6
    check(decibels(x, top_db=20.0), torchaudio.transforms.AmplitudeToDB(top_db=20.0)(x))
    check(decibels(x, top_db=20.0, shared_dims=4), librosa.power_to_db(x.numpy(), top_db=20.0))
    alone = torch.stack([decibels(clip, top_db=20.0) for clip in x[:, 0]])
    check(decibels(x[:, :1], top_db=20.0)[:, 0], alone)  # with a channel dimension, clips are independent
    assert not close(decibels(x[:, 0], top_db=20.0), alone), "without one they are not"
    check(decibels(x[:, 0], top_db=20.0, shared_dims=2), alone)


def test_mfcc_by_default() -> None:
    """torchaudio, ours: 40 of 128 HTK bands; librosa: 20 of 128 Slaney bands, another frame and another padding."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        check(mfcc(X), torchaudio.transforms.MFCC()(X))
    theirs = librosa.feature.mfcc(y=X.numpy(), sr=16_000, n_fft=512, hop_length=128)
    options = {"n_fft": 512, "hop_length": 128, "pad_mode": "constant", "norm": "slaney", "mel_scale": "slaney"}
    power = mel_spectrogram(X, **options)
    assert theirs.shape[0] == 20
    ours = dct_matrix(20, 128).T @ decibels(power, top_db=80.0)
    check_close("MFCC", ours, torch.from_numpy(theirs), 1e-3, 1e-3)  # librosa's filters are float32


def test_samples_beyond_the_frames() -> None:
    """torch adds zeros with a warning, librosa without one; ours refuses."""
    spectrum = stft(X, 64, 16)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        longer = torch.istft(spectrum, 64, 16, window=hann(64), length=2100)
    assert any("shorter than the length parameter" in str(w.message) for w in caught)
    assert not longer[2032:].any()
    assert len(librosa.istft(spectrum.numpy(), hop_length=16, length=2100)) == 2100
    with pytest.raises(ValueError, match="length must be from 1 to the 2032 samples that the frames reach, got 2100"):
        istft(spectrum, 64, 16, length=2100)


def test_samples_under_no_window() -> None:
    """librosa returns zeros there; torch and ours refuse."""
    spectrum = stft(X, 64, 64)
    theirs = librosa.istft(spectrum.numpy(), hop_length=64, length=1900)
    assert abs(theirs[32]) < 1e-12 < abs(X[32])
    with pytest.raises(RuntimeError, match="window overlap add min"):
        torch.istft(spectrum, 64, 64, window=hann(64), length=1900)
    with pytest.raises(ValueError, match="sample 32 cannot be known"):
        istft(spectrum, 64, 64, length=1900)


def test_random_phases_of_griffin_lim() -> None:
    """torchaudio draws only a quarter of the circle; librosa and ours draw all angles.

    Without an iteration, both return the inverse with their first phases z. With frames of two samples that do not
    overlap, and magnitudes 1 and 0, each sample is Re(z)/2.
    """
    torch.manual_seed(0)
    magnitudes, ones = torch.tensor([[1.0], [0.0]]).expand(2, 2000), torch.ones(2)
    by_torchaudio = 2 * torchaudio.functional.griffinlim(magnitudes, ones, 2, 2, 2, 1.0, 0, 0.0, None, rand_init=True)
    by_librosa = 2 * librosa.griffinlim(magnitudes.numpy(), n_iter=0, hop_length=2, window=np.ones(2), random_state=0)
    ours = random_phases(magnitudes, torch.Generator().manual_seed(0)).real
    assert (by_torchaudio >= 0).all()
    assert by_librosa.min() < -0.99 < 0.99 < by_librosa.max()
    assert ours.min() < -0.99 < 0.99 < ours.max()


def test_height_of_a_density() -> None:
    """scipy's spectrogram is a density by default, one-sided bins doubled; a plain |X|² is neither."""
    w = hann(64)
    *_, theirs = signal.spectrogram(X.numpy(), 8000.0, window=w.numpy(), nperseg=64, noverlap=48, detrend=False)
    ours = stft(X, 64, 16, center=False)
    check(density(ours, w, 64, 8000.0), torch.from_numpy(theirs))
    assert not close(ours.abs().square(), theirs)
