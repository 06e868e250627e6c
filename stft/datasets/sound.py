"""Sound files, read by soundfile, with any sample rate and any number of channels."""

import io
import re
import struct
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

import soundfile
import torch
from jaxtyping import Float
from torch import Tensor

from lab.checkpoint import write_bytes
from stft.datasets.mp3 import decoder_messages_caught, mp3_stream

HIGHEST = 10_000_000  # Hz; no recorder is faster
LIMITS = {".wav": (1024, HIGHEST), ".flac": (8, 655_350), ".ogg": (8, 192_000)}  # most channels, highest rate in Hz
READ = ("WAV", "WAVEX", "RF64", "W64", "AIFF", "AU", "FLAC", "OGG", "MP3")  # libsndfile's names
LENGTHS = {"RF64": "Riff size", "W64": "riff", "AIFF": "SSND", "AU": "Data Size"}  # in its log; else "data"
BLOCK = 2**16  # samples per channel that are read or written at once
LOUDEST = 1e12  # floating-point samples beyond this are no sound, and their power would be infinite
OPEN_END = 0x7FFFF000  # bytes; the least length that a program that writes into a pipe puts into the header
UNKNOWN = 2**62  # samples; libsndfile's number for a FLAC file without a length is greater
FIRST_PAGE, LAST_PAGE, LONGEST_PAGE = 2, 4, 65_307  # Ogg: flags of the first and last page, largest page in bytes


class Forward(soundfile.SoundFile):
    """A sound file that is read from its beginning to its end, because GSM and streamed FLAC cannot be searched."""

    def seekable(self) -> bool:
        return False


class ToTheEnd(io.FileIO):
    """A WAV file whose header says 0 bytes of samples. It is read as if the samples go on to the end of the file."""

    def __init__(self, path: Path, place: int) -> None:
        super().__init__(path)
        self.place = place  # of the four bytes that hold the length

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        count = super().readinto(buffer)
        for at in range(max(start, self.place), min(start + count, self.place + 4)):
            buffer[at - start] = b"\xff"
        return count


def opened(path: Path) -> Forward:
    """The file, ready to be read.

    Raises:
        ValueError: if the file does not exist, is no sound file, or has an impossible sample rate.
    """
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    try:
        rate, place = wav_header(path)
        check_rate(path, rate)
        if (stream := mp3_stream(path)) is not None:
            with decoder_messages_caught(path):
                return Forward(io.BytesIO(stream))
        return Forward(path if place is None else ToTheEnd(path, place))
    except (soundfile.LibsndfileError, TypeError, struct.error) as error:  # TypeError: raw samples without a header
        reason = getattr(error, "error_string", "raw samples without a header")
        reason = reason if path.stat().st_size else "the file is empty"
        raise ValueError(f"{path}: no sound file that can be read ({reason.strip()})") from None


def check_rate(path: Path, rate: int) -> None:
    if not 1 <= rate <= HIGHEST:
        raise ValueError(f"{path}: the sample rate must be from 1 to {HIGHEST:,} Hz, got {rate:,}")


def check_sound(path: Path) -> tuple[int, int, int]:
    """Sample rate in Hz, channels, and samples per channel of a complete file.

    Raises:
        ValueError: if the file does not exist, is of no kind in ``READ``, is cut short or damaged, or has no samples;
            if its sample rate is impossible.
    """
    with opened(path) as file:
        rate, channels, samples, kind, log = file.samplerate, file.channels, file.frames, file.format, file.extra_info
    if kind not in READ:
        raise ValueError(f"{path}: only {', '.join(READ)} are read, got {kind}")
    check_rate(path, rate)
    if is_cut(kind, log) or (kind == "OGG" and not ends_as_ogg(path)):
        raise ValueError(f"{path}: the file is cut short")
    if kind == "OGG" and (streams := ogg_streams(path)) > 1:
        raise ValueError(f"{path}: an OGG file must have one stream, got {streams}")
    if samples > UNKNOWN:
        samples = sum(piece.shape[-1] for piece in decoded(path))
    if samples == 0:
        raise ValueError(f"{path}: the file holds no samples")
    return rate, channels, samples


def wav_header(path: Path) -> tuple[int, int | None]:
    """The sample rate in Hz, and where the header says 0 bytes of samples although samples follow; else None.

    A recorder that lost its power leaves such a file, and so do programs that write into a pipe. For a file that is
    not WAV the rate is 1.
    """
    rate, end = 1, path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if (start[:4], start[8:]) != (b"RIFF", b"WAVE"):
            return rate, None
        for name, place, size in chunks(file, 12, end):
            if name == b"fmt ":
                file.seek(place + 4)
                (rate,) = struct.unpack("<I", file.read(4))
            if name == b"data":
                behind = [content + length for _, content, length in chunks(file, place, end)]
                only_chunks = place == end or (behind and abs(behind[-1] - end) <= 1)
                return rate, None if size or only_chunks else place - 4
    return rate, None


def chunks(file: BinaryIO, place: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The chunks of a WAV file from a place on: name, where the content begins, and its length in bytes."""
    while place + 8 <= end:
        file.seek(place)
        name, size = struct.unpack("<4sI", file.read(8))
        if not all(32 <= letter < 127 for letter in name):
            return
        yield name, place + 8, size
        place += 8 + size + size % 2  # an odd chunk has one byte more


def is_cut(kind: str, log: str) -> bool:
    """Whether libsndfile found fewer bytes of samples than the header says."""
    name = LENGTHS.get(kind, "data")
    noted = re.search(rf"^ *{name} *: (\d+) \(should be (\d+)\)", log, flags=re.MULTILINE)
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


def ogg_streams(path: Path) -> int:
    """How many streams the file has, side by side or one after the other. libsndfile reads the first one alone."""
    streams = place = 0
    with path.open("rb") as file:
        while (page := file.read(27))[:4] == b"OggS" and len(page) == 27:
            streams += bool(page[5] & FIRST_PAGE)
            place += 27 + page[26] + sum(file.read(page[26]))
            file.seek(place)
    return streams


def pieces_of(path: Path) -> Iterator[Float[Tensor, "channels samples"]]:
    """The sound in chunks, in float32. Samples are within ±1, except in files of floating-point samples.

    Raises:
        ValueError: as ``check_sound``; also if the file is damaged later on, or a sample is not finite or absurd.
    """
    _, _, samples = check_sound(path)
    read = 0
    for piece in decoded(path):
        yield piece
        read += piece.shape[-1]
    if read < samples:
        raise ValueError(f"{path}: the file is cut short")


def decoded(path: Path) -> Iterator[Float[Tensor, "channels samples"]]:
    """All samples up to the end of the file, in chunks."""
    read = 0
    try:
        with opened(path) as file:
            dtype = "float64" if file.subtype == "DOUBLE" else "float32"
            while True:
                with decoder_messages_caught(path, read) if file.format == "MP3" else nullcontext():
                    block = file.read(BLOCK, dtype=dtype, always_2d=True)
                if not len(block):
                    return
                piece = torch.from_numpy(block.T.copy())
                wrong = ~(piece.abs() <= LOUDEST)  # also nan
                if wrong.any():
                    channel, at = wrong.nonzero()[wrong.nonzero()[:, 1].argmin()].tolist()
                    value = float(piece[channel, at])
                    problem = f"is {value:.1e}, beyond {LOUDEST:.0e}" if abs(value) < float("inf") else "is not finite"
                    raise ValueError(f"{path}: sample {read + at} {problem}")
                read += len(block)
                yield piece.float()
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: damaged after {read} samples ({error.error_string})") from None


def read_sound(path: Path) -> tuple[Float[Tensor, "channels samples"], int]:
    """The whole sound and its sample rate in Hz.

    Raises:
        ValueError: as ``pieces_of``.
    """
    return torch.cat(list(pieces_of(path)), dim=-1), check_sound(path)[0]


def width_for(read: Path, written: Path) -> str | None:
    """How a sample is written, by soundfile's name, so that the result has no fewer bits than the file that was read.

    Floating-point samples stay so in WAV, and have 24 bits in FLAC. None: 16 bits, or Vorbis in OGG.
    """
    with opened(read) as file:
        subtype = file.subtype
    suffix = written.suffix.lower()
    if subtype not in ("PCM_24", "PCM_32", "FLOAT", "DOUBLE") or suffix == ".ogg":
        return None
    return "FLOAT" if suffix == ".wav" and subtype in ("FLOAT", "DOUBLE") else "PCM_24"


def write_sound(path: Path, sound: Float[Tensor, "channels samples"], rate: int, width: str | None = None) -> float:
    """Writes the whole file or nothing, in 16 bits or as ``width`` says. Returns what the sound was divided by.

    Only floating-point samples go beyond ±1. For other widths a louder sound is divided by its highest sample, as a
    whole, so nothing is clipped. Otherwise the divisor is 1.

    Raises:
        ValueError: as ``check_format``, or if a sample is not finite.
    """
    check_format(path, len(sound), rate)
    if not sound.isfinite().all():
        raise ValueError(f"{path}: the sound must be finite, got nan or inf")
    divisor = 1.0 if width == "FLOAT" else max(1.0, float(sound.abs().max()))
    softer = sound / divisor
    buffer = io.BytesIO()
    kind = path.suffix[1:].upper()
    with soundfile.SoundFile(buffer, "w", rate, len(sound), width, format=kind) as file:
        for piece in softer.split(BLOCK, dim=1):  # the OGG encoder fails on long sounds in one piece
            file.write(piece.T.numpy())
    write_bytes(path, buffer.getvalue())
    return divisor


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
