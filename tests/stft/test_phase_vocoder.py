"""Equation → function → test

∠Y_{j+1} = ∠Y_j + ∠X_{t+1} − ∠X_t     phase_vocoder     test_equals_torchaudio, test_the_pitch_stays
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab.peers import import_torchaudio
from stft.extensions.fast import istft, stft
from stft.extensions.phase_vocoder import phase_vocoder
from stft.windows import hamming
from tests.stft.checks import check_equal, check_same, normal
from tests.stft.misconceptions import extensions as misconceptions

torchaudio = import_torchaudio()
RATES = st.one_of(st.sampled_from([0.5, 1.0, 2.0, 0.8, 1.25]), st.floats(0.3, 3.0))


def check_phase_vocoder(candidate, rate: float, n_fft: int = 16, hop: int = 4, frames: int = 9, batch=(2,)) -> None:
    """The reference is torchaudio.functional.phase_vocoder."""
    advance = torch.linspace(0, math.pi * hop, n_fft // 2 + 1)[:, None]
    check_same(
        f"∠Y_(j+1) = ∠Y_j + ∠X_(t+1) − ∠X_t, rate = {rate}",
        lambda x: candidate(x, rate),
        lambda x: torchaudio.functional.phase_vocoder(x, rate, advance),
        [normal(*batch, n_fft // 2 + 1, frames, dtype=torch.complex128)],
        {"rtol": 1e-9, "atol": 1e-10},  # the phases of all frames are summed
    )


def test_by_hand() -> None:
    """Half as fast: the bin turns by 90° per frame, also in the new frames. The magnitudes are interpolated."""
    x, expected = torch.tensor([[1, 3j, -5]]), torch.tensor([[1, 2j, -3, -4j, 5]])
    check_equal("∠Y_(j+1) = ∠Y_j + ∠X_(t+1) − ∠X_t, rate = 1/2", phase_vocoder(x, 0.5)[:, :5], expected)


def test_rate_1_changes_nothing() -> None:
    x = normal(5, 7, dtype=torch.complex128)
    check_equal("rate 1", phase_vocoder(x, 1.0), x)


@given(
    rate=RATES,
    half=st.integers(1, 20),
    hop=st.integers(1, 20),
    frames=st.integers(1, 15),
    batch=st.sampled_from([(), (3,), (2, 3)]),
)
def test_equals_torchaudio(rate: float, half: int, hop: int, frames: int, batch) -> None:
    check_phase_vocoder(phase_vocoder, rate, 2 * half, hop, frames, batch)


@pytest.mark.parametrize("rate", [0.5, 0.8, 1.3, 2.0])
@pytest.mark.parametrize("n_fft", [512, 511])
def test_the_pitch_stays(rate: float, n_fft: int) -> None:
    """A tone of 0.03712 periods a sample, between two bins: as long as rate says, and of the same frequency."""
    f, hop, samples = 0.03712, 128, 16_000
    x = torch.sin(2 * math.pi * f * torch.arange(samples))
    options = {"n_fft": n_fft, "hop_length": hop, "window": hamming(n_fft), "center": False}
    y = istft(phase_vocoder(stft(x, **options), rate), **options)
    assert len(y) == pytest.approx(samples / rate, abs=4 * hop)
    middle = y[len(y) // 2 - 2048 : len(y) // 2 + 2048]
    spectrum = torch.fft.rfft(middle * torch.hann_window(4096), n=16 * 4096).abs()
    assert int(spectrum.argmax()) / (16 * 4096) == pytest.approx(f, abs=2e-5)
    level = 2 * float(spectrum.max()) / 2048  # of the tone, the window's sum is 2048
    assert level == pytest.approx(1, abs=0.05), "frames whose phases disagree cancel each other"


@given(rate=RATES, frames=st.integers(1, 20))
def test_the_number_of_frames(rate: float, frames: int) -> None:
    result = phase_vocoder(normal(5, frames, dtype=torch.complex128), rate)
    assert result.shape[-1] == (frames if rate == 1 else math.ceil(frames / rate))


@given(rate=RATES, hop=st.integers(1, 50), n_fft=st.integers(2, 50))
def test_whole_turns_do_not_matter(rate: float, hop: int, n_fft: int) -> None:
    """torchaudio's result does not depend on its argument ``phase_advance``."""
    x = normal(5, 9, dtype=torch.complex128)
    advance = (2 * math.pi * hop / n_fft * torch.arange(5.0))[:, None]
    theirs = torchaudio.functional.phase_vocoder(x, rate, advance)
    without = torchaudio.functional.phase_vocoder(x, rate, torch.zeros(5, 1))
    check_equal("torchaudio with and without whole turns", theirs, without, rtol=1e-9, atol=1e-10)
    check_equal("ours and torchaudio's", phase_vocoder(x, rate), theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("wrong", misconceptions.PHASE_VOCODER, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_phase_vocoder(wrong, 0.8)
