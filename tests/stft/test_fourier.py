"""Equation → function → test

X_k = Σ x_m W^km               dft, fft          test_by_hand, test_equals_the_spec, test_equals_torch
n = n₁ n₂                      cooley_tukey      test_every_split_is_the_same
km = (k² + m² − (k−m)²)/2      bluestein         test_bluestein_takes_any_length
X_{n−k} = conj X_k             rfft, mirrored    test_real_transforms_equal_torch
x_m = 1/n Σ X_k W^−km          ifft, irfft       test_equals_torch, test_there_and_back
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from stft import fourier
from stft.fourier import bluestein, cooley_tukey, dft, dft_matrix, dft_spec, fft, ifft, irfft, largest_factor, rfft
from tests.stft.checks import BATCHES, EXACT, LENGTHS, check_same, normal
from tests.stft.misconceptions import fourier as misconceptions
from tests.strategies import whole_tensors

BY_HAND = {  # x, X
    "an impulse holds all frequencies": ([1, 0, 0, 0, 0], [1, 1, 1, 1, 1]),
    "a constant only the lowest": ([2, 2, 2], [6, 0, 0]),
    "a delayed impulse turns": ([0, 1, 0, 0], [1, -1j, -1, 1j]),
    "an alternation is the highest": ([1, -1, 1, -1], [0, 0, 4, 0]),
    "one to four": ([1, 2, 3, 4], [10, -2 + 2j, -2, -2 - 2j]),
    "a single sample is its own transform": ([7j], [7j]),
}


def check_by_hand(candidate) -> None:
    for name, (x, expected) in BY_HAND.items():
        got = candidate(torch.tensor(x, dtype=torch.complex128))
        assert_close(got, torch.tensor(expected, dtype=torch.complex128), **EXACT, msg=lambda m, name=name: name + m)


def check_float32(candidate, n: int = 1000) -> None:
    """To a part of 1e-5 of the largest bin: also where k·m is far beyond what float32 holds exactly."""
    x = normal(3, n, dtype=torch.complex64)
    expected = torch.fft.fft(x.to(torch.complex128))
    got = candidate(x)
    assert got.dtype == torch.complex64
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()


def check_transform(candidate, n: int, batch: tuple[int, ...] = (3,)) -> None:
    check_same(candidate, torch.fft.fft, [normal(*batch, n, dtype=torch.complex128)])


@pytest.mark.parametrize("transform", [dft_spec, dft, fft, bluestein], ids=lambda function: function.__name__)
def test_by_hand(transform) -> None:
    check_by_hand(transform)


@given(n=st.integers(1, 8), data=st.data())
def test_equals_the_spec(n: int, data) -> None:
    x = torch.complex(data.draw(whole_tensors(n), label="real"), data.draw(whole_tensors(n), label="imaginary"))
    for transform in (dft, fft, bluestein):
        assert_close(transform(x), dft_spec(x), **EXACT)


@given(n=LENGTHS, batch=BATCHES)
def test_equals_torch(n: int, batch) -> None:
    """The reference is torch.fft.fft and torch.fft.ifft."""
    x = normal(*batch, n, dtype=torch.complex128)
    for ours, reference in ((dft, torch.fft.fft), (fft, torch.fft.fft), (ifft, torch.fft.ifft)):
        check_same(ours, reference, [x])


@given(n=LENGTHS, batch=BATCHES)
def test_real_input_is_taken_too(n: int, batch) -> None:
    for ours in (dft, fft):
        check_same(ours, torch.fft.fft, [normal(*batch, n)])


@given(n=LENGTHS, batch=BATCHES)
def test_real_transforms_equal_torch(n: int, batch) -> None:
    """The reference is torch.fft.rfft and torch.fft.irfft, also for the imaginary parts that cannot be."""
    check_same(rfft, torch.fft.rfft, [normal(*batch, n)])
    bins = normal(*batch, n // 2 + 1, dtype=torch.complex128)
    check_same(lambda x: irfft(x, n), lambda x: torch.fft.irfft(x, n), [bins])


@pytest.mark.parametrize("n", [1, 2, 64, 67, 1000, 1021, 1024, 2042, 4096, 4099, 2**15])
def test_long_transforms_stay_exact(n: int) -> None:
    x = normal(n, dtype=torch.complex128)
    expected = torch.fft.fft(x)
    assert (fft(x) - expected).abs().max() <= 1e-13 * expected.abs().max()


@pytest.mark.parametrize("transform", [dft, fft])
@pytest.mark.parametrize("n", [7, 64, 211, 1000, 1021, 1024, 4096])
def test_float32(transform, n: int) -> None:
    check_float32(transform, n)


@pytest.mark.parametrize("n", [6, 67, 72, 521])
def test_gradients_of_gradients(n: int) -> None:
    """By finite differences, on each of the ways that a length can take; the last is real and packed."""
    x = normal(n, dtype=torch.complex128).requires_grad_()
    assert torch.autograd.gradcheck(fft, (x,), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x: fft(x).abs().square().sum(), (x,), fast_mode=True)
    assert torch.autograd.gradcheck(rfft, (normal(n).requires_grad_(),), fast_mode=True)


@given(n1=st.integers(1, 9), n2=st.integers(1, 70))
def test_every_split_is_the_same(n1: int, n2: int) -> None:
    x = normal(2, n1 * n2, dtype=torch.complex128)
    assert_close(cooley_tukey(x, n1), dft(x), **EXACT)


@given(n=st.integers(1, 70))
def test_bluestein_takes_any_length(n: int) -> None:
    x = normal(2, n, dtype=torch.complex128)
    assert_close(bluestein(x), dft(x), **EXACT)


@given(n=st.integers(1, 5000))
def test_the_largest_factor(n: int) -> None:
    d = largest_factor(n)
    assert n % d == 0
    assert d * d <= n
    assert d <= 64
    assert not any(n % larger == 0 for larger in range(d + 1, 65) if larger * larger <= n)


def test_the_fast_way_is_the_fast_way(monkeypatch) -> None:
    """No matrix is larger than 64 × 64, or than 512 × 512 where there are no factors; so it is not n² operations."""
    sizes = []
    monkeypatch.setattr(fourier, "dft_matrix", lambda n, like: sizes.append(n) or dft_matrix(n, like))
    for n, largest in ((65, 64), (67, 67), (509, 509), (521, 64), (1000, 64), (1021, 64), (2 * 509, 509), (4099, 64)):
        sizes.clear()
        fft(normal(n, dtype=torch.complex128))
        assert max(sizes) <= largest, n


@given(n=LENGTHS)
def test_parseval(n: int) -> None:
    """Σ|x|² = 1/n Σ|X|²: nothing is lost."""
    x = normal(n, dtype=torch.complex128)
    assert_close(fft(x).abs().square().sum() / n, x.abs().square().sum(), **EXACT)


@given(n=LENGTHS, a=st.integers(-3, 3), b=st.integers(-3, 3))
def test_linear(n: int, a: int, b: int) -> None:
    x, y = (normal(n, seed=seed, dtype=torch.complex128) for seed in (0, 1))
    assert_close(fft(a * x + b * y), a * fft(x) + b * fft(y), **EXACT)


@given(n=LENGTHS, shift=st.integers(-50, 50))
def test_a_shift_in_time_is_a_ramp_of_phase(n: int, shift: int) -> None:
    r"""x_{m−s} ↔ W^{ks} X_k."""
    x = normal(n, dtype=torch.complex128)
    ramp = torch.polar(torch.ones(n), -2 * math.pi / n * (torch.arange(n) * shift % n))
    assert_close(fft(x.roll(shift)), ramp * fft(x), **EXACT)


@given(n=LENGTHS)
def test_a_real_signal_has_a_mirrored_spectrum(n: int) -> None:
    spectrum = fft(normal(n))
    assert_close(spectrum[1:].flip(0), spectrum[1:].conj().resolve_conj(), **EXACT)
    assert_close(fourier.mirrored(spectrum[: n // 2 + 1], n), spectrum, **EXACT)


@given(n=st.integers(1, 12), data=st.data())
def test_a_product_of_spectra_is_a_circular_convolution(n: int, data) -> None:
    x, y = (data.draw(whole_tensors(n), label=name) for name in "xy")
    expected = torch.stack([sum(x[m] * y[(s - m) % n] for m in range(n)) for s in range(n)])
    assert_close(irfft(rfft(x) * rfft(y), n), expected, **EXACT)


@given(n=LENGTHS, batch=BATCHES)
def test_there_and_back(n: int, batch) -> None:
    x, z = normal(*batch, n), normal(*batch, n, dtype=torch.complex128)
    assert_close(irfft(rfft(x), n), x, **EXACT)
    assert_close(ifft(fft(z)), z, **EXACT)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: fft(torch.zeros(3, 0)), r"x must have samples in its last dimension, got shape \(3, 0\)"),
        (lambda: dft(torch.zeros(3, dtype=torch.int64)), "x must be of float32 or .* or complex128, got torch.int64"),
        (lambda: rfft(torch.zeros(3, 0)), r"x must have samples in its last dimension, got shape \(3, 0\)"),
        (lambda: rfft(torch.zeros(3, dtype=torch.complex64)), "x must be of float32 or float64, .*complex64"),
        (lambda: rfft(torch.zeros(3, dtype=torch.int64)), "x must be of float32 or float64, got torch.int64"),
        (lambda: irfft(torch.zeros(3, dtype=torch.complex64), 7), "7 real samples must have 4 bins, got 3"),
        (lambda: irfft(torch.zeros(1, dtype=torch.complex64), 0), "n must be at least 1, got 0"),
        (lambda: dft_matrix(-1, torch.zeros(1)), "n must be at least 1, got -1"),
    ],
)  # fmt: skip
def test_wrong_input_is_named(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.parametrize("wrong", misconceptions.FORWARD, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_by_hand(wrong)
        for n in (6, 67, 72, 521):
            check_transform(wrong, n)
        check_float32(wrong)

    with pytest.raises(AssertionError):
        folder_tests()


@pytest.mark.parametrize("wrong", misconceptions.INVERSE_REAL, ids=lambda function: function.__name__)
def test_misconception_about_the_inverse_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for n in (6, 7):
            bins = normal(n // 2 + 1, dtype=torch.complex128)
            check_same(lambda x, n=n: wrong(x, n), lambda x, n=n: torch.fft.irfft(x, n), [bins])

    with pytest.raises(AssertionError):
        folder_tests()
