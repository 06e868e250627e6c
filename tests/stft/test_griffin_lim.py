"""Equation → function → test

C_i, T_i (Perraudin et al.)     griffin_lim              test_equals_torchaudio, test_two_iterations_by_hand
no step is further away         spectral_convergence     test_never_further_away, test_momentum_ends_nearer
"""

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab.peers import import_torchaudio
from stft.extensions.fast import istft, stft
from stft.extensions.griffin_lim import griffin_lim, random_phases, spectral_convergence
from stft.windows import hamming
from tests.stft.checks import check_equal, check_same, normal
from tests.stft.misconceptions import extensions as misconceptions

torchaudio = import_torchaudio()
OPTIONS = {"n_fft": 32, "hop_length": 8}


def chirp(samples: int = 400) -> torch.Tensor:
    """A tone that rises, and some noise."""
    t = torch.arange(samples) / samples
    return torch.sin(2 * math.pi * (30 * t + 40 * t**2)) + 0.1 * normal(samples)


def check_griffin_lim(candidate, iterations: int, momentum: float, options: dict) -> None:
    """The reference is torchaudio.functional.griffinlim with its first phases at 0."""
    magnitudes = stft(normal(2, 150), **options).abs()

    def reference(magnitudes):
        return torchaudio.functional.griffinlim(
            magnitudes, power=1.0, n_iter=iterations, momentum=momentum, length=150, rand_init=False, **options
        )

    def ours(magnitudes):
        return candidate(magnitudes, iterations=iterations, momentum=momentum, length=150, **options)

    equation = f"T_i = C_i + α (C_i − C_(i−1)), α = {momentum}, {iterations} iterations"
    check_same(equation, ours, reference, [magnitudes], {"rtol": 1e-9, "atol": 1e-9})  # divides by small magnitudes


def test_two_iterations_by_hand() -> None:
    """Griffin & Lim's own algorithm, written out."""
    magnitudes = stft(chirp(), **OPTIONS).abs()
    x = istft(magnitudes + 0j, **OPTIONS, length=400)
    for _ in range(2):
        x = istft(magnitudes * torch.exp(1j * stft(x, **OPTIONS).angle()), **OPTIONS, length=400)
    got = griffin_lim(magnitudes, **OPTIONS, iterations=2, momentum=0.0, length=400)
    check_equal("two iterations without momentum", got, x, rtol=1e-9, atol=1e-9)


def test_spectral_convergence_by_hand() -> None:
    x = chirp()
    magnitudes = stft(x, **OPTIONS).abs()
    assert spectral_convergence(0.9 * x, magnitudes, **OPTIONS) == pytest.approx(-20, abs=1e-9)
    assert spectral_convergence(0 * x, magnitudes, **OPTIONS) == pytest.approx(0, abs=1e-9)
    assert spectral_convergence(2 * x, magnitudes, **OPTIONS) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("n_fft", [32, 33])
def test_spectral_convergence_counts_the_mirrored_bins(n_fft: int) -> None:
    x, other = chirp(), normal(400)
    options = {"n_fft": n_fft, "hop_length": 8}
    got, goal = (stft(signal, **options, onesided=False).abs() for signal in (x, other))
    expected = 20 * math.log10(float((got - goal).norm() / goal.norm()))
    convergence = spectral_convergence(x, stft(other, **options).abs(), **options)
    assert convergence == pytest.approx(expected, abs=1e-9), "the norm is that of all n bins"


@given(
    iterations=st.integers(0, 4),
    momentum=st.sampled_from([0.0, 0.5, 0.99]),
    n_fft=st.integers(6, 33),
    data=st.data(),
)
def test_equals_torchaudio(iterations: int, momentum: float, n_fft: int, data) -> None:
    hop = data.draw(st.integers(1, n_fft // 3), label="hop_length")
    options = {"n_fft": n_fft, "hop_length": hop, "win_length": n_fft, "window": hamming(n_fft)}
    check_griffin_lim(griffin_lim, iterations, momentum, options)


def test_the_defaults_are_torchaudios() -> None:
    magnitudes = stft(chirp(2000), n_fft=400, hop_length=200).abs()
    reference = torchaudio.transforms.GriffinLim(power=1.0, rand_init=False)
    got = griffin_lim(magnitudes, hop_length=200)
    check_equal("the defaults of torchaudio", got, reference(magnitudes), rtol=1e-6, atol=1e-6)  # 32 iterations


@pytest.mark.parametrize("seed", range(3))
def test_never_further_away(seed: int) -> None:
    """The paper's theorem, for momentum 0 and zeros at the ends. No sound has this start or these magnitudes."""
    options = {**OPTIONS, "pad_mode": "constant"}
    magnitudes = stft(normal(400, seed=seed), **options).abs() * (1 + 0.3 * normal(17, 51, seed=seed)).abs()
    start = random_phases(magnitudes, torch.Generator().manual_seed(seed))
    distances = []
    for iterations in (0, 1, 2, 3, 5, 8, 13, 21):
        y = griffin_lim(magnitudes, **options, iterations=iterations, momentum=0.0, length=400, start=start)
        distances.append(spectral_convergence(y, magnitudes, **options))
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(distances)), "in dB"
    assert distances[-1] < distances[0] - 2


def test_it_finds_a_sound_with_these_magnitudes() -> None:
    magnitudes = stft(chirp(), **OPTIONS).abs()
    decibels = [
        spectral_convergence(griffin_lim(magnitudes, **OPTIONS, iterations=k, length=400), magnitudes, **OPTIONS)
        for k in (0, 10, 100)
    ]
    assert decibels[0] > -10
    assert decibels[2] < -25
    assert decibels == sorted(decibels, reverse=True)


@pytest.mark.parametrize("seed", range(3))
def test_momentum_ends_nearer(seed: int) -> None:
    magnitudes = stft(chirp(800), **OPTIONS).abs()
    start = random_phases(magnitudes, torch.Generator().manual_seed(seed))
    slow, fast = (
        spectral_convergence(
            griffin_lim(magnitudes, **OPTIONS, iterations=60, momentum=momentum, length=800, start=start),
            magnitudes,
            **OPTIONS,
        )
        for momentum in (0.0, 0.99)
    )
    assert fast < slow - 2, "2 dB at least"


def test_with_the_right_phases_it_stays() -> None:
    x = chirp()
    spectrum = stft(x, **OPTIONS)
    y = griffin_lim(spectrum.abs(), **OPTIONS, iterations=3, length=400, start=spectrum)
    check_equal("the right phases do not change", y, x, rtol=0, atol=1e-9)
    assert spectral_convergence(y, spectrum.abs(), **OPTIONS) < -180


def test_random_phases_are_everywhere_on_the_circle() -> None:
    """Chi-square over 24 sectors, 24,000 draws: 41.6 is exceeded once in a hundred times; the seed is fixed."""
    phases = random_phases(torch.zeros(100, 240), torch.Generator().manual_seed(0))
    check_equal("|z| = 1", phases.abs(), torch.ones(100, 240))
    counts = torch.histc(phases.angle(), 24, -math.pi, math.pi)
    assert float((counts - 1000).square().sum() / 1000) < 41.6
    check_equal(
        "random phases of the same generator",
        phases,
        random_phases(torch.zeros(100, 240), torch.Generator().manual_seed(0)),
    )


@pytest.mark.parametrize("wrong", misconceptions.GRIFFIN_LIM, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    options = {**OPTIONS, "win_length": 32, "window": hamming(32)}
    with pytest.raises(AssertionError):
        check_griffin_lim(wrong, 3, 0.9, options)
