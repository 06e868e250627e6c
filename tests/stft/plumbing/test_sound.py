"""Sound files: reading gives what was written. A damaged file is refused with one line."""

import errno
import math
import os
import re
from pathlib import Path

import pytest
import soundfile
import torch
from torch.testing import assert_close

from lab import checkpoint
from stft.datasets import sound
from stft.datasets.sound import check_sound, pieces_of, read_sound, write_sound
from tests.stft.checks import normal

RATE = 8000  # Hz


def tones(channels: int, samples: int, rate: int = RATE) -> torch.Tensor:
    """A tone for each channel, of 300, 400, … Hz; within ±0.5."""
    hertz = 300 + 100 * torch.arange(channels)[:, None]
    return 0.5 * torch.sin(2 * math.pi * hertz * torch.arange(samples) / rate)  # (channels, samples)


def noise(samples: int) -> torch.Tensor:
    """Within ±0.5: it needs many bytes, whatever the format."""
    return (0.1 * normal(1, samples)).clamp(-0.5, 0.5)


def refused(path: Path) -> str:
    """The error message of a file that cannot be read: one line that begins with its name."""
    with pytest.raises(ValueError, match=rf"^{re.escape(str(path))}: [^\n]+\Z") as caught:
        read_sound(path)
    return str(caught.value).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("channels", "samples", "rate"), [(1, 1, 8000), (1, 999, 11_025), (2, 4001, 44_100), (3, 1203, 8000)]
)
@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
def test_round_trip(tmp_path, suffix: str, channels: int, samples: int, rate: int) -> None:
    """16 bits: half a step of rounding, and 32767 for 1 where 32768 is read as 1: at ±0.5 a step of 2⁻¹⁵ in all."""
    path, written = tmp_path / f"new/a{suffix}", tones(channels, samples, rate)
    write_sound(path, written, rate)
    read, read_rate = read_sound(path)
    assert read_rate == rate
    assert read.dtype == torch.float32
    assert_close(read, written.float(), rtol=0, atol=2**-15)
    assert check_sound(path) == (rate, channels, samples)
    assert soundfile.info(path).subtype == "PCM_16"


@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 11_025), (3, 44_100)])
def test_round_trip_with_loss(tmp_path, channels: int, rate: int) -> None:
    """Vorbis forgets what is not heard: each channel is like itself and, being another tone, like no other one."""
    written = tones(channels, 6007, rate)
    write_sound(tmp_path / "a.ogg", written, rate)
    read, read_rate = read_sound(tmp_path / "a.ogg")
    assert (read.shape, read_rate) == (written.shape, rate)
    likeness = torch.corrcoef(torch.cat([written, read.double()]))[:channels, channels:]
    assert (likeness.diagonal() > 0.99).all()
    assert (likeness - likeness.diagonal().diag()).abs().max() < 0.2
    assert_close(read.double().std(1), written.std(1), rtol=0.05, atol=0)


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg"])
@pytest.mark.parametrize(("samples", "lengths"), [(2500, [1000, 1000, 500]), (2000, [1000, 1000]), (999, [999])])
def test_pieces_in_a_row_are_the_whole(tmp_path, monkeypatch, suffix: str, samples: int, lengths: list[int]) -> None:
    path = tmp_path / f"a{suffix}"
    write_sound(path, tones(2, samples), RATE)
    whole, _ = read_sound(path)
    monkeypatch.setattr(sound, "BLOCK", 1000)
    pieces = list(pieces_of(path))
    assert [piece.shape for piece in pieces] == [(2, length) for length in lengths]
    assert torch.equal(torch.cat(pieces, dim=1), whole)
    assert torch.equal(read_sound(path)[0], whole)


def test_louder_than_1_is_made_softer_as_a_whole(tmp_path) -> None:
    """A peak of 4 in the second channel: everything is divided by 4, in the first channel too; nothing is cut off."""
    loud = torch.stack([tones(1, 500)[0], -8 * tones(1, 500)[0]])
    loud[1] *= 4 / loud[1].abs().max()
    write_sound(tmp_path / "a.wav", loud, RATE)
    assert_close(read_sound(tmp_path / "a.wav")[0].double(), loud / 4, rtol=0, atol=2**-14)
    assert float(loud.abs().max()) == 4, "the sound that was given is left as it is"


def test_what_lies_within_1_keeps_its_loudness(tmp_path) -> None:
    write_sound(tmp_path / "a.wav", torch.tensor([[1.0, -1.0, 0.25, 0.0]]), RATE)
    assert_close(read_sound(tmp_path / "a.wav")[0].double(), torch.tensor([[1.0, -1.0, 0.25, 0.0]]), rtol=0, atol=2e-4)


@pytest.mark.parametrize("name", ["a.mp3", "a", "a.wav.txt", "wav"])
def test_a_format_that_is_not_written(tmp_path, name: str) -> None:
    path = tmp_path / "new" / name
    with pytest.raises(ValueError, match=r"must end in \.wav, \.flac, \.ogg$") as caught:
        write_sound(path, tones(1, 10), RATE)
    assert str(caught.value).startswith(f"{path}: ")
    assert not path.parent.exists()


def test_what_is_no_sound(tmp_path) -> None:
    (tmp_path / "text.wav").write_text("hello\n" * 100)
    (tmp_path / "empty.wav").touch()
    (tmp_path / "empty.ogg").touch()
    assert refused(tmp_path / "missing.wav") == "there is no such file"
    assert refused(tmp_path) == "there is no such file"
    for name in ("text.wav", "empty.wav", "empty.ogg"):
        assert refused(tmp_path / name).startswith("no sound file that can be read ("), name


@pytest.mark.parametrize("suffix", [".wav", ".ogg"])
def test_no_samples(tmp_path, suffix: str) -> None:
    soundfile.write(tmp_path / f"none{suffix}", torch.zeros(0, 2).numpy(), RATE)
    assert refused(tmp_path / f"none{suffix}") == "the file holds no samples"


def test_a_wav_file_that_is_cut_anywhere(tmp_path) -> None:
    """50 stereo samples of 16 bits: 44 bytes of header and 200 more."""
    write_sound(tmp_path / "a.wav", tones(2, 50), RATE)
    data, path = (tmp_path / "a.wav").read_bytes(), tmp_path / "cut.wav"
    assert len(data) == 244
    for length in [*range(44), *range(44, 244, 9), 243]:
        path.write_bytes(data[:length])
        message = refused(path)
        assert length < 44 or message == "the file is cut short", f"{length} bytes: {message}"
    path.write_bytes(data)
    assert read_sound(path)[0].shape == (2, 50)


def test_a_flac_file_that_is_cut_anywhere(tmp_path) -> None:
    write_sound(tmp_path / "a.flac", noise(12_000), RATE)
    data, path = (tmp_path / "a.flac").read_bytes(), tmp_path / "cut.flac"
    for length in [*range(100), *range(100, len(data), 211), *range(len(data) - 20, len(data))]:
        path.write_bytes(data[:length])
        assert refused(path), f"{length} bytes"
    path.write_bytes(data)
    assert read_sound(path)[0].shape == (1, 12_000)


@pytest.mark.parametrize("seconds", [0.1, 1, 6])
def test_an_ogg_file_that_is_cut_anywhere(tmp_path, seconds: float) -> None:
    """Also between two pages, where all that is left is whole, and inside the last page, where libsndfile is silent."""
    write_sound(tmp_path / "a.ogg", noise(round(seconds * RATE)), RATE)
    data, path = (tmp_path / "a.ogg").read_bytes(), tmp_path / "cut.ogg"
    pages = [at for at in range(len(data)) if data[at : at + 4] == b"OggS"]
    assert seconds < 6 or len(pages) > 4, "several pages of sound"
    near = [at + k for at in pages for k in (-1, 0, 1, 4, 5, 6, 26, 27, 30) if at + k >= 0]
    for length in [*near, *range(0, len(data), 301), *range(len(data) - 20, len(data))]:
        path.write_bytes(data[:length])
        assert refused(path), f"{length} bytes"
    path.write_bytes(data[: pages[-1]])
    assert seconds < 6 or refused(path) == "the file is cut short"
    path.write_bytes(data)
    assert read_sound(path)[0].shape == (1, round(seconds * RATE))


def test_damage_further_on_is_reported_after_the_good_samples(tmp_path, monkeypatch) -> None:
    """A frame of FLAC has 4096 samples and a checksum. Sample 36,000 lies in the one from 32,768 on."""
    write_sound(tmp_path / "a.flac", noise(40_000), RATE)
    whole, _ = read_sound(tmp_path / "a.flac")
    data, path = bytearray((tmp_path / "a.flac").read_bytes()), tmp_path / "damaged.flac"
    for k in range(20):
        data[len(data) * 9 // 10 + k] ^= 0xFF
    path.write_bytes(data)
    monkeypatch.setattr(sound, "BLOCK", 5000)
    came = []
    with pytest.raises(ValueError, match=r"damaged\.flac: damaged after 30000 samples \(.*\)$"):
        came.extend(pieces_of(path))
    assert torch.equal(torch.cat(came, dim=1), whole[:, :30_000])
    assert refused(path).startswith("damaged after 30000 samples")


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch, owner, name: str) -> None:
    path = tmp_path / "a.wav"
    write_sound(path, tones(1, 100), RATE)
    before = path.read_bytes()

    def fails(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    assert checkpoint.os is os
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, fails)
        with pytest.raises(OSError, match=r"^cannot write .*a\.wav: No space left on device$"):
            write_sound(path, tones(2, 200), RATE)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]
    write_sound(path, tones(2, 200), RATE)
    assert read_sound(path)[0].shape == (2, 200), "and when the disk has room, it is written"
