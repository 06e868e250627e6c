"""The frames of a stream are those of the whole, however it is cut; and what is kept does not grow."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.testing import assert_close

from stft.extensions import streaming
from stft.extensions.streaming import stream_stft
from stft.transform import stft
from tests.stft.checks import EXACT, normal


def cut(x: torch.Tensor, lengths) -> list[torch.Tensor]:
    pieces, start = [], 0
    for length in lengths:
        pieces.append(x[..., start : start + length])
        start += length
    return [*pieces, x[..., start:]]


@given(
    samples=st.integers(16, 120),
    lengths=st.lists(st.integers(0, 40), max_size=8),
    n_fft=st.integers(1, 30),
    hop_length=st.integers(1, 40),
    center=st.booleans(),
    pad_mode=st.sampled_from(["reflect", "constant", "replicate"]),
    batch=st.sampled_from([(), (2,)]),
)
def test_the_frames_are_those_of_the_whole(samples, lengths, n_fft, hop_length, center, pad_mode, batch) -> None:
    x, options = normal(*batch, samples), {"n_fft": n_fft, "hop_length": hop_length, "center": center}
    try:
        expected = stft(x, pad_mode=pad_mode, normalized="window", **options)
    except ValueError:
        with pytest.raises(ValueError, match="the waveform must have"):
            list(stream_stft(cut(x, lengths), pad_mode=pad_mode, normalized="window", **options))
        return
    parts = list(stream_stft(cut(x, lengths), pad_mode=pad_mode, normalized="window", **options))
    assert all(part.shape[-1] for part in parts)
    assert_close(torch.cat(parts, dim=-1), expected, **EXACT)


@given(samples=st.integers(1, 5), lengths=st.lists(st.integers(0, 3), max_size=3))
def test_sounds_shorter_than_the_padding(samples: int, lengths) -> None:
    """Zeros and the last sample can be put behind any sound; only a mirror needs more samples."""
    x = normal(samples)
    for pad_mode in ("constant", "replicate"):
        parts = list(stream_stft(cut(x, lengths), 16, 4, pad_mode=pad_mode))
        assert_close(torch.cat(parts, dim=-1), stft(x, 16, 4, pad_mode=pad_mode), **EXACT)
    with pytest.raises(
        ValueError, match=f"mirrored by n_fft // 2 = 8 samples, the waveform must have more, got {samples}"
    ):
        list(stream_stft(cut(x, lengths), 16, 4))


def test_an_hour_in_constant_memory(monkeypatch) -> None:
    """An hour at 16 kHz, in pieces of a second: what is transformed at once is a piece and less than two frames."""
    n_fft, hop, second = 512, 256, 16_000
    held, frames = [], 0

    def noted(x, n_fft, hop_length, **options):
        held.append(x.untyped_storage().nbytes() // x.element_size())
        return stft(x, n_fft, hop_length, **options)

    monkeypatch.setattr(streaming, "stft", noted)
    for part in stream_stft((torch.zeros(second, dtype=torch.float32) for _ in range(3600)), n_fft, hop):
        frames += part.shape[-1]
    assert frames == 1 + 3600 * second // hop
    assert len(held) >= 3600
    assert max(held) <= second + n_fft + n_fft // 2 + n_fft


def test_half_a_frame_is_not_enough_to_mirror() -> None:
    """Of 8 samples 8 cannot be mirrored: the first one is not repeated. With the ninth they can."""
    x = normal(30)
    for first in (8, 9):
        parts = list(stream_stft([x[:first], x[first:]], 16, 4))
        assert_close(torch.cat(parts, dim=-1), stft(x, 16, 4), **EXACT)


def test_frames_come_as_soon_as_they_can() -> None:
    """Not only at the end: a piece that completes a frame gives it."""
    fed = []

    def pieces():
        for k in range(10):
            fed.append(k)
            yield normal(8)

    stream = stream_stft(pieces(), 16, 8, center=False)
    next(stream)
    assert fed == [0, 1]
    next(stream)
    assert fed == [0, 1, 2]


@pytest.mark.parametrize(
    ("pieces", "options", "message"),
    [
        ([], {}, "the waveform must have samples, got no piece"),
        ([torch.zeros(0), torch.zeros(0)], {}, r"waveform must have samples in its last dimension, got shape \(0,\)"),
        ([torch.zeros(9)], {"n_fft": 0}, "n_fft must be at least 1, got 0"),
        ([torch.zeros(9)], {"n_fft": 4, "hop_length": 0}, "hop_length must be at least 1, got 0"),
        ([torch.zeros(9)], {"n_fft": 10, "center": False}, "at least a frame's 10 samples, got 9"),
        ([torch.zeros(9)], {"n_fft": 4, "win_length": 5}, "win_length must be from 1 to n_fft 4, got 5"),
    ],
)
def test_wrong_input_is_named(pieces, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        list(stream_stft(pieces, **options))
