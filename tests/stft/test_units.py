"""What a spectrum's numbers mean → function → test

c_k |X| / Σw            amplitude      test_a_sine_reads_its_amplitude, test_amplitude_equals_scipy
c_k |X|² / (Σw)²        mean_square    test_a_sine_reads_its_amplitude, test_mean_square_equals_scipy
c_k |X|² / (f_s Σw²)    density        test_noise_reads_its_density, test_density_adds_up, test_density_equals_scipy
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal
from torch.testing import assert_close

from stft.transform import amplitude, density, frame, mean_square, stft
from stft.windows import blackman, hamming, hann
from tests.stft.checks import EXACT, check_same, normal

RATE = 8000.0  # Hz
WINDOWS = st.sampled_from([hann, hamming, blackman])
SIZES = st.integers(2, 40)


def sine(level: float, k: int, n: int) -> torch.Tensor:
    """Exactly on bin k."""
    return level * torch.sin(2 * torch.pi * k / n * torch.arange(5 * n) + 0.3)


@pytest.mark.parametrize("window", [hann, hamming, blackman])
@pytest.mark.parametrize("n", [32, 35])
def test_a_sine_reads_its_amplitude(window, n: int) -> None:
    w = window(n)
    spectrum = stft(sine(3.0, 6, n), n, window=w, center=False)
    assert_close(amplitude(spectrum, w, n)[6], torch.full((spectrum.shape[-1],), 3.0), rtol=1e-9, atol=0)
    assert_close(mean_square(spectrum, w, n)[6], torch.full((spectrum.shape[-1],), 4.5), rtol=1e-9, atol=0)


@pytest.mark.parametrize("n", [32, 35])
def test_what_has_no_mirror_image_counts_once(n: int) -> None:
    """A constant, and for even n the fastest alternation, read their own size."""
    w = hann(n)
    constant = stft(torch.full((4 * n,), -2.0), n, window=w, center=False)
    assert_close(amplitude(constant, w, n)[0], torch.full((constant.shape[-1],), 2.0), **EXACT)
    if n % 2 == 0:
        fastest = stft(2.0 * (-1.0) ** torch.arange(4 * n), n, window=w, center=False)
        assert_close(amplitude(fastest, w, n)[-1], torch.full((constant.shape[-1],), 2.0), **EXACT)


def scipy_spectrogram(x, w, hop: int, **options):
    n = len(w)
    *_, values = signal.spectrogram(
        x.numpy(), RATE, window=w.numpy(), nperseg=n, noverlap=n - hop, detrend=False, **options
    )
    return torch.from_numpy(values)


@given(n=SIZES, hop=st.integers(1, 40), window=WINDOWS)
def test_density_equals_scipy(n: int, hop: int, window) -> None:
    """The reference is scipy.signal.spectrogram with scaling "density"."""
    x, w, hop = normal(2, 130), window(n), min(hop, n)
    got = density(stft(x, n, hop, window=w, center=False), w, n, RATE)
    assert_close(got, scipy_spectrogram(x, w, hop, scaling="density", mode="psd"), **EXACT)


@given(n=SIZES, hop=st.integers(1, 40), window=WINDOWS)
def test_mean_square_equals_scipy(n: int, hop: int, window) -> None:
    """The reference is scipy.signal.spectrogram with scaling "spectrum"."""
    x, w, hop = normal(2, 130), window(n), min(hop, n)
    got = mean_square(stft(x, n, hop, window=w, center=False), w, n)
    assert_close(got, scipy_spectrogram(x, w, hop, scaling="spectrum", mode="psd"), **EXACT)


@given(n=SIZES, hop=st.integers(1, 40), window=WINDOWS)
def test_amplitude_equals_scipy(n: int, hop: int, window) -> None:
    """The reference is scipy.signal.spectrogram with mode "magnitude", which shows one half of a sine's amplitude."""
    x, w, hop = normal(2, 130), window(n), min(hop, n)
    got = amplitude(stft(x, n, hop, window=w, center=False), w, n)
    expected = scipy_spectrogram(x, w, hop, scaling="spectrum", mode="magnitude")
    expected[:, 1 : (n + 1) // 2] *= 2
    assert_close(got, expected, **EXACT)


@given(n=SIZES, window=WINDOWS)
def test_density_adds_up(n: int, window) -> None:
    """Parseval: the sum over the bins times their width is the mean square, weighted with the squared window."""
    x, w = normal(130), window(n)
    total = density(stft(x, n, 3, window=w, center=False), w, n, RATE).sum(0) * RATE / n
    assert_close(total, (frame(x, n, 3) * w).square().sum(-1) / w.square().sum(), **EXACT)


@pytest.mark.parametrize("window", [hann, blackman])
@pytest.mark.parametrize("n", [64, 256])
def test_noise_reads_its_density(window, n: int) -> None:
    """White noise of variance 9 at 8 kHz: 9 / 4000 per Hz, for any n and window. Mean over many bins."""
    w = window(n)
    spectrum = stft(3 * normal(400_000), n, n // 2, window=w, center=False)
    assert float(density(spectrum, w, n, RATE)[2:-2].mean()) == pytest.approx(9 / 4000, rel=0.01)


def test_float32_stays_float32() -> None:
    x, w = normal(300).float(), hann(32).float()
    spectrum = stft(x, 32, window=w)
    for got in (amplitude(spectrum, w, 32), mean_square(spectrum, w, 32), density(spectrum, w, 32, RATE)):
        assert got.dtype == torch.float32


@given(n=SIZES)
def test_gradients_arrive(n: int) -> None:
    w = hamming(n)
    check_same(
        lambda x: density(stft(x, n, 3, center=False, window=w), w, n, RATE).sum() * RATE / n,
        lambda x: ((frame(x, n, 3) * w).square().sum(-1) / w.square().sum()).sum(),
        [normal(60)],
    )


@pytest.mark.parametrize("rate", [0.0, -1.0, float("inf"), float("nan")])
def test_a_sample_rate_that_is_none(rate: float) -> None:
    with pytest.raises(ValueError, match=f"sample_rate must be positive and finite, got {rate}"):
        density(torch.zeros(3, 2, dtype=torch.complex128), hann(4), 4, rate)


@pytest.mark.parametrize("reading", [amplitude, mean_square, lambda *given: density(*given, RATE)])
def test_a_spectrum_of_another_size(reading) -> None:
    with pytest.raises(ValueError, match="the spectrum must have 4 bins for n_fft 6, got 3"):
        reading(torch.zeros(3, 2, dtype=torch.complex128), hann(6), 6)
