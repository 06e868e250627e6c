"""Sound files (WAV, FLAC and OGG, by soundfile) with any sample rate and any number of channels."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

from lab.checkpoint import write_bytes

LIMITS = {".wav": (1024, 2**31 - 1), ".flac": (8, 655_350), ".ogg": (8, 192_000)}  # most channels, highest rate in Hz
READ = ("WAV", "WAVEX", "FLAC", "OGG")
BLOCK = 2**16  # samples per channel that are read or written at once
OPEN_END = 0x7FFFF000  # bytes; the least length that a program that writes into a pipe puts into the header
LAST_PAGE, LONGEST_PAGE = 4, 65_307  # Ogg: the flag of the last page, and the largest page in bytes


def check_sound(path: Path) -> tuple[int, int, int]:
    """Sample rate in Hz, channels, and samples per channel of a complete file.

    Raises:
        ValueError: if the file does not exist, is not WAV, FLAC or OGG, is cut short, or has no samples.
    """
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        with soundfile.SoundFile(path) as file:
            rate, channels, samples, kind, log = (
                file.samplerate,
                file.channels,
                file.frames,
                file.format,
                file.extra_info,
            )
    except (soundfile.LibsndfileError, TypeError) as error:  # TypeError: raw samples without a header
        raise ValueError(f"{path}: no sound file that can be read ({error})") from None
    if kind not in READ:
        raise ValueError(f"{path}: only WAV, FLAC and OGG are read, got {kind}")
    if wav_is_cut(log) or (kind == "OGG" and not ends_as_ogg(path)):
        raise ValueError(f"{path}: the file is cut short")
    if samples == 0:
        raise ValueError(f"{path}: the file holds no samples")
    return rate, channels, samples


def wav_is_cut(log: str) -> bool:
    """Whether libsndfile found fewer bytes of samples than the header says."""
    noted = re.search(r"^data : (\d+) \(should be (\d+)\)", log, flags=re.MULTILINE)
    return noted is not None and int(noted[2]) < int(noted[1]) < OPEN_END


def ends_as_ogg(path: Path) -> bool:
    """Whether the file ends with a complete page that has the flag of the last page."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LONGEST_PAGE))
        data = file.read()
    page = data[data.rfind(b"OggS") :]
    if len(page) < 27 or not page[5] & LAST_PAGE:
        return False
    segments = page[26]
    return len(page) >= 27 + segments + sum(page[27 : 27 + segments])


def pieces_of(path: Path) -> Iterator[Float[Tensor, "channels samples"]]:
    """The sound in chunks, in float32. Samples are within ±1, except in files of floating-point samples.

    Raises:
        ValueError: as ``check_sound``; also if the file is damaged later on, or a sample is not finite.
    """
    _, _, samples = check_sound(path)
    read = 0
    try:
        with soundfile.SoundFile(path) as file:
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                piece = torch.from_numpy(block.T.copy())
                if not piece.isfinite().all():
                    at = read + int((~piece.isfinite()).any(dim=0).nonzero()[0])
                    raise ValueError(f"{path}: sample {at} is not finite")
                read += len(block)
                yield piece
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
    """Writes the whole file or nothing, in 16 bits. A sound beyond ±1 is scaled down as a whole, so nothing is clipped.

    Raises:
        ValueError: as ``check_format``, or if a sample is not finite.
    """
    check_format(path, len(sound), rate)
    if not sound.isfinite().all():
        raise ValueError(f"{path}: the sound must be finite, got nan or inf")
    softer = sound / max(1.0, float(sound.abs().max()))
    buffer = io.BytesIO()
    kind = path.suffix[1:].upper()
    with soundfile.SoundFile(buffer, "w", rate, len(sound), format=kind) as file:
        for piece in softer.split(BLOCK, dim=1):  # the OGG encoder fails on long sounds in one piece
            file.write(piece.T.numpy())
    write_bytes(path, buffer.getvalue())


def check_format(path: Path, channels: int = 1, rate: int = 1) -> None:
    """Checks that a sound can be written under this name.

    Raises:
        ValueError: if the name does not end in .wav, .flac or .ogg, or the format cannot hold the channels or the rate.
    """
    suffix = path.suffix.lower()
    if suffix not in LIMITS:
        raise ValueError(f"{path}: a sound file's name must end in {', '.join(LIMITS)}")
    most, highest = LIMITS[suffix]
    if channels > most or rate > highest:
        held = f"{suffix[1:].upper()} holds up to {most:,} channels and {highest:,} Hz"
        raise ValueError(f"{path}: {held}, got {channels:,} and {rate:,}")
