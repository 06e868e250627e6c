"""Equation → function → test

w_m = Σ (−1)^j a_j cos(2πjm/N)     cosine_sum, hann, …     test_by_hand, test_equals_scipy
width, level and loss (Harris)     main_lobe_width, …      test_lobes_of_long_windows, test_scalloping_in_closed_form
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from stft.windows import (
    WINDOWS,
    blackman,
    hamming,
    hann,
    main_lobe_edge,
    main_lobe_width,
    rectangular,
    response,
    scalloping_loss,
    side_lobe_level,
)
from tests.stft.checks import check_equal
from tests.stft.misconceptions import windows as misconceptions

SUM = "w_m = Σ_j (−1)^j a_j cos(2πjm/N)"
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
        check_equal(f"{SUM}: {name}, n = {n}, periodic = {periodic}", candidate(n, periodic), expected)


@pytest.mark.parametrize(("window", "n", "periodic", "expected"), BY_HAND)
def test_by_hand(window, n: int, periodic: bool, expected) -> None:
    equation = f"{SUM}: {window.__name__}, n = {n}, periodic = {periodic}"
    check_equal(equation, window(n, periodic), torch.tensor(expected, dtype=torch.float64))


def test_response_by_hand() -> None:
    """w = 3, −1 has W(0) = 2 and W(1 bin) = 4: the response is relative to W(0), not to the largest |W|."""
    check_equal("|W(f)| / |W(0)| at 0 and 1 bin", response(torch.tensor([3.0, -1]), 1), torch.tensor([1.0, 2]))


@pytest.mark.parametrize("name", WINDOWS)
@given(n=st.integers(1, 600))
def test_equals_scipy(name: str, n: int) -> None:
    """The reference is scipy.signal.get_window; at one sample all of them agree on 1."""
    check_equals_scipy(WINDOWS[name], NAMES[name], n)


@pytest.mark.parametrize("name", WINDOWS)
def test_in_float32_a_window_is_the_exact_one_rounded(name: str, float32) -> None:
    """So the angles are computed in float64, also where the result is not."""
    expected = torch.from_numpy(signal.get_window(NAMES[name], 4095)).float()
    check_equal(f"{SUM}: {name}, n = 4095, float32", WINDOWS[name](4095), expected, rtol=1e-7, atol=1e-15)


@given(n=st.integers(2, 300), name=st.sampled_from(list(WINDOWS)))
def test_periodic_is_symmetric_without_its_last(n: int, name: str) -> None:
    window = WINDOWS[name]
    check_equal(f"{name}: periodic = symmetric without its last sample", window(n), window(n + 1, periodic=False)[:-1])
    check_equal(f"{name}: w_m = w_(n−1−m)", window(n, periodic=False), window(n, periodic=False).flip(0))


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
    """Harris has the exact Hamming window, which loses 0.03 dB more than ours with 0.54."""
    w = window(4096)
    assert main_lobe_width(w) == pytest.approx(width, abs=0.04)
    assert side_lobe_level(w) == pytest.approx(level, abs=0.55)
    assert scalloping_loss(w) == pytest.approx(loss, abs=0.035)


@pytest.mark.parametrize(
    ("window", "coefficients"), [(rectangular, [1]), (hann, [0.5, 0.5]), (hamming, [0.54, 0.46])]
)  # fmt: skip
def test_scalloping_in_closed_form(window, coefficients) -> None:
    """Half a bin from the tone: a₀ sinc(½) + a₁/2 (sinc(½) + sinc(3/2)), sinc(½) = 2/π, sinc(3/2) = −2/(3π).

    So Hann's response there is 8/(3π), and that of the rectangular window 2/π.
    """
    a0, a1 = [*coefficients, 0][:2]
    ratio = (a0 * 2 / math.pi + a1 / 2 * (2 / math.pi - 2 / (3 * math.pi))) / a0
    assert scalloping_loss(window(2**14)) == pytest.approx(-20 * math.log10(ratio), abs=1e-6)


@pytest.mark.parametrize(("levels", "edge"), [([4, 2, 1, 3, 1, 2], 2), ([4, 2, 2, 1], 1), ([3, 2, 1], 2)])
def test_the_edge_of_the_main_lobe_by_hand(levels: list[int], edge: int) -> None:
    """The first point behind which the level does not fall; the last point if it always falls."""
    assert main_lobe_edge(torch.tensor(levels, dtype=torch.float64)) == edge


def test_a_window_of_zeros_has_no_response() -> None:
    with pytest.raises(ValueError, match=r"window must not sum to 0, got 0\.0e"):
        response(torch.zeros(3))


def test_rectangular_leaks_as_dirichlet_says() -> None:
    r"""|W(f)| = |sin(πf) / (n sin(πf/n))|: the first side lobe lies at −13.26 dB."""
    n = 64
    f = torch.arange(64 * n // 2 + 1) / 64
    expected = (torch.sin(math.pi * f[1:]) / (n * torch.sin(math.pi * f[1:] / n))).abs()
    check_equal("|W(f)| = |sin(πf) / (n sin(πf/n))|", response(rectangular(n))[1:], expected, rtol=1e-9, atol=1e-12)
    assert side_lobe_level(rectangular(4096)) == pytest.approx(-13.26, abs=0.01)


def test_why_hamming() -> None:
    """As narrow as Hann, with a highest side lobe 11 dB lower. But far away Hann's side lobes are lower."""
    hann_, hamming_ = hann(4096), hamming(4096)
    assert main_lobe_width(hann_) == pytest.approx(main_lobe_width(hamming_), abs=0.04)
    assert side_lobe_level(hamming_) < side_lobe_level(hann_) - 11
    far = slice(64 * 50, 64 * 51)  # around 50 bins away
    assert response(hann_)[far].max() < response(hamming_)[far].max() / 50


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for n in (1, 2, 7, 8):
            check_equals_scipy(wrong, misconceptions.ALL[wrong], n)

    with pytest.raises(AssertionError):
        folder_tests()
