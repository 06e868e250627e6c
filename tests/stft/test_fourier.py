"""Equation → function → test

X_k = Σ x_m W^km               dft, fft          test_by_hand, test_equals_the_spec, test_equals_torch
n = n₁ n₂                      cooley_tukey      test_a_split_by_hand, test_every_split_is_the_same
km = (k² + m² − (k−m)²)/2      bluestein         test_bluestein_takes_any_length
X_{n−k} = conj X_k             rfft, mirrored    test_mirrored_by_hand, test_real_transforms_equal_torch
x_m = 1/n Σ X_k W^−km          ifft, irfft       test_equals_torch, test_there_and_back
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stft import fourier
from stft.fourier import (
    bluestein,
    cooley_tukey,
    dft,
    dft_matrix,
    dft_spec,
    fft,
    ifft,
    irfft,
    largest_factor,
    mirrored,
    rfft,
    roots_of_unity,
)
from tests.stft.checks import BATCHES, LENGTHS, check_equal, check_same, normal
from tests.stft.misconceptions import fourier as misconceptions
from tests.strategies import whole_tensors

DFT = "X_k = Σ_m x_m W_n^(km), W_n = e^(−2πi/n)"
BY_HAND = {  # x, X
    "an impulse holds all frequencies": ([1, 0, 0, 0, 0], [1, 1, 1, 1, 1]),
    "a constant holds only the lowest": ([2, 2, 2], [6, 0, 0]),
    "a delayed impulse turns the phases": ([0, 1, 0, 0], [1, -1j, -1, 1j]),
    "an alternation is the highest": ([1, -1, 1, -1], [0, 0, 4, 0]),
    "one to four": ([1, 2, 3, 4], [10, -2 + 2j, -2, -2 - 2j]),
    "a single sample is its own transform": ([7j], [7j]),
}


def check_by_hand(transform) -> None:
    for name, (x, expected) in BY_HAND.items():
        got = transform(torch.tensor(x, dtype=torch.complex128))
        check_equal(f"{DFT}\n  x = {x}: {name}", got, torch.tensor(expected, dtype=torch.complex128))


def check_float32(transform, n: int = 1000) -> None:
    """To 1e-5 of the largest bin, also where k·m is larger than float32 can hold exactly."""
    x = normal(3, n, dtype=torch.complex64)
    expected = torch.fft.fft(x.to(torch.complex128))
    largest = float(expected.abs().max())
    check_equal(f"{DFT}, in float32", transform(x), expected.to(torch.complex64), rtol=0, atol=1e-5 * largest)


def check_transform(transform, n: int, batch: tuple[int, ...] = (3,)) -> None:
    check_same(f"{DFT}, n = {n}", transform, torch.fft.fft, [normal(*batch, n, dtype=torch.complex128)])


def check_real_input(transform, n: int, batch: tuple[int, ...] = ()) -> None:
    check_same(f"{DFT}, of real x, n = {n}", transform, torch.fft.fft, [normal(*batch, n)])


def check_inverse_real(transform, n: int, batch: tuple[int, ...] = ()) -> None:
    """The reference is torch.fft.irfft, which also ignores the imaginary parts that a real signal cannot have."""
    bins = normal(*batch, n // 2 + 1, dtype=torch.complex128)
    equation = f"x_m = 1/n Σ_k X_k W_n^(−km), X_(n−k) = conj X_k, n = {n}"
    check_same(equation, lambda x: transform(x, n), lambda x: torch.fft.irfft(x, n), [bins])


@pytest.mark.parametrize("transform", [dft_spec, dft, fft, bluestein], ids=lambda function: function.__name__)
def test_by_hand(transform) -> None:
    check_by_hand(transform)


def test_a_split_by_hand() -> None:
    """n = 4 = 2·2: the inner sums are 4, 6 and −2, −2. The twiddle factor W₄ = −i turns the last one: −2, 2i."""
    got = cooley_tukey(torch.tensor([1, 2, 3, 4], dtype=torch.complex128), 2)
    check_equal("X_(k₁+n₁k₂) of x = 1, 2, 3, 4, n₁ = n₂ = 2", got, torch.tensor([10, -2 + 2j, -2, -2 - 2j]))


def test_mirrored_by_hand() -> None:
    """For even n the last bin has no mirror image, for odd n it has one. Bin 0 never has one."""
    even, odd = mirrored(torch.tensor([1, 2 + 3j, 4]), 4), mirrored(torch.tensor([1, 2 + 3j, 4 + 5j]), 5)
    check_equal("X_(n−k) = conj X_k, n = 4", even, torch.tensor([1, 2 + 3j, 4, 2 - 3j]))
    check_equal("X_(n−k) = conj X_k, n = 5", odd, torch.tensor([1, 2 + 3j, 4 + 5j, 4 - 5j, 2 - 3j]))


@given(n=st.integers(1, 8), data=st.data())
def test_equals_the_spec(n: int, data) -> None:
    x = torch.complex(data.draw(whole_tensors(n), label="real"), data.draw(whole_tensors(n), label="imaginary"))
    for transform in (dft, fft, bluestein):
        check_equal(DFT, transform(x), dft_spec(x))


@given(n1=st.integers(1, 9), n2=st.integers(1, 70))
def test_every_split_is_the_same(n1: int, n2: int) -> None:
    x = normal(2, n1 * n2, dtype=torch.complex128)
    check_equal(f"Cooley & Tukey with n₁ = {n1}, n₂ = {n2}", cooley_tukey(x, n1), dft(x))


@given(n=st.integers(1, 70))
def test_bluestein_takes_any_length(n: int) -> None:
    x = normal(2, n, dtype=torch.complex128)
    check_equal(f"Bluestein's convolution, n = {n}", bluestein(x), dft(x))


@given(n=LENGTHS)
def test_a_real_signal_has_a_mirrored_spectrum(n: int) -> None:
    spectrum = fft(normal(n))
    check_equal("X_(n−k) = conj X_k", spectrum[1:].flip(0), spectrum[1:].conj().resolve_conj())
    check_equal("X_(n−k) = conj X_k", mirrored(spectrum[: n // 2 + 1], n), spectrum)


@given(n=LENGTHS)
def test_parseval(n: int) -> None:
    x = normal(n, dtype=torch.complex128)
    check_equal("Σ|x|² = 1/n Σ|X|²", fft(x).abs().square().sum() / n, x.abs().square().sum())


@given(n=LENGTHS, a=st.integers(-3, 3), b=st.integers(-3, 3))
def test_linear(n: int, a: int, b: int) -> None:
    x, y = (normal(n, seed=seed, dtype=torch.complex128) for seed in (0, 1))
    check_equal("the DFT of ax + by is aX + bY", fft(a * x + b * y), a * fft(x) + b * fft(y))


@given(n=LENGTHS, shift=st.integers(-50, 50))
def test_a_shift_in_time_is_a_ramp_of_phase(n: int, shift: int) -> None:
    x = normal(n, dtype=torch.complex128)
    ramp = torch.polar(torch.ones(n), -2 * math.pi / n * (torch.arange(n) * shift % n))
    check_equal("the DFT of x_(m−s) is W_n^(ks) X_k", fft(x.roll(shift)), ramp * fft(x))


@given(n=st.integers(1, 12), data=st.data())
def test_a_product_of_spectra_is_a_circular_convolution(n: int, data) -> None:
    x, y = (data.draw(whole_tensors(n), label=name) for name in "xy")
    expected = torch.stack([x @ y[(s - torch.arange(n)) % n] for s in range(n)])
    check_equal("X_k Y_k is the DFT of Σ_m x_m y_(s−m)", irfft(rfft(x) * rfft(y), n), expected)


@given(n=LENGTHS, batch=BATCHES)
def test_there_and_back(n: int, batch) -> None:
    x, z = normal(*batch, n), normal(*batch, n, dtype=torch.complex128)
    check_equal("irfft(rfft(x)) = x", irfft(rfft(x), n), x)
    check_equal("ifft(fft(x)) = x", ifft(fft(z)), z)


@given(n=LENGTHS, batch=BATCHES)
def test_equals_torch(n: int, batch) -> None:
    """The reference is torch.fft.fft and torch.fft.ifft. Real input is taken too."""
    x = normal(*batch, n, dtype=torch.complex128)
    for ours, reference in ((dft, torch.fft.fft), (fft, torch.fft.fft), (ifft, torch.fft.ifft)):
        check_same(f"{ours.__name__}, n = {n}", ours, reference, [x])
    for ours in (dft, fft):
        check_real_input(ours, n, batch)


@given(n=LENGTHS, batch=BATCHES)
def test_real_transforms_equal_torch(n: int, batch) -> None:
    """The reference is torch.fft.rfft and torch.fft.irfft."""
    check_same(f"rfft, n = {n}", rfft, torch.fft.rfft, [normal(*batch, n)])
    check_inverse_real(irfft, n, batch)


@pytest.mark.parametrize("n", [1, 2, 64, 67, 1000, 1021, 1024, 2042, 4096, 4099, 2**15])
def test_long_transforms_stay_exact(n: int) -> None:
    x = normal(n, dtype=torch.complex128)
    expected = torch.fft.fft(x)
    check_equal(f"{DFT}, n = {n}", fft(x), expected, rtol=0, atol=1e-13 * float(expected.abs().max()))


@pytest.mark.parametrize("transform", [dft, fft])
@pytest.mark.parametrize("n", [7, 64, 211, 1000, 1021, 1024, 4096])
def test_float32(transform, n: int) -> None:
    check_float32(transform, n)


def test_roots_in_float32_are_the_exact_ones_rounded() -> None:
    """So the angles are computed in float64, also where the result is not."""
    exact, got = (roots_of_unity(4095, torch.zeros(1, dtype=dtype)) for dtype in (torch.float64, torch.float32))
    check_equal("W_n^m in float32, n = 4095", got, exact.to(torch.complex64), rtol=0, atol=0)


@pytest.mark.parametrize("n", [6, 67, 72, 521])
def test_gradients_of_gradients(n: int) -> None:
    """By finite differences, for each of the ways that a length can take; the last function is real."""
    x = normal(n, dtype=torch.complex128).requires_grad_()
    assert torch.autograd.gradcheck(fft, (x,), fast_mode=True)
    assert torch.autograd.gradgradcheck(lambda x: fft(x).abs().square().sum(), (x,), fast_mode=True)
    assert torch.autograd.gradcheck(rfft, (normal(n).requires_grad_(),), fast_mode=True)


@given(n=st.integers(1, 5000))
def test_the_largest_factor(n: int) -> None:
    factors = [d for d in range(1, 65) if n % d == 0 and d * d <= n]
    assert largest_factor(n) == max(factors), f"n = {n} has the factors {factors} up to 64 and up to its root"


def test_no_large_matrix(monkeypatch) -> None:
    """``fft`` needs no n × n matrix: at most 64 × 64, or 512 × 512 where n has no factors."""
    sizes = []
    monkeypatch.setattr(fourier, "dft_matrix", lambda n, like: sizes.append(n) or dft_matrix(n, like))
    for n, largest in ((65, 64), (67, 67), (509, 509), (521, 64), (1000, 64), (1021, 64), (2 * 509, 509), (4099, 64)):
        sizes.clear()
        fft(normal(n, dtype=torch.complex128))
        assert max(sizes) <= largest, f"n = {n}: a matrix of {max(sizes)} rows, more than {largest}"


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
            check_inverse_real(wrong, n)

    with pytest.raises(AssertionError):
        folder_tests()
