"""Equation → function → test

∠Y_{j+1} = ∠Y_j + ∠X_{t+1} − ∠X_t     phase_vocoder     test_equals_torchaudio, test_the_pitch_stays
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from lab.peers import import_torchaudio
from stft.extensions.phase_vocoder import phase_vocoder
from stft.transform import istft, stft
from stft.windows import hamming
from tests.stft.checks import check_same, normal
from tests.stft.misconceptions import extensions as misconceptions

torchaudio = import_torchaudio()
RATES = st.one_of(st.sampled_from([0.5, 1.0, 2.0, 0.8, 1.25]), st.floats(0.3, 3.0))


def check_phase_vocoder(candidate, rate: float, n_fft: int = 16, hop: int = 4, frames: int = 9, batch=(2,)) -> None:
    """The reference is torchaudio.functional.phase_vocoder."""
    advance = torch.linspace(0, math.pi * hop, n_fft // 2 + 1)[:, None]
    check_same(
        lambda x: candidate(x, rate),
        lambda x: torchaudio.functional.phase_vocoder(x, rate, advance),
        [normal(*batch, n_fft // 2 + 1, frames, dtype=torch.complex128)],
        {"rtol": 1e-9, "atol": 1e-10},  # phases are added up over all frames
    )


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
    assert level == pytest.approx(1, abs=0.05), "frames whose phases disagree would cancel"


def test_rate_1_changes_nothing() -> None:
    x = normal(5, 7, dtype=torch.complex128)
    assert torch.equal(phase_vocoder(x, 1.0), x)


@given(rate=RATES, frames=st.integers(1, 20))
def test_the_number_of_frames(rate: float, frames: int) -> None:
    result = phase_vocoder(normal(5, frames, dtype=torch.complex128), rate)
    assert result.shape[-1] == (frames if rate == 1 else math.ceil(frames / rate))


@given(rate=RATES, hop=st.integers(1, 50), n_fft=st.integers(2, 50))
def test_whole_turns_do_not_matter(rate: float, hop: int, n_fft: int) -> None:
    """Whatever torchaudio is told about the turn of a bin in a hop, what comes out is the same."""
    x = normal(5, 9, dtype=torch.complex128)
    told = (2 * math.pi * hop / n_fft * torch.arange(5.0))[:, None]
    theirs = torchaudio.functional.phase_vocoder(x, rate, told)
    assert_close(theirs, torchaudio.functional.phase_vocoder(x, rate, torch.zeros(5, 1)), rtol=1e-9, atol=1e-10)
    assert_close(phase_vocoder(x, rate), theirs, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("rate", [0.0, -1.0, math.nan, math.inf])
def test_wrong_rates_are_named(rate: float) -> None:
    with pytest.raises(ValueError, match=f"rate must be positive and finite, got {rate}"):
        phase_vocoder(torch.zeros(5, 3, dtype=torch.complex128), rate)


def test_nothing_cannot_be_stretched() -> None:
    with pytest.raises(ValueError, match="the spectrum must have at least one frame, got none"):
        phase_vocoder(torch.zeros(5, 0, dtype=torch.complex128), 2.0)


@pytest.mark.parametrize("wrong", misconceptions.PHASE_VOCODER, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_phase_vocoder(wrong, 0.8)
