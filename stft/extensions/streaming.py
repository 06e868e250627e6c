"""The STFT of a sound that arrives in chunks: the same frames, in memory that does not grow with the sound."""

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import REAL, check_at_least_1, check_samples
from stft.extensions.fast import hop_of, stft
from stft.transform import Padding, pad_ends


def stream_stft(
    chunks: Iterable[Tensor],
    n_fft: int = 400,
    hop_length: int | None = None,
    center: bool = True,
    pad_mode: Padding = "reflect",
    **options: object,
) -> Iterator[Tensor]:
    r"""The frames that ``stft`` computes of the whole sound. The ``options`` are the other arguments of ``stft``.

    A chunk has the shape (\*batch, any number of samples). Each result has the shape (\*batch, bins, frames) with at
    least one frame. Between two chunks, only the samples that later frames or the padding need are kept: fewer than
    n_fft + n_fft // 2 + 1.

    Raises:
        ValueError: as ``stft``. A sound that is too short as a whole raises it at its end.
    """
    check_at_least_1(n_fft=n_fft)
    hop_length = hop_of(hop_length, n_fft)
    check_at_least_1(hop_length=hop_length)
    half = n_fft // 2 if center else 0
    frames = 0  # frames given so far
    held = None  # samples that are still needed; the padding at the start is before them once ``begun``
    start = 0  # index in held of the next frame; beyond its end if the hop is longer than the frame
    begun = not center
    for chunk in chunks:
        if not isinstance(chunk, Tensor) or chunk.ndim == 0:
            came = "a single number" if isinstance(chunk, Tensor) else f"a {type(chunk).__name__}"
            raise ValueError(f"chunks must be tensors of samples, got {came}; one waveform is a list of one chunk")
        held = chunk if held is None else torch.cat([held, chunk], dim=-1)
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
        raise ValueError("the waveform must have samples, got no chunk")
    check_samples(REAL, waveform=held)
    if not begun:
        held = with_beginning(held, half, pad_mode)
    if half:
        held = torch.cat([held, pad_ends(held[..., -half - 1 :], half, pad_mode)[..., -half:]], dim=-1)
    if held.shape[-1] >= start + n_fft:
        yield stft(held[..., start:], n_fft, hop_length, center=False, **options)
    elif frames == 0:
        raise ValueError(f"the waveform must have at least a frame's {n_fft} samples, got {held.shape[-1]}")


def with_beginning(
    x: Float[Tensor, "*batch samples"], half: int, pad_mode: Padding
) -> Float[Tensor, "*batch more_samples"]:
    """x after ``half`` samples of padding."""
    return torch.cat([pad_ends(x[..., : half + 1], half, pad_mode)[..., :half], x], dim=-1)
