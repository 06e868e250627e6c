"""What a format can hold, what a header says and what does not: the cases that libsndfile alone would get wrong."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from torch.testing import assert_close

from stft.datasets import sound
from stft.datasets.sound import check_format, check_sound, read_sound, write_sound
from tests.stft.checks import normal

RATE = 8000  # Hz


def noise(channels: int, samples: int) -> torch.Tensor:
    return (0.1 * normal(channels, samples)).clamp(-0.5, 0.5)


@pytest.mark.parametrize(
    ("suffix", "channels", "rate"),
    [
        (".wav", 1024, 8000),
        (".wav", 1, 1_000_000),
        (".flac", 8, 8000),
        (".flac", 1, 655_350),
        (".ogg", 8, 8000),
        (".ogg", 1, 192_000),
    ],
)
def test_the_most_that_a_format_holds(tmp_path, suffix: str, channels: int, rate: int) -> None:
    write_sound(tmp_path / f"a{suffix}", noise(channels, 50), rate)
    assert check_sound(tmp_path / f"a{suffix}") == (rate, channels, 50)


@pytest.mark.parametrize(
    ("suffix", "channels", "rate"),
    [(".wav", 1025, 8000), (".flac", 9, 8000), (".flac", 1, 655_351), (".ogg", 9, 8000), (".ogg", 1, 192_001)],
)
def test_more_than_a_format_holds(tmp_path, suffix: str, channels: int, rate: int) -> None:
    """libsndfile itself has another message, or ends the process."""
    path = tmp_path / f"a{suffix}"
    with pytest.raises(
        ValueError, match=rf"a{suffix}: {suffix[1:].upper()} holds up to .* got {channels:,} and {rate:,}$"
    ):
        write_sound(path, noise(channels, 50), rate)
    assert not path.exists()
    check_format(path, 1, RATE)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
def test_a_long_sound_is_written_piece_by_piece(tmp_path, monkeypatch, suffix: str) -> None:
    """libsndfile ends the process if it gets 4 million samples of OGG at once. Between blocks nothing is lost."""
    monkeypatch.setattr(sound, "BLOCK", 1000)
    x = 0.3 * torch.sin(torch.arange(2300) * torch.tensor([[0.3], [0.5]]))
    write_sound(tmp_path / f"a{suffix}", x, RATE)
    assert_close(read_sound(tmp_path / f"a{suffix}")[0].double(), x, rtol=0, atol=0.05 if suffix == ".ogg" else 2**-15)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite(tmp_path, monkeypatch, wrong: float) -> None:
    """A file of floating-point samples may contain it. The message names the sample."""
    x = noise(2, 3000).float()
    x[1, 2345] = wrong
    with pytest.raises(ValueError, match=r"a\.wav: the sound must be finite, got nan or inf$"):
        write_sound(tmp_path / "a.wav", x, RATE)
    assert not list(tmp_path.iterdir())
    soundfile.write(tmp_path / "b.wav", x.T.numpy(), RATE, subtype="FLOAT")
    monkeypatch.setattr(sound, "BLOCK", 1000)
    with pytest.raises(ValueError, match=r"b\.wav: sample 2345 is not finite$"):
        read_sound(tmp_path / "b.wav")


def test_floating_point_samples_are_read_as_they_are(tmp_path) -> None:
    x = 20 * normal(1, 500).float()
    soundfile.write(tmp_path / "a.wav", x.T.numpy(), RATE, subtype="FLOAT")
    assert torch.equal(read_sound(tmp_path / "a.wav")[0], x)


@pytest.mark.parametrize("kind", ["CAF", "VOC", "NIST", "IRCAM", "PAF", "XI", "MAT5"])
def test_other_formats_are_not_read(tmp_path, kind: str) -> None:
    """libsndfile could; that they are whole is not known here."""
    soundfile.write(tmp_path / "a.wav", noise(1, 5000).T.numpy(), RATE, format=kind)
    with pytest.raises(ValueError, match=rf"a\.wav: only WAV, .*, FLAC, OGG, MP3 are read, got {kind}$"):
        read_sound(tmp_path / "a.wav")


@pytest.mark.parametrize(
    ("kind", "subtype"),
    [("RF64", "FLOAT"), ("W64", "PCM_24"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AU", "PCM_32")],
)
@pytest.mark.parametrize(("channels", "samples"), [(1, 1), (2, 4999)])
def test_formats_of_studios_are_read_whole_or_refused(tmp_path, kind, subtype, channels: int, samples: int) -> None:
    """From the first byte to the last one; one byte that is missing is seen."""
    path, x = tmp_path / "a", noise(channels, samples)
    soundfile.write(path, x.T.numpy(), RATE, format=kind, subtype=subtype)
    assert check_sound(path) == (RATE, channels, samples)
    assert_close(read_sound(path)[0].double(), x, rtol=0, atol=2**-15)
    data = path.read_bytes()
    for cut in (len(data) - 1, len(data) - 9, len(data) // 2, 20):
        path.write_bytes(data[:cut])
        with pytest.raises(ValueError, match=rf"^{path}: [^\n]*(cut short|no samples|no sound file)[^\n]*$"):
            read_sound(path)


@pytest.mark.parametrize(("rate", "mode"), [(8000, "CONSTANT"), (8000, "VARIABLE"), (44_100, "VARIABLE")])
def test_mp3_is_read_whole_or_refused(tmp_path, capfd, rate: int, mode: str) -> None:
    """With tags or without; libsndfile's decoder has nothing to print. Without its length a part would be lost."""
    x, path = noise(2, 30_000), tmp_path / "a"
    soundfile.write(path, x.T.numpy(), rate, format="MP3", bitrate_mode=mode, compression_level=0.2)
    data = path.read_bytes()
    tag = b"ID3\3\0\0\0\0\1\0" + bytes(128)
    for whole in (data, tag + data, data + b"TAG" + bytes(125), data + b"APETAGEX" + bytes(2000)):
        path.write_bytes(whole)
        assert check_sound(path) == (rate, 2, 30_000)
        likeness = torch.corrcoef(torch.cat([x, read_sound(path)[0].double()]))[:2, 2:].diagonal()
        assert (likeness > 0.5).all(), "the decoder's delay is left out"
    for wrong, message in (
        (data[:-1], "the file is cut short"),
        (tag + data[: len(data) // 2], "the file is cut short"),
        (data[data.find(data[:2], 300) :], "an MP3 file without its length is not read: write it as WAV or FLAC first"),
        (data + data, "an MP3 file must have one stream, and more follows"),
        (data[:100], "the file is cut short"),
        (data[:20], "an MP3 file without its length"),
        (tag, "no sound file that can be read"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(ValueError, match=rf"^{path}: {message}[^\n]*$"):
            read_sound(path)
    assert capfd.readouterr() == ("", "")


DAMAGES = {  # what happens to 40 bytes in the middle of an MP3 file, or to 400
    "zeros": lambda part, rest: bytes(40) + rest,
    "ones": lambda part, rest: b"\xff" * 400 + rest[360:],
    "other bytes": lambda part, rest: part[::-1] + rest,
    "left out": lambda part, rest: rest + bytes(40),
    "written twice": lambda part, rest: part + part + rest[:-40],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_mp3_file_that_is_damaged_in_the_middle_is_named(tmp_path, monkeypatch, capfd, damage: Callable) -> None:
    """The decoder notes most damages on stderr, at any place, without the file's name. Some it cannot see."""
    path, said = tmp_path / "a", []
    monkeypatch.setattr(sound, "BLOCK", 1000)
    soundfile.write(path, noise(2, 30_000).T.numpy(), 44_100, format="MP3", compression_level=0.3)
    data = path.read_bytes()
    for at in range(1000, len(data) - 1000, len(data) // 24):
        path.write_bytes(data[:at] + damage(data[at : at + 40], data[at + 40 :]))
        try:
            read_sound(path)
        except ValueError as error:
            said.append(str(error))
    found = [re.fullmatch(rf"{path}: (damaged after (\d+) samples \(.+\)|.* cut short)", line) for line in said]
    assert None not in found, said
    samples = [int(one[2]) for one in found if one[2]]
    assert samples == sorted(samples), "each damage comes later than the one before"
    assert len(set(samples)) > 1, samples
    assert capfd.readouterr() == ("", ""), "a message of the decoder"


def test_the_name_does_not_matter_when_a_file_is_read(tmp_path) -> None:
    """A WAV file may be called .ogg; and an OGG file that is cut is cut under every name."""
    x = noise(1, 40_000)
    for suffix in (".wav", ".flac", ".ogg"):
        write_sound(tmp_path / f"a{suffix}", x, RATE)
        data = (tmp_path / f"a{suffix}").read_bytes()
        for name in ("b.wav", "b.flac", "b.ogg", "b"):
            (tmp_path / name).write_bytes(data)
            assert read_sound(tmp_path / name)[0].shape == (1, 40_000), (suffix, name)
            (tmp_path / name).write_bytes(data[:-9])
            with pytest.raises(ValueError, match=r"the file is cut short|damaged after"):
                read_sound(tmp_path / name)


def with_lengths(path: Path, riff: int, data: int) -> None:
    """Puts other lengths into the header of 44 bytes."""
    content = bytearray(path.read_bytes())
    content[4:8], content[40:44] = struct.pack("<I", riff), struct.pack("<I", data)
    path.write_bytes(content)


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x7FFFFFFF, 0x7FFFF000])
def test_a_wav_file_out_of_a_pipe_is_whole(tmp_path, length: int) -> None:
    """Who writes into a pipe does not know how long it becomes, and puts the greatest number there."""
    x = noise(1, 777)
    write_sound(tmp_path / "a.wav", x, RATE)
    with_lengths(tmp_path / "a.wav", length, length)
    assert_close(read_sound(tmp_path / "a.wav")[0], x.float(), rtol=0, atol=2**-15)


def test_bytes_behind_the_samples_are_no_cut(tmp_path) -> None:
    """Some programs write tags there, whether the header counts them or not."""
    write_sound(tmp_path / "a.wav", noise(1, 777), RATE)
    data = (tmp_path / "a.wav").read_bytes()
    for more in (b"LIST\4\0\0\0INFO", b"\0" * 1000):
        (tmp_path / "a.wav").write_bytes(data + more)
        assert check_sound(tmp_path / "a.wav") == (RATE, 1, 777)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW"])
@pytest.mark.parametrize("samples", [1, 999])
def test_other_widths_of_a_sample_are_read(tmp_path, subtype: str, samples: int) -> None:
    """Also an odd number of bytes, behind which a byte is filled in."""
    x = noise(1, samples)
    soundfile.write(tmp_path / "a.wav", x.T.numpy(), RATE, subtype=subtype)
    accuracy = {"PCM_U8": 1 / 128, "ULAW": 1 / 64}.get(subtype, 2**-22)
    assert_close(read_sound(tmp_path / "a.wav")[0], x.float(), rtol=0, atol=accuracy)
    data = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(data[:-2])
    with pytest.raises(ValueError, match="the file is cut short"):
        read_sound(tmp_path / "a.wav")
