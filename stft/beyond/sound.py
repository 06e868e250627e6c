"""Sound files, by soundfile: WAV, FLAC and OGG; any sample rate, any number of channels."""

import io
from collections.abc import Iterator
from pathlib import Path

import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

from lab import write_bytes

FORMATS = (".wav", ".flac", ".ogg")
BLOCK = 2**18  # samples of each channel that are read at once
LAST_PAGE = 4  # the flag that the last page of an Ogg stream carries


def check_sound(path: Path) -> tuple[int, int, int]:
    """Sample rate in Hz, channels, and samples a channel of a file that is whole.

    Raises:
        ValueError: if the file is not there, is no sound, is cut short, or holds no samples.
    """
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, samples = file.samplerate, file.channels, file.frames
            cut = "(should be" in file.extra_info  # what libsndfile notes when a header promises more than there is
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: no sound file that can be read ({error.error_string})") from None
    if cut or (path.suffix.lower() == ".ogg" and not ends_as_ogg(path)):
        raise ValueError(f"{path}: the file is cut short")
    if samples == 0:
        raise ValueError(f"{path}: the file holds no samples")
    return rate, channels, samples


def ends_as_ogg(path: Path) -> bool:
    """Whether the last page is there, says that it is the last, and is as long as its table of segments says."""
    data = path.read_bytes()
    page = data[data.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & LAST_PAGE:
        return False
    segments = page[26]
    return len(page) >= 27 + segments + sum(page[27 : 27 + segments])


def pieces_of(path: Path) -> Iterator[Float[Tensor, "channels samples"]]:
    """The sound, piece by piece, in float32 within ±1.

    Raises:
        ValueError: as ``check_sound``, or if the file is damaged further on.
    """
    _, _, samples = check_sound(path)
    read = 0
    try:
        with soundfile.SoundFile(path) as file:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                read += len(block)
                yield torch.from_numpy(block.T.copy())
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: damaged after {read} samples ({error.error_string})") from None
    if read < samples:
        raise ValueError(f"{path}: the file is cut short")


def read_sound(path: Path) -> tuple[Float[Tensor, "channels samples"], int]:
    """The whole sound and its sample rate in Hz.

    Raises:
        ValueError: as ``pieces_of``.
    """
    return torch.cat(list(pieces_of(path)), dim=-1), check_sound(path)[0]


def write_sound(path: Path, sound: Float[Tensor, "channels samples"], rate: int) -> None:
    """The whole file or none; 16 bits. What is beyond ±1 would be cut off, so such a sound is made softer as a whole.

    Raises:
        ValueError: if the name does not end in .wav, .flac or .ogg.
    """
    check_format(path)
    softer = sound / max(1.0, float(sound.abs().max()))
    buffer = io.BytesIO()
    soundfile.write(buffer, softer.T.numpy(), rate, format=path.suffix[1:].upper())
    write_bytes(path, buffer.getvalue())


def check_format(path: Path) -> None:
    if path.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: a sound file's name must end in {', '.join(FORMATS)}")
