"""The analysis of a sound in chunks equals that of the whole sound, for any chunks and any length."""

import math
import weakref
from collections.abc import Iterator
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dct
from torch.testing import assert_close

from stft.extensions import analysis
from stft.extensions.analysis import analyse, bank_to_show, frame_around_peak, frame_length, frame_to_show
from stft.extensions.fast import stft
from stft.figures import Analysis
from stft.windows import rectangular
from tests.stft.checks import EXACT, normal

RATE = 1000  # Hz: a frame has 64 samples, a hop 4


def cut(sound: torch.Tensor, lengths: list[int]) -> Iterator[torch.Tensor]:
    """Pieces of these lengths, and the rest."""
    return iter(sound.tensor_split(list(accumulate(lengths)), dim=1))


def of(sound: torch.Tensor, rate: int = RATE) -> Analysis:
    return analyse([sound], rate, sound.shape[-1])


def levels(power: torch.Tensor) -> torch.Tensor:
    """dB below the loudest, from −80 on."""
    return (10 * torch.log10(power / power.max())).clamp(min=-80)


def check_against_direct(shown: Analysis, sound: torch.Tensor, rate: int, shared: int) -> None:
    """All frames at once, then the mean over the channels, and over each ``shared`` neighbouring frames in a loop."""
    n = frame_length(rate)
    frames = stft(sound, n, n // 16, pad_mode="constant").abs().square().mean(dim=0)  # (bins, frames)
    assert frames.shape[1] == 1 + sound.shape[1] // (n // 16)
    power = torch.stack([frames[:, t : t + shared].mean(dim=1) for t in range(0, frames.shape[1], shared)], dim=1)
    mel = levels(bank_to_show(n, rate).T @ power)
    assert_close(shown.spectrogram, levels(power), **EXACT)
    assert_close(shown.mel, mel, **EXACT)
    assert_close(shown.mfcc, torch.from_numpy(dct(mel.numpy(), axis=0, norm="ortho")[:13]), **EXACT)
    assert (shown.rate, shown.seconds) == (rate, sound.shape[1] / rate)
    assert shown.step == pytest.approx(shared * (n // 16) / rate)


@pytest.mark.parametrize(
    ("rate", "samples", "milliseconds", "frame"),
    [
        (8000, 10, None, 16),
        (8000, 1003, None, 500),
        (8000, 10**6, None, 512),
        (10**7, 10**8, None, 2**16),
        (8000, 10, 64.0, 512),
        (8000, 10**6, 2.0, 16),
        (44_100, 10**6, 8.0, 352),
        (8000, 10, 8192.0, 2**16),
    ],
)
def test_the_frame_of_a_picture(rate: int, samples: int, milliseconds: float | None, frame: int) -> None:
    """By default at most half of the sound; what is asked for, also for a sound that is shorter."""
    assert frame_to_show(rate, samples, milliseconds) == frame


@pytest.mark.parametrize("milliseconds", [0.0, -1.0, 1.99, 8192.1, math.nan, math.inf])
def test_a_frame_that_cannot_be_shown(milliseconds: float) -> None:
    allowed = r"--frame must be from 2 to 8192 ms at 8,000 Hz \(16 to 65,536 samples\), got "
    with pytest.raises(ValueError, match=allowed):
        frame_to_show(8000, 1000, milliseconds)


@pytest.mark.parametrize(("n_fft", "rate", "bands"), [(1024, 16_000, 64), (16, 16, 14), (4, 16, 2), (16, 10**7, 2)])
def test_no_band_of_a_picture_is_empty(n_fft: int, rate: int, bands: int) -> None:
    """Below some Hz the mel scale is linear: 7 bins of 1 Hz, each in two neighbouring bands, are enough for 14."""
    bank = bank_to_show(n_fft, rate)
    assert bank.shape == (n_fft // 2 + 1, bands)
    assert bank.any(dim=0).all() or bands == 2


def test_the_frame_and_the_window_that_are_asked_for() -> None:
    sound = normal(2, 500)
    shown = analyse([sound], RATE, 500, 32, rectangular)
    power = stft(sound, 32, 2, window=torch.ones(32), pad_mode="constant").abs().square().mean(dim=0)
    assert_close(shown.spectrogram, levels(power), **EXACT)
    assert len(shown.loudest) == 32


def test_a_quiet_sound_looks_like_a_loud_one() -> None:
    """Levels are relative to the loudest one, also 240 dB below 1."""
    x = normal(1, 300)
    for loudness in (1e-12, 1e9):
        assert_close(of(loudness * x).spectrogram, of(x).spectrogram, **EXACT)
        assert_close(of(loudness * x).mfcc, of(x).mfcc, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("rate", "samples"), [(1, 16), (250, 16), (1000, 64), (11_025, 706), (16_000, 1024), (22_050, 1412), (44_100, 2822)]
)
def test_a_frame_has_64_milliseconds(rate: int, samples: int) -> None:
    """The nearest even number of samples: 705.6, 1411.2 and 2822.4 become 706, 1412 and 2822; 16 at least."""
    assert frame_length(rate) == samples


@given(
    rate=st.sampled_from([1, 250, 999, 1000, 1100]),
    samples=st.integers(1, 700),
    channels=st.integers(1, 3),
    most=st.integers(1, 40),
    lengths=st.lists(st.integers(0, 200), max_size=5),
)
def test_every_column_is_the_mean_power_of_its_frames(rate, samples, channels, most, lengths) -> None:
    """At most ``most`` columns, with as few frames per column as that allows, for any chunks."""
    sound = normal(channels, samples)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysis, "COLUMNS", most)
        shown = analyse(cut(sound, lengths), rate, samples)
    frames = 1 + samples // (frame_length(rate) // 16)
    shared = next(k for k in range(1, frames + 1) if math.ceil(frames / k) <= most)
    check_against_direct(shown, sound, rate, shared)
    assert shown.spectrogram.shape[1] == len(shown.low) == len(shown.high) <= most


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (11_025, 2)])
def test_a_short_sound_has_one_frame_a_column(rate: int, channels: int) -> None:
    sound = normal(channels, 3001)
    check_against_direct(of(sound, rate), sound, rate, 1)


def test_the_outline_by_hand() -> None:
    """Two channels, 4 samples a column; the third column has two, the lowest and the highest are of either channel."""
    left = [1.0, -2, 3, -1, 5, -6, 2, -1, 4, -3]
    right = [0.0, 0, 7, 0, 0, 0, 0, -8, 0, 0]
    shown = of(torch.tensor([left, right]))
    assert shown.low.tolist() == [-2, -8, -3]
    assert shown.high.tolist() == [7, 5, 4]


def test_the_outline_of_a_long_sound_by_hand(monkeypatch) -> None:
    """6 frames in at most 3 columns are 2 a column, which is 8 samples."""
    monkeypatch.setattr(analysis, "COLUMNS", 3)
    sound = torch.tensor([1.0, -1] * 11)
    sound[7], sound[8], sound[15], sound[16] = 2, 3, -4, -5
    for chunks in ([22], [7, 15], [8, 1, 13], [1] * 22):
        shown = analyse(cut(sound[None], chunks), RATE, 22)
        assert shown.low.tolist() == [-1, -4, -5], chunks
        assert shown.high.tolist() == [2, 3, 1], chunks
    assert shown.step == 8 / RATE


@pytest.mark.parametrize(("at", "column"), [(0, 0), (200, 50), (202, 50), (203, 51), (399, 100)])
def test_the_middle_of_the_first_column_is_at_0_seconds(at: int, column: int) -> None:
    """A click is loudest in the frame whose middle is nearest; sample 202 is as near to one as to the next."""
    sound = torch.zeros(1, 400)
    sound[0, at] = 1
    shown = of(sound)
    loudness = shown.spectrogram.mean(dim=0)
    assert int((loudness > loudness.max() - 1e-9).nonzero()[0]) == column
    assert abs(at / RATE - column * shown.step) <= shown.step / 2 + 1e-9


def test_a_tone_lies_on_its_bin() -> None:
    """125 Hz is bin 8 of 15.625 Hz, and Hann's window gives half as much to each neighbour: 6.02 dB less.

    Far away is nothing, of which 80 dB are shown.
    """
    shown = of(torch.sin(2 * math.pi * 125 * torch.arange(400) / RATE)[None])
    assert shown.spectrogram.shape == (33, 101)
    middle = shown.spectrogram[:, 50]
    assert int(middle.argmax()) == 8
    assert (middle[[7, 9]] - middle[8]).tolist() == pytest.approx([-20 * math.log10(2)] * 2, abs=1e-6)
    assert float(shown.spectrogram.max()) == float(shown.mel.max()) == 0
    assert float(shown.spectrogram.min()) == float(shown.mel.min()) == -80


def test_channels_that_cancel_each_other_are_shown() -> None:
    """The mean is that of the powers. That of the waveforms is silence."""
    x = normal(1, 300)
    shown = of(torch.cat([x, -x]))
    assert_close(shown.spectrogram, of(x).spectrogram, **EXACT)
    assert not shown.loudest.any(), "of the waveforms' mean"


def test_silence_and_one_sample() -> None:
    for sound in (torch.zeros(2, 500), torch.zeros(1, 1), torch.ones(1, 1), torch.full((1, 1), 1e-30)):
        shown = of(sound)
        for values in (shown.spectrogram, shown.mel, shown.mfcc, shown.low, shown.high, shown.loudest):
            assert values.isfinite().all()
        assert shown.spectrogram.shape == (33, 1 + sound.shape[1] // 4)
    silence = of(torch.zeros(2, 500))
    for values in (silence.spectrogram, silence.mel):
        assert values.min() == values.max(), "all of the silence has one level"
    assert not torch.cat([silence.low, silence.high, silence.loudest]).any()


def test_one_sample_by_hand() -> None:
    """The spectrum of a click is flat: in the middle of the frame, where Hann's window is 1."""
    shown = of(torch.full((1, 1), -0.5))
    assert_close(shown.spectrogram, torch.zeros(33, 1), **EXACT)
    assert shown.low.tolist() == [-0.5]
    assert shown.loudest.tolist() == [-0.5] + [0.0] * 63
    assert (shown.seconds, shown.step) == (0.001, 0.004)


@pytest.mark.parametrize(("highest", "start"), [(150, 118), (31, 0), (32, 0), (33, 1), (0, 0), (299, 236), (268, 236)])
def test_the_loudest_stretch_holds_the_highest_sample(highest: int, start: int) -> None:
    """64 samples of the channels' mean with the highest one in the middle, except at the sound's ends."""
    sound = normal(2, 300).clamp(-2, 2)
    sound[1, highest] = -9
    sound[:, 90] = 8  # louder in both channels together
    shown = of(sound)
    assert_close(shown.loudest, sound.mean(dim=0)[start : start + 64], **EXACT)


def test_the_loudest_piece_counts() -> None:
    """Of several chunks the one with the highest sample; of two that are as high, the first."""
    sound = torch.zeros(1, 300)
    sound[0, [50, 150, 250]] = torch.tensor([3.0, -4.0, 4.0])
    shown = analyse(cut(sound, [100, 0, 100]), RATE, 300)
    assert shown.loudest.tolist() == [0.0] * 32 + [-4.0] + [0.0] * 31
    assert shown.peak == 150
    assert frame_around_peak(sound[:, :60], 64).tolist() == [0.0] * 50 + [3.0] + [0.0] * 13, (
        "zeros behind what is too short"
    )


def test_no_chunk_is_kept() -> None:
    """While a chunk is made, only the last one is still held: the memory does not grow with the sound."""
    made = []

    def chunks():
        for k in range(8):
            assert not [j for j, chunk in enumerate(made[:-1]) if chunk() is not None], f"at chunk {k}"
            chunk = normal(1, 500, seed=k)
            made.append(weakref.ref(chunk))
            yield chunk
            del chunk

    analyse(chunks(), RATE, 4000)
    assert len(made) == 8
