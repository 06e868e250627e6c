"""Unit → function → test

|X|^p                   magnitude_to_power    test_power_by_hand
c_k |X| / Σw            amplitude      test_a_sine_reads_its_amplitude, test_amplitude_equals_scipy
c_k |X|² / (Σw)²        mean_square    test_a_sine_reads_its_amplitude, test_mean_square_equals_scipy
c_k |X|² / (f_s Σw²)    density        test_noise_reads_its_density, test_density_adds_up, test_density_equals_scipy
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from stft.extensions.fast import stft
from stft.transform import frame
from stft.units import amplitude, density, magnitude_to_power, mean_square
from stft.windows import blackman, hamming, hann
from tests.stft.checks import check_equal, check_same, normal

RATE = 8000.0  # Hz
WINDOWS = st.sampled_from([hann, hamming, blackman])
SIZES = st.integers(2, 40)


def sine(level: float, k: int, n: int) -> torch.Tensor:
    """Exactly on bin k."""
    return level * torch.sin(2 * torch.pi * k / n * torch.arange(5 * n) + 0.3)


def test_power_by_hand() -> None:
    z = torch.tensor([3 + 4j, -2j, 0])
    check_equal("|X|²", magnitude_to_power(z), torch.tensor([25.0, 4, 0]))
    check_equal("|X|", magnitude_to_power(z, 1), torch.tensor([5.0, 2, 0]))
    check_equal("|X|³", magnitude_to_power(z, 3), torch.tensor([125.0, 8, 0]))


@pytest.mark.parametrize("window", [hann, hamming, blackman])
@pytest.mark.parametrize("n", [32, 35])
def test_a_sine_reads_its_amplitude(window, n: int) -> None:
    w = window(n)
    spectrum = stft(sine(3.0, 6, n), n, window=w, center=False)
    level, power = torch.full((spectrum.shape[-1],), 3.0), torch.full((spectrum.shape[-1],), 4.5)
    check_equal("c_k |X_k| / Σw = A = 3 on the sine's bin", amplitude(spectrum, w, n)[6], level, rtol=1e-9)
    check_equal("c_k |X_k|² / (Σw)² = A²/2 on the sine's bin", mean_square(spectrum, w, n)[6], power, rtol=1e-9)


@pytest.mark.parametrize("n", [32, 35])
def test_bins_without_a_mirror_image_count_once(n: int) -> None:
    """A constant, and for even n the fastest alternation, read their own size."""
    w = hann(n)
    constant = stft(torch.full((4 * n,), -2.0), n, window=w, center=False)
    level = torch.full((constant.shape[-1],), 2.0)
    check_equal("c_0 = 1: a constant −2 reads 2", amplitude(constant, w, n)[0], level)
    if n % 2 == 0:
        fastest = stft(2.0 * (-1.0) ** torch.arange(4 * n), n, window=w, center=False)
        check_equal("c_(n/2) = 1: an alternation of ±2 reads 2", amplitude(fastest, w, n)[-1], level)


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
    check_equal("c_k |X_k|² / (f_s Σw²)", got, scipy_spectrogram(x, w, hop, scaling="density", mode="psd"))


@given(n=SIZES, hop=st.integers(1, 40), window=WINDOWS)
def test_mean_square_equals_scipy(n: int, hop: int, window) -> None:
    """The reference is scipy.signal.spectrogram with scaling "spectrum"."""
    x, w, hop = normal(2, 130), window(n), min(hop, n)
    got = mean_square(stft(x, n, hop, window=w, center=False), w, n)
    check_equal("c_k |X_k|² / (Σw)²", got, scipy_spectrogram(x, w, hop, scaling="spectrum", mode="psd"))


@given(n=SIZES, hop=st.integers(1, 40), window=WINDOWS)
def test_amplitude_equals_scipy(n: int, hop: int, window) -> None:
    """The reference is scipy.signal.spectrogram with mode "magnitude", which reads half of a sine's amplitude."""
    x, w, hop = normal(2, 130), window(n), min(hop, n)
    got = amplitude(stft(x, n, hop, window=w, center=False), w, n)
    expected = scipy_spectrogram(x, w, hop, scaling="spectrum", mode="magnitude")
    expected[:, 1 : (n + 1) // 2] *= 2
    check_equal("c_k |X_k| / Σw", got, expected)


@given(n=SIZES, window=WINDOWS)
def test_density_adds_up(n: int, window) -> None:
    """Parseval: the sum over the bins times their width is the mean square, weighted with the squared window."""
    x, w = normal(130), window(n)
    total = density(stft(x, n, 3, window=w, center=False), w, n, RATE).sum(0) * RATE / n
    expected = (frame(x, n, 3) * w).square().sum(-1) / w.square().sum()
    check_equal("f_s/n Σ_k density = Σ_m (w_m x_m)² / Σ w²", total, expected)


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
        "f_s/n Σ_k density = Σ_m (w_m x_m)² / Σ w²",
        lambda x: density(stft(x, n, 3, center=False, window=w), w, n, RATE).sum() * RATE / n,
        lambda x: ((frame(x, n, 3) * w).square().sum(-1) / w.square().sum()).sum(),
        [normal(60)],
    )
