"""``python -m stft``: wrong input is one line and status 2; very short, silent and stereo sounds work."""

import errno
import os
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest
import soundfile
import torch
from PIL import Image

from stft.__main__ import main
from stft.datasets.sound import read_sound, write_sound
from tests import refusals
from tests.stft.checks import normal

pytestmark = pytest.mark.usefixtures("float32")
RATE = 8000  # Hz


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder with a sound, and with files that hold none; nothing warns."""
    monkeypatch.chdir(tmp_path)
    write_sound(Path("a.wav"), 0.1 * normal(1, 1000), RATE)
    Path("text.wav").write_text("no sound")
    Path("empty.flac").touch()
    soundfile.write("none.wav", torch.zeros(0).numpy(), RATE)
    for suffix in ("wav", "flac", "ogg"):
        write_sound(Path(f"whole.{suffix}"), 0.1 * normal(1, 20_000), RATE)
        data = Path(f"whole.{suffix}").read_bytes()
        Path(f"cut.{suffix}").write_bytes(data[: len(data) - 9])
    write_sound(Path("many.wav"), 0.1 * normal(9, 100), RATE)
    Path("folder.wav").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield tmp_path


check_refused = partial(refusals.check_refused, main)


STRETCH, INVERT = ["stretch", "a.wav", "--rate", "0.5", "--out"], ["invert", "a.wav", "--out", "new.wav"]
WRONG = {
    "unknown split": (["--split", "valid"], "split must be one of train, test, compositional, got 'valid'"),
    "no sounds": (["--sounds", "0"], "sounds must be at least 1, got 0"),
    "index below 0": (["hear", "--index", "-1"], "index must not be negative, got -1"),
    "a file in the way": (["--out", "a.wav"], "cannot write a.wav/heard.png: File exists"),
    "a file in the way of show": (["show", "a.wav", "--out", "a.wav"], "cannot write a.wav/source.txt: File exists"),
    "frame 0": (["show", "a.wav", "--frame", "0"], "--frame must be from 2 to 8192 ms at 8,000 Hz"),
    "unknown window": (["show", "a.wav", "--window", "hamm"], "must be one of blackman, hamming, hann, rectangular"),
    "rate 0": (["stretch", "a.wav", "--out", "b.wav", "--rate", "0"], "rate must be from 0.01 to 100, got 0.0"),
    "rate below 0": (["stretch", "a.wav", "--out", "b.wav", "--rate", "-2"], "rate must be from 0.01 to 100, got -2.0"),
    "no rate": (["stretch", "a.wav", "--out", "b.wav", "--rate", "nan"], "rate must be from 0.01 to 100, got nan"),
    "too fast": (["stretch", "a.wav", "--out", "b.wav", "--rate", "101"], "rate must be from 0.01 to 100, got 101.0"),
    "other format": ([*STRETCH, "b.mp3"], "b.mp3: a sound file's name must end in .wav, .flac, .ogg"),
    "other format, no file": (["stretch", "x", "--rate", "2", "--out", "b.mp3"], "b.mp3: a sound file's name must end"),
    "no format": (["invert", "a.wav", "--out", "b"], "b: a sound file's name must end in .wav, .flac, .ogg"),
    "a folder in the way": ([*STRETCH, "folder.wav"], "cannot write folder.wav: Is a directory"),
    "below a file": ([*STRETCH, "a.wav/b.wav"], "cannot write a.wav/b.wav: File exists"),
    "iterations below 0": ([*INVERT, "--iterations", "-1"], "iterations must not be negative, got -1"),
    "momentum 1": ([*INVERT, "--momentum", "1"], "momentum must be from 0 to below 1, got 1.0"),
    "momentum below 0": ([*INVERT, "--momentum", "-0.5"], "momentum must be from 0 to below 1, got -0.5"),
    "no folder to measure": (["measure", "nowhere"], "nowhere: there is no such folder"),
    "nothing to measure": (["measure", "folder.wav"], "folder.wav: there is no .wav file in it"),
    "seed below 0": ([*INVERT, "--seed", "-1"], "seed must be from 0 to below 2^63, got -1"),
    "large seed": ([*INVERT, "--seed", str(2**63)], f"seed must be from 0 to below 2^63, got {2**63}"),
    "unknown verb": (["hera"], "did you mean hear?"),
    "unknown option": (["hear", "--sonds", "4"], "did you mean --sounds?"),
    "no file": (["show"], "required"),
    "two files": (["show", "a.wav", "b.wav"], "b.wav"),
    "no file to write": (["invert", "a.wav"], "--out"),
    "no value": ([*STRETCH], "--out"),
    "no number": (["--seed", "one"], "'one'"),
    "many channels": (["invert", "many.wav", "--out", "b.ogg"], "b.ogg: OGG holds up to 8 channels and 192,000 Hz"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    check_refused(*WRONG[case], capsys)


FILES = {
    "gone.wav": "there is no such file",
    "folder.wav": "there is no such file",
    "text.wav": "no sound file that can be read",
    "empty.flac": "no sound file that can be read",
    "none.wav": "the file holds no samples",
    "cut.wav": "the file is cut short",
    "cut.ogg": "the file is cut short",
    "cut.flac": "damaged after 0 samples",
}


@pytest.mark.parametrize("verb", [["show"], ["stretch", "--rate", "2", "--out", "b.wav"], ["invert", "--out", "b.wav"]])
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_is_no_sound_is_named(work, capsys, verb: list[str], file: str) -> None:
    check_refused([verb[0], file, *verb[1:]], f"error: {file}: {FILES[file]}", capsys)


def test_a_full_disk_leaves_the_old_file(work, capsys, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    check_refused(["stretch", "a.wav", "--rate", "2", "--out", "a.wav"], "a.wav: No space left on device", capsys)
    check_refused(["show", "a.wav"], "runs/stft/show/a.wav/source.txt: No space left on device", capsys)


def test_from_another_folder(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stft", "show", "a.wav"], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: a.wav: there is no such file\n")


ODD = {
    "one sample": torch.full((1, 1), 0.5),
    "ten samples": 0.1 * normal(1, 10).float(),
    "silence": torch.zeros(2, 700),
    "one sample of silence": torch.zeros(1, 1),
    "stereo": 0.1 * normal(2, 999).float(),
    "three channels": 0.1 * normal(3, 5000).float(),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_sounds_are_stretched_and_found_again(work, name: str) -> None:
    """Shorter than a frame, silent, or of several channels: as many channels come out, as long as they should be."""
    channels, samples = ODD[name].shape
    write_sound(Path("odd.wav"), ODD[name], RATE)
    for rate in (0.01, 0.7, 100):
        main(["stretch", "odd.wav", "--rate", str(rate), "--out", "new.wav"])
        sound, sample_rate = read_sound(Path("new.wav"))
        assert sample_rate == RATE
        assert sound.shape == (channels, max(1, round(samples / rate)))
        assert rate == 100 or bool(sound.any()) == bool(ODD[name].any())
    main(["invert", "odd.wav", "--iterations", "3", "--out", "new.wav"])
    sound, _ = read_sound(Path("new.wav"))
    assert sound.shape == (channels, samples)
    assert bool(sound.any()) == bool(ODD[name].any())


@pytest.mark.parametrize("name", ["one sample", "ten samples", "silence", "three channels"])
def test_odd_sounds_are_shown(work, capsys, name: str) -> None:
    write_sound(Path("odd.ogg"), ODD[name], RATE)
    main(["show", "odd.ogg"])
    for path in capsys.readouterr().out.splitlines():
        Image.open(path).verify()
