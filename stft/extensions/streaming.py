"""The STFT of a sound that arrives piece by piece: the same frames, in memory that does not grow with the sound."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import REAL, check_at_least_1, check_samples
from stft.transform import Padding, default_hop, padded, stft


def stream_stft(
    pieces: Iterable[Tensor],
    n_fft: int = 400,
    hop_length: int | None = None,
    center: bool = True,
    pad_mode: Padding = "reflect",
    **options: object,
) -> Iterator[Tensor]:
    r"""Piece by piece, the frames that ``stft`` gives for all of them in a row; the ``options`` are the rest of its.

    A piece has the shape (\*batch, any number of samples), what comes out at least one frame. Between two pieces only
    those samples are kept that a later frame or the padding at the end needs: less than n_fft + n_fft // 2 + 1.

    Raises:
        ValueError: as ``stft``. That the whole sound is too short is known, and told, only at its end.
    """
    check_at_least_1(n_fft=n_fft)
    hop_length = default_hop(n_fft) if hop_length is None else hop_length
    check_at_least_1(hop_length=hop_length)
    half = n_fft // 2 if center else 0
    frames = 0  # given so far
    held = None  # samples, behind the padding of the beginning once that is known
    start = 0  # in held: where the next frame begins; beyond its end if the hop is longer than the frame
    begun = not center
    for piece in pieces:
        held = piece if held is None else torch.cat([held, piece], dim=-1)
        if not begun and held.shape[-1] > half:
            held, begun = with_beginning(held, half, pad_mode), True
        if begun:
            count = (held.shape[-1] - start - n_fft) // hop_length + 1
            if count > 0:
                end = start + (count - 1) * hop_length + n_fft
                yield stft(held[..., start:end], n_fft, hop_length, center=False, **options)
                start += count * hop_length
                frames += count
            unused = max(0, min(start, held.shape[-1] - half - 1))
            held, start = held[..., unused:].clone(), start - unused
    if held is None:
        raise ValueError("the waveform must have samples, got no piece")
    check_samples(REAL, waveform=held)
    if not begun:
        held = with_beginning(held, half, pad_mode)
    if half:
        held = torch.cat([held, padded(held[..., -half - 1 :], half, pad_mode)[..., -half:]], dim=-1)
    if held.shape[-1] >= start + n_fft:
        yield stft(held[..., start:], n_fft, hop_length, center=False, **options)
    elif frames == 0:
        raise ValueError(f"the waveform must have at least a frame's {n_fft} samples, got {held.shape[-1]}")


def with_beginning(
    x: Float[Tensor, "*batch samples"], half: int, pad_mode: Padding
) -> Float[Tensor, "*batch more_samples"]:
    """``half`` samples of padding before the first one."""
    return torch.cat([padded(x[..., : half + 1], half, pad_mode)[..., :half], x], dim=-1)
