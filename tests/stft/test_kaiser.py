"""Equation → function → test

I₀(β √(1 − (2m/N − 1)²)) / I₀(β)     kaiser          test_equals_scipy, test_beta_0_is_rectangular
main lobe √(1 + (β/π)²)              kaiser          test_main_lobe_in_closed_form
Kaiser's fit of β                    kaiser_beta     test_beta_equals_scipy
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from stft.extensions.kaiser import kaiser, kaiser_beta
from stft.windows import blackman, hamming, main_lobe_width, rectangular, side_lobe_level
from tests.stft.checks import check_equal

KAISER = "w_m = I₀(β √(1 − (2m/N − 1)²)) / I₀(β)"


def test_beta_0_is_rectangular() -> None:
    check_equal(f"{KAISER}, β = 0", kaiser(9, 0.0), rectangular(9))


def test_the_middle_is_1_and_the_end_is_1_over_the_bessel_function() -> None:
    """The root is 1 in the middle and 0 at the ends, and I₀(0) = 1. I₀(1) = 1.2660658…"""
    expected = torch.tensor([1 / 1.2660658777520084, 1, 1 / 1.2660658777520084])
    check_equal(f"{KAISER}, β = 1", kaiser(3, 1.0, periodic=False), expected)


@pytest.mark.parametrize("beta", [1.0, 4.0, 8.0])
def test_main_lobe_in_closed_form(beta: float) -> None:
    """The first zero of the window's transform is at √(1 + (β/π)²) bins."""
    expected = 2 * math.sqrt(1 + (beta / math.pi) ** 2)
    assert main_lobe_width(kaiser(1024, beta, periodic=False)) == pytest.approx(expected, abs=0.04)


@pytest.mark.parametrize(
    ("window", "same_width", "same_level", "level"),
    [(hamming, math.pi * math.sqrt(3), 5.84, -40), (blackman, math.pi * math.sqrt(8), 7.93, -65)],
)
def test_which_beta_is_like_hamming_or_blackman(window, same_width: float, same_level: float, level: float) -> None:
    """Either the main lobe or the highest side lobe can match, not both with one β."""
    w = window(4096, periodic=False)
    as_wide, as_low = kaiser(4096, same_width, periodic=False), kaiser(4096, same_level, periodic=False)
    assert main_lobe_width(as_wide) == pytest.approx(main_lobe_width(w), abs=0.04)
    assert side_lobe_level(as_wide) == pytest.approx(level, abs=0.5)
    assert side_lobe_level(as_low) == pytest.approx(side_lobe_level(w), abs=0.05)
    assert abs(main_lobe_width(as_low) - main_lobe_width(w)) > 0.2


def test_a_larger_beta_is_wider_and_lower() -> None:
    widths = [main_lobe_width(kaiser(512, beta)) for beta in (0.0, 3.0, 6.0, 9.0)]
    levels = [side_lobe_level(kaiser(512, beta)) for beta in (0.0, 3.0, 6.0, 9.0)]
    assert widths == sorted(set(widths))
    assert levels == sorted(set(levels), reverse=True)


@given(n=st.integers(1, 300), beta=st.one_of(st.just(0.0), st.floats(1e-3, 40)))
def test_equals_scipy(n: int, beta: float) -> None:
    """The reference is scipy.signal.windows.kaiser."""
    for periodic in (True, False):
        expected = torch.from_numpy(signal.get_window(("kaiser", beta), n, fftbins=periodic))
        check_equal(f"{KAISER}, n = {n}, β = {beta}, periodic = {periodic}", kaiser(n, beta, periodic), expected)


@given(attenuation=st.floats(0, 200))
def test_beta_equals_scipy(attenuation: float) -> None:
    """The reference is scipy.signal.kaiser_beta."""
    assert kaiser_beta(attenuation) == pytest.approx(signal.kaiser_beta(attenuation), rel=1e-12, abs=1e-12)


def test_the_default_is_torchs() -> None:
    check_equal(f"{KAISER}, β = 12", kaiser(9), torch.kaiser_window(9), rtol=1e-9, atol=1e-12)
