"""Equation → function → test

φ_{j+1} = φ_j + ω + princarg(…)     phase_vocoder     test_equals_torchaudio, test_the_pitch_stays
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab.peers import import_torchaudio
from stft.beyond.phase_vocoder import phase_vocoder
from stft.transform import istft, stft
from stft.windows import hamming
from tests.misconceptions import stft_beyond as misconceptions
from tests.stft.checks import check_same, normal

torchaudio = import_torchaudio()
RATES = st.one_of(st.sampled_from([0.5, 1.0, 2.0, 0.8, 1.25]), st.floats(0.3, 3.0))


def check_phase_vocoder(candidate, rate: float, n_fft: int = 16, hop: int = 4, frames: int = 9, batch=(2,)) -> None:
    """The reference is torchaudio.functional.phase_vocoder, whose bins are right for even ``n_fft``."""
    advance = torch.linspace(0, math.pi * hop, n_fft // 2 + 1)[:, None]
    check_same(
        lambda x: candidate(x, rate, hop, n_fft),
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
    y = istft(phase_vocoder(stft(x, **options), rate, hop, n_fft), **options)
    assert len(y) == pytest.approx(samples / rate, abs=4 * hop)
    middle = y[len(y) // 2 - 2048 : len(y) // 2 + 2048]
    spectrum = torch.fft.rfft(middle * torch.hann_window(4096), n=16 * 4096).abs()
    assert int(spectrum.argmax()) / (16 * 4096) == pytest.approx(f, abs=2e-5)
    level = 2 * float(spectrum.max()) / 2048  # of the tone, the window's sum is 2048
    assert level == pytest.approx(1, abs=0.05), "frames whose phases disagree would cancel"


def test_rate_1_changes_nothing() -> None:
    x = normal(5, 7, dtype=torch.complex128)
    assert torch.equal(phase_vocoder(x, 1.0, 4, 8), x)


@given(rate=RATES, frames=st.integers(1, 20))
def test_the_number_of_frames(rate: float, frames: int) -> None:
    result = phase_vocoder(normal(5, frames, dtype=torch.complex128), rate, 4, 8)
    assert result.shape[-1] == (frames if rate == 1 else math.ceil(frames / rate))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rate": 0.0}, "rate must be positive and finite, got 0.0"),
        ({"rate": math.nan}, "rate must be positive and finite, got nan"),
        ({"hop_length": 0}, "hop_length must be at least 1, got 0"),
        ({"n_fft": 10}, "must have 6 bins for n_fft 10 and at least one frame, got 5 bins and 3 frames"),
    ],
)
def test_wrong_input_is_named(options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        phase_vocoder(
            torch.zeros(5, 3, dtype=torch.complex128), **{"rate": 2.0, "hop_length": 4, "n_fft": 8, **options}
        )


@pytest.mark.parametrize("wrong", misconceptions.PHASE_VOCODER, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_phase_vocoder(wrong, 0.8)
