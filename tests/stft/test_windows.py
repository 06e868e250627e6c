"""Equation → function → test

w_m = Σ (−1)^j a_j cos(2πjm/N)     cosine_sum, hann, …     test_by_hand, test_equals_scipy
width, level and loss (Harris)     beyond.leakage          test_lobes_of_long_windows, test_scalloping_in_closed_form
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal
from torch.testing import assert_close

from stft.extensions.kaiser import kaiser, kaiser_beta
from stft.leakage import main_lobe_width, response, scalloping_loss, side_lobe_level
from stft.windows import WINDOWS, blackman, hamming, hann, rectangular
from tests.stft.checks import EXACT
from tests.stft.misconceptions import windows as misconceptions

NAMES = {"rectangular": "boxcar", "hann": "hann", "hamming": "hamming", "blackman": "blackman"}  # ours: scipy's
BY_HAND = [
    (rectangular, 3, True, [1, 1, 1]),
    (hann, 4, True, [0, 1 / 2, 1, 1 / 2]),
    (hann, 5, False, [0, 1 / 2, 1, 1 / 2, 0]),
    (hann, 3, True, [0, 3 / 4, 3 / 4]),
    (hamming, 4, True, [0.08, 0.54, 1, 0.54]),
    (hamming, 5, False, [0.08, 0.54, 1, 0.54, 0.08]),
    (blackman, 4, True, [0, 0.34, 1, 0.34]),
    (blackman, 5, False, [0, 0.34, 1, 0.34, 0]),
    *((window, 1, periodic, [1]) for window in (rectangular, hann, hamming, blackman) for periodic in (True, False)),
]


def check_equals_scipy(candidate, name: str, n: int) -> None:
    for periodic in (True, False):
        expected = torch.from_numpy(signal.get_window(name, n, fftbins=periodic))
        assert_close(candidate(n, periodic), expected, **EXACT)


@pytest.mark.parametrize(("window", "n", "periodic", "expected"), BY_HAND)
def test_by_hand(window, n: int, periodic: bool, expected) -> None:
    assert_close(window(n, periodic), torch.tensor(expected, dtype=torch.float64), **EXACT)


@pytest.mark.parametrize("name", WINDOWS)
@given(n=st.integers(1, 600))
def test_equals_scipy(name: str, n: int) -> None:
    """The reference is scipy.signal.get_window; at one sample all of them agree on 1."""
    check_equals_scipy(WINDOWS[name], NAMES[name], n)


@given(n=st.integers(1, 300), beta=st.one_of(st.just(0.0), st.floats(1e-3, 40)))
def test_kaiser_equals_scipy(n: int, beta: float) -> None:
    """The reference is scipy.signal.windows.kaiser."""
    check_equals_scipy(lambda n, periodic: kaiser(n, beta, periodic), ("kaiser", beta), n)


@given(attenuation=st.floats(0, 200))
def test_kaisers_beta_equals_scipy(attenuation: float) -> None:
    """The reference is scipy.signal.kaiser_beta."""
    assert kaiser_beta(attenuation) == pytest.approx(signal.kaiser_beta(attenuation), rel=1e-12, abs=1e-12)


def test_kaisers_default_is_torchs() -> None:
    assert_close(kaiser(9), torch.kaiser_window(9), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("window", [rectangular(2), hann(3), hann(4)])
def test_a_window_that_is_all_main_lobe(window) -> None:
    with pytest.raises(ValueError, match=f"a window of {len(window)} samples like this one has no side lobe"):
        side_lobe_level(window)


def test_kaiser_of_beta_0_is_rectangular_and_more_is_narrower() -> None:
    assert_close(kaiser(9, 0.0), rectangular(9), **EXACT)
    widths = [main_lobe_width(kaiser(512, beta)) for beta in (0.0, 3.0, 6.0, 9.0)]
    levels = [side_lobe_level(kaiser(512, beta)) for beta in (0.0, 3.0, 6.0, 9.0)]
    assert widths == sorted(set(widths))
    assert levels == sorted(set(levels), reverse=True)


@pytest.mark.parametrize("beta", [1.0, 4.0, 8.0])
def test_kaisers_main_lobe_in_closed_form(beta: float) -> None:
    r"""The first zero of Kaiser's transform lies at :math:`\sqrt{1 + (\beta/\pi)^2}` bins."""
    expected = 2 * math.sqrt(1 + (beta / math.pi) ** 2)
    assert main_lobe_width(kaiser(1024, beta, periodic=False)) == pytest.approx(expected, abs=0.04)


@given(n=st.integers(2, 300), name=st.sampled_from(list(WINDOWS)))
def test_periodic_is_symmetric_without_its_last(n: int, name: str) -> None:
    window = WINDOWS[name]
    assert_close(window(n), window(n + 1, periodic=False)[:-1], **EXACT)
    assert_close(window(n, periodic=False), window(n, periodic=False).flip(0), **EXACT)


@pytest.mark.parametrize(
    ("window", "width", "level", "loss"),
    [  # Harris 1978, table 1: from zero to zero in bins, dB, dB
        (rectangular, 2, -13, 3.92),
        (hann, 4, -32, 1.42),
        (hamming, 4, -43, 1.78),
        (blackman, 6, -58, 1.10),
    ],
)
def test_lobes_of_long_windows(window, width: float, level: float, loss: float) -> None:
    """His Hamming is the exact one, whose loss is 0.03 dB more; ours has 0.54."""
    w = window(4096)
    assert main_lobe_width(w) == pytest.approx(width, abs=0.04)
    assert side_lobe_level(w) == pytest.approx(level, abs=0.55)
    assert scalloping_loss(w) == pytest.approx(loss, abs=0.035)


@pytest.mark.parametrize(
    ("window", "coefficients"), [(rectangular, [1]), (hann, [0.5, 0.5]), (hamming, [0.54, 0.46])]
)  # fmt: skip
def test_scalloping_in_closed_form(window, coefficients) -> None:
    r"""Half a bin beside the tone: a_0 sinc(½) + a_1/2 (sinc(½) + sinc(3/2)), sinc(½) = 2/π, sinc(3/2) = −2/3π."""
    a0, a1 = [*coefficients, 0][:2]
    ratio = (a0 * 2 / math.pi + a1 / 2 * (2 / math.pi - 2 / (3 * math.pi))) / a0
    assert scalloping_loss(window(2**14)) == pytest.approx(-20 * math.log10(ratio), abs=1e-6)


def test_rectangular_leaks_as_dirichlet_says() -> None:
    r"""|W(f)| = |sin(πf) / (n sin(πf/n))|: the first side lobe lies at −13.26 dB."""
    n = 64
    f = torch.arange(64 * n // 2 + 1) / 64
    expected = (torch.sin(math.pi * f[1:]) / (n * torch.sin(math.pi * f[1:] / n))).abs()
    assert_close(response(rectangular(n))[1:], expected, rtol=1e-9, atol=1e-12)
    assert side_lobe_level(rectangular(4096)) == pytest.approx(-13.26, abs=0.01)


def test_why_hamming() -> None:
    """As narrow as Hann, its highest side lobe 11 dB lower; but far away Hann's have fallen and Hamming's have not."""
    hann_, hamming_ = hann(4096), hamming(4096)
    assert main_lobe_width(hann_) == pytest.approx(main_lobe_width(hamming_), abs=0.04)
    assert side_lobe_level(hamming_) < side_lobe_level(hann_) - 11
    far = slice(64 * 50, 64 * 51)  # around 50 bins away
    assert response(hann_)[far].max() < response(hamming_)[far].max() / 50


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: hann(0), "n must be at least 1, got 0"),
        (lambda: kaiser(0, 1.0), "n must be at least 1, got 0"),
        (lambda: kaiser(4, -1.0), "beta must be 0 or more and finite, got -1.0"),
        (lambda: kaiser(4, math.inf), "beta must be 0 or more and finite, got inf"),
        (lambda: kaiser_beta(-1.0), "attenuation must be 0 or more and finite, got -1.0"),
        (lambda: response(torch.tensor([1.0, -1.0])), "window must not sum to 0"),
    ],
)
def test_wrong_input_is_named(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


def test_the_default_dtype_decides() -> None:
    torch.set_default_dtype(torch.float32)
    try:
        assert {hann(4).dtype, kaiser(4, 1.0).dtype} == {torch.float32}
        assert_close(hann(7), torch.from_numpy(signal.get_window("hann", 7)).float(), rtol=1e-7, atol=1e-7)
    finally:
        torch.set_default_dtype(torch.float64)


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for n in (1, 2, 7, 8):
            check_equals_scipy(wrong, misconceptions.ALL[wrong], n)

    with pytest.raises(AssertionError):
        folder_tests()
