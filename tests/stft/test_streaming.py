"""The frames of a stream equal those of the whole sound, for any chunks. The memory does not grow."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stft.extensions import streaming
from stft.extensions.fast import stft
from stft.extensions.streaming import stream_stft
from tests.stft.checks import check_equal, normal


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
    check_equal("the frames of the chunks = those of the whole sound", torch.cat(parts, dim=-1), expected)


@given(samples=st.integers(1, 5), lengths=st.lists(st.integers(0, 3), max_size=3))
def test_sounds_shorter_than_the_padding(samples: int, lengths) -> None:
    """Any sound can be padded with zeros or its last sample. "reflect" needs more samples than the padding has."""
    x = normal(samples)
    for pad_mode in ("constant", "replicate"):
        parts = list(stream_stft(cut(x, lengths), 16, 4, pad_mode=pad_mode))
        check_equal("the frames of a short sound", torch.cat(parts, dim=-1), stft(x, 16, 4, pad_mode=pad_mode))
    with pytest.raises(
        ValueError, match=f"mirrored by n_fft // 2 = 8 samples, the waveform must have more, got {samples}"
    ):
        list(stream_stft(cut(x, lengths), 16, 4))


def test_an_hour_in_constant_memory(monkeypatch) -> None:
    """An hour at 100 Hz, in chunks of 10 seconds: at most a chunk and three frames are held at once."""
    n_fft, hop, chunk = 32, 16, 1000
    held, frames = [], 0

    def noted(x, n_fft, hop_length, **options):
        held.append(x.untyped_storage().nbytes() // x.element_size())
        return stft(x, n_fft, hop_length, **options)

    monkeypatch.setattr(streaming, "stft", noted)
    for part in stream_stft((torch.zeros(chunk, dtype=torch.float32) for _ in range(360)), n_fft, hop):
        frames += part.shape[-1]
    assert frames == 1 + 360 * chunk // hop
    assert len(held) >= 360
    assert max(held) <= chunk + 3 * n_fft, "samples"


def test_half_a_frame_is_not_enough_to_mirror() -> None:
    """The first sample is not repeated, so the mirror of 8 samples needs 9."""
    x = normal(30)
    for first in (8, 9):
        parts = list(stream_stft([x[:first], x[first:]], 16, 4))
        check_equal("the frames at the padding", torch.cat(parts, dim=-1), stft(x, 16, 4))


def test_frames_come_as_soon_as_they_can() -> None:
    """A chunk that completes a frame gives it at once."""
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
