"""What recorders, phones and ffmpeg write: each file is read right, or refused in one line that names it."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch.testing import assert_close

from stft.datasets.sound import check_sound, pieces_of, read_sound, width_for, write_sound
from tests.stft.checks import normal

RATE = 8000  # Hz
SOUND = (0.1 * normal(2, 5000)).clamp(-0.5, 0.5)
SAMPLES = (32768 * SOUND).round().short().T.numpy().astype("<i2").tobytes()
ENCODER = (b"LIST", b"INFOISFT\x0e\0\0\0Lavf58.76.100\0")  # what ffmpeg writes before the samples
TAGS = b"LIST\x10\0\0\0INFOIART\4\0\0\0you\0"


def wav(
    *chunks: tuple[bytes, bytes],
    data: bytes = SAMPLES,
    size: int | None = None,
    riff: int | None = None,
    rate: int = RATE,
    channels: int = 2,
    tag: int = 1,
    behind: bytes = b"",
) -> bytes:
    """A WAV file of 16 bits; ``size`` and ``riff`` are what the header says instead of the true lengths."""
    align = 2 * channels % 2**16
    form = struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align, 16)
    body = b"WAVE"
    for name, content in ((b"fmt ", form), *chunks):
        body += name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    body += b"data" + struct.pack("<I", len(data) if size is None else size) + data + behind
    return b"RIFF" + struct.pack("<I", len(body) if riff is None else riff) + body


def encoded(path: Path, **options: str) -> bytes:
    """SOUND in another format of soundfile."""
    soundfile.write(path, SOUND.T.numpy(), RATE, **options)
    return path.read_bytes()


def flac(length: int, checksum: bool = True) -> Callable[[Path], bytes]:
    """A FLAC file whose header says another number of samples, 0 for unknown, and may have no checksum."""

    def build(folder: Path) -> bytes:
        data = bytearray(encoded(folder / "whole.flac"))
        data[21] &= 0xF0
        data[22:26] = struct.pack(">I", length)
        data[26:42] = data[26:42] if checksum else bytes(16)
        return bytes(data)

    return build


STREAMED = {"size": 0xFFFFFFFF, "riff": 0xFFFFFFFF}
WHOLE = {
    "streamed FLAC": flac(0),
    "streamed FLAC without a checksum": flac(0, checksum=False),
    "ffmpeg into a pipe": lambda _: wav(ENCODER, **STREAMED),
    "no length at all": lambda _: wav(ENCODER, size=0, riff=0),
    "no length of the samples": lambda _: wav(size=0),
    "no length of the file": lambda _: wav(riff=0),
    "chunks of a broadcaster": lambda _: wav((b"bext", b"x" * 603), (b"JUNK", bytes(28)), (b"iXML", b"<a/>")),
    "tags behind the samples": lambda _: wav(behind=TAGS),
    "FLAC with tags of MP3": lambda folder: b"ID3\3\0\0\0\0\0\n" + bytes(10) + encoded(folder / "a.flac"),
    "24 bits": lambda folder: encoded(folder / "a.wav", subtype="PCM_24"),
    "many channels' header": lambda folder: encoded(folder / "a.wav", format="WAVEX"),
    "the highest byte first": lambda folder: encoded(folder / "a.wav", endian="BIG"),
    "RF64": lambda folder: encoded(folder / "a.rf64", format="RF64"),
    "W64": lambda folder: encoded(folder / "a.w64", format="W64"),
    "AIFF with tags": lambda folder: encoded(folder / "a.aiff") + b"NAME\0\0\0\4song",
}


@pytest.mark.parametrize("name", WHOLE)
def test_read_right(tmp_path, name: str) -> None:
    path = tmp_path / "a file"
    path.write_bytes(WHOLE[name](tmp_path))
    assert check_sound(path) == (RATE, 2, 5000)
    assert_close(read_sound(path)[0].double(), SOUND, rtol=0, atol=2**-15)


@pytest.mark.parametrize(
    ("subtype", "channels", "samples"),
    [("GSM610", 1, 5120), ("G721_32", 1, 5040), ("IMA_ADPCM", 2, 5050), ("MS_ADPCM", 2, 5000), ("ALAW", 2, 5000)],
)
def test_codecs_of_telephones(tmp_path, subtype: str, channels: int, samples: int) -> None:
    """GSM and G.721 are read in blocks of 320 and 120 samples; the last block is filled up. The tone is heard."""
    tone = 0.5 * np.sin(2 * np.pi * 440 / RATE * np.arange(5000))
    soundfile.write(tmp_path / "a.wav", np.stack([tone] * channels, axis=1), RATE, subtype=subtype)
    sound, rate = read_sound(tmp_path / "a.wav")
    assert (sound.shape, rate) == ((channels, samples), RATE)
    for channel in sound:
        assert float(torch.corrcoef(torch.stack([channel[:5000], torch.from_numpy(tone).float()]))[0, 1]) > 0.97


ABSURD = "the sample rate must be from 1 to 10,000,000 Hz, got "
REFUSED = {
    "rate 0": (lambda _: wav(rate=0), ABSURD + "0"),
    "rate 2^31 - 1": (lambda _: wav(rate=2**31 - 1), ABSURD + "2,147,483,647"),
    "rate 2^32 - 1": (lambda _: wav(rate=2**32 - 1), ABSURD + "4,294,967,295"),
    "rate 10^7 + 1": (lambda _: wav(rate=10_000_001), ABSURD + "10,000,001"),
    "no channels": (lambda _: wav(channels=0), "no sound file that can be read (Channel count is zero.)"),
    "no samples, only tags": (
        lambda _: wav(data=b"", behind=TAGS),
        "the file holds no samples",
    ),
    "no samples": (lambda _: wav(data=b""), "the file holds no samples"),
    "an unknown codec": (lambda _: wav(tag=0x1234), "no sound file that can be read (Error in WAV/W64/RF64 file."),
    "empty": (lambda _: b"", "no sound file that can be read (the file is empty)"),
    "text": (lambda _: b"hello\n" * 50, "no sound file that can be read (Format not recognised.)"),
    "a phone's M4A": (lambda _: b"\0\0\0\x20ftypM4A " + bytes(90), "no sound file that can be read (Format not"),
    "RIFF and no more": (lambda _: b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1", "no sound file that can be read ("),
    "streamed FLAC, cut": (lambda folder: flac(0)(folder)[:-9], "damaged after 0 samples (Error : flac decoder lost"),
    "FLAC with fewer samples": (flac(9000), "the file is cut short"),
    "two OGG files in a row": (
        lambda folder: 2 * encoded(folder / "a.ogg"),
        "an OGG file must have one stream, got 2",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(tmp_path, name: str) -> None:
    build, message = REFUSED[name]
    path = tmp_path / "a file"
    path.write_bytes(build(tmp_path))
    with pytest.raises(ValueError, match=r"^[^\n]+\Z") as caught:
        list(pieces_of(path))
    assert str(caught.value).startswith(f"{path}: {message}"), caught.value


def test_raw_samples_have_no_header(tmp_path) -> None:
    (tmp_path / "a.raw").write_bytes(SAMPLES)
    with pytest.raises(ValueError, match=r"a\.raw: no sound file that can be read \(raw samples without a header\)$"):
        read_sound(tmp_path / "a.raw")


def test_the_greatest_sample(tmp_path) -> None:
    """Programs that forget to divide write floating-point samples of 2^15 or 2^31. 1e12 is read, more is not."""
    for value, problem in ((1e12, None), (2e12, "sample 7 is 2.0e+12, beyond 1e+12"), (1e300, "sample 7 is 1.0e+300")):
        samples = np.zeros(9)
        samples[7] = value
        soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="DOUBLE")
        if problem is None:
            assert float(read_sound(tmp_path / "a.wav")[0][0, 7]) == pytest.approx(value)
        else:
            with pytest.raises(ValueError, match=r"beyond 1e\+12$") as caught:
                read_sound(tmp_path / "a.wav")
            assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("read", "written", "width"),
    [
        ("FLOAT", "b.wav", "FLOAT"),
        ("DOUBLE", "b.WAV", "FLOAT"),
        ("FLOAT", "b.flac", "PCM_24"),
        ("FLOAT", "b.ogg", None),
        ("PCM_24", "b.wav", "PCM_24"),
        ("PCM_32", "b.flac", "PCM_24"),
        ("PCM_16", "b.wav", None),
        ("ULAW", "b.flac", None),
    ],
)
def test_what_is_written_has_no_fewer_bits(tmp_path, read: str, written: str, width: str | None) -> None:
    """A sound of 24 bits at least: one step of 2⁻²³ is kept, unless OGG is written."""
    soundfile.write(tmp_path / "a.wav", SOUND.T.numpy(), RATE, subtype=read)
    assert width_for(tmp_path / "a.wav", tmp_path / written) == width
    assert write_sound(tmp_path / written, SOUND, RATE, width) == 1
    accuracy = {".ogg": 0.5}.get(Path(written).suffix, 2**-15 if width is None else 2**-22)
    assert_close(read_sound(tmp_path / written)[0].double(), SOUND, rtol=0, atol=accuracy)


def test_only_floating_point_samples_go_beyond_1(tmp_path) -> None:
    loud = 8 * SOUND
    highest = float(loud.abs().max())
    assert write_sound(tmp_path / "a.wav", loud, RATE, "FLOAT") == 1
    assert_close(read_sound(tmp_path / "a.wav")[0].double(), loud, rtol=1e-6, atol=0)
    assert write_sound(tmp_path / "a.wav", loud, RATE, "PCM_24") == highest
    assert_close(read_sound(tmp_path / "a.wav")[0].double(), loud / highest, rtol=0, atol=2**-22)
