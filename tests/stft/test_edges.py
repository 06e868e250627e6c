"""Values on a threshold, the outermost bins, and a setting that two functions must agree on."""

import math

import pytest
import torch

from stft.evaluate import NEAR, correct
from stft.extensions.griffin_lim import griffin_lim
from stft.mel import hz_to_mel, mel_filter_bank, mel_to_hz
from stft.transform import is_nola, istft, pad_ends, stft
from stft.units import sides
from toyworld.scenes import Object


def test_the_last_bin_of_an_odd_frame_by_hand() -> None:
    """n = 5 samples at 10 Hz: bins at 0, 2 and 4 Hz, and none at 5 Hz. One band from 0 to 5 Hz, its middle at c."""
    c = 700 * (math.sqrt(1 + 5 / 700) - 1)  # half of the mels of 5 Hz
    bank = mel_filter_bank(5, 10, 1, dtype=torch.float64)
    expected = [0.0, 2 / c, (5 - 4) / (5 - c)]
    assert bank[:, 0].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "expected"), [(6, [1, 2, 2, 1]), (5, [1, 2, 2]), (1, [1]), (2, [1, 1])])
def test_how_many_bins_a_bin_stands_for(n: int, expected: list[int]) -> None:
    spectrum = torch.ones(n // 2 + 1, 3, dtype=torch.complex128)
    assert sides(spectrum, n)[:, 0].tolist() == expected


def test_the_knee_of_slaneys_scale() -> None:
    """At 1 kHz both pieces give 15 mel. One mel is 66.7 Hz below, and 1 kHz · (6.4^(1/27) − 1) = 71.2 Hz above."""
    mels = torch.tensor([14.0, 15.0, 16.0], dtype=torch.float64)
    hertz = torch.tensor([1000 - 200 / 3, 1000.0, 1000 * 6.4 ** (1 / 27)], dtype=torch.float64)
    assert mel_to_hz(mels, "slaney").tolist() == pytest.approx(hertz.tolist(), rel=1e-14)
    assert hz_to_mel(hertz, "slaney").tolist() == pytest.approx(mels.tolist(), rel=1e-14)


@pytest.mark.parametrize(("height", "known"), [(4e-6, True), (2e-6, False)])
def test_a_window_below_the_limit_hides_a_sample(height: float, known: bool) -> None:
    """The sum of squared windows counts as zero below 1e-11: 4e-6 squared is above, 2e-6 squared below."""
    window = torch.tensor([height, 1.0], dtype=torch.float64)
    assert is_nola(window, 2) == known
    spectrum = stft(torch.ones(4, dtype=torch.float64), window, 2, center=False)
    if known:
        assert istft(spectrum, window, 2, center=False).tolist() == pytest.approx([1.0] * 4)
    else:
        with pytest.raises(ValueError, match="sample 0 cannot be known"):
            istft(spectrum, window, 2, center=False)


def test_a_length_is_at_least_1_and_at_most_what_the_frames_reach() -> None:
    window, x = torch.ones(2, dtype=torch.float64), torch.tensor([3.0, 1, 4, 1], dtype=torch.float64)
    spectrum = stft(x, window, 2, center=False)
    for length in (1, 4):
        assert istft(spectrum, window, 2, center=False, length=length).tolist() == pytest.approx(x[:length].tolist())
    for length in (0, 5):
        with pytest.raises(
            ValueError, match=f"length must be from 1 to the 4 samples that the frames reach, got {length}"
        ):
            istft(spectrum, window, 2, center=False, length=length)


def test_reflection_needs_one_sample_more_than_it_adds() -> None:
    x = torch.arange(4.0)
    assert pad_ends(x, 3, "reflect").tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    with pytest.raises(ValueError, match="by n_fft // 2 = 4 samples, the waveform must have more, got 4"):
        pad_ends(x, 4, "reflect")


def test_a_place_is_correct_up_to_0_01() -> None:
    there = Object("star", "red", "small", 0.0, 0.5, 0.09, (0.9, 0.1, 0.1))
    assert correct(("red", "star", "small", NEAR), there)["place"]
    assert not correct(("red", "star", "small", math.nextafter(NEAR, 1)), there)["place"]


def test_a_momentum_of_1_is_refused() -> None:
    with pytest.raises(ValueError, match="momentum must be from 0 to below 1, got 1"):
        griffin_lim(torch.ones(3, 4), 4, momentum=1.0)


@pytest.mark.parametrize("option", [{"win_length": 6}, {"pad_mode": "constant"}, {"hop_length": 2}])
def test_every_option_of_griffin_lim_reaches_its_transforms(option: dict) -> None:
    magnitudes = torch.rand(5, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    default, other = (
        griffin_lim(magnitudes, 8, iterations=2, **given) for given in ({"hop_length": 4}, {"hop_length": 4, **option})
    )
    assert default.shape != other.shape or not torch.allclose(default, other, rtol=1e-6)
