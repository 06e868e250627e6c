"""``python -m stft``: every verb and every flag has its effect."""

import json
import math
import re
import warnings
from pathlib import Path

import pytest
import soundfile
import torch
from PIL import Image
from torch.testing import assert_close

from stft import figures
from stft.__main__ import main
from stft.commands import hear as hear_verb
from stft.commands import show as show_verb
from stft.commands.measure import spread
from stft.commands.stretch import padded_istft
from stft.datasets.sound import read_sound, write_sound
from stft.evaluate import CHANCE, hearing
from stft.extensions.analysis import analyse
from stft.extensions.fast import stft
from stft.report.chapter import SHOWN
from stft.windows import blackman
from tests.pictures import keep_figures
from tests.refusals import check_refused
from tests.stft.checks import normal
from toyworld import hear, scene_at

pytestmark = pytest.mark.usefixtures("float32")
RATE = 8000  # Hz


def run(*arguments: object) -> None:
    main([str(argument) for argument in arguments])


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    """A folder to work in, with a tone of 440 Hz in ``tone.wav``; nothing warns."""
    monkeypatch.chdir(tmp_path)
    write_sound(Path("tone.wav"), 0.5 * tone(440, 6000)[None], RATE)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield tmp_path


def tone(hertz: float, samples: int) -> torch.Tensor:
    return torch.sin(2 * math.pi * hertz * torch.arange(samples) / RATE)


def pitch(sound: torch.Tensor) -> tuple[float, float]:
    """Of the strongest tone: frequency in Hz, and amplitude."""
    window = torch.hann_window(len(sound))
    spectrum = torch.fft.rfft(sound * window, n=16 * len(sound)).abs()
    return int(spectrum.argmax()) / (16 * len(sound)) * RATE, 2 * float(spectrum.max() / window.sum())


def magnitudes(file: str | Path) -> torch.Tensor:
    """Of the frames of 64 ms, a quarter apart, by torch."""
    sound, rate = read_sound(Path(file))
    n = 2 * round(0.032 * rate)
    return torch.stft(sound, n, window=torch.hann_window(n), pad_mode="constant", return_complex=True).abs()


def check_images(*paths: object) -> None:
    for path in paths:
        Image.open(path).verify()


def test_hear_by_default(work, monkeypatch, capsys) -> None:
    """Scene 1 of the test split, and 500 sounds in each split, which are not computed here."""
    asked = []
    monkeypatch.setattr(
        hear_verb, "listen", lambda folder, seed, sounds, line: asked.append((folder, seed, sounds)) or {}
    )
    run()
    folder = Path("runs/stft/toy")
    assert asked == [(folder, 0, 500)]
    names = ["heard.png", "windows.png", "scene.wav", "results.json"]
    assert set(SHOWN) == {"heard", "windows", "scene"}, "the tour shows them"
    assert capsys.readouterr().out.splitlines()[-4:] == [str(folder / name) for name in names]
    check_images(folder / "heard.png", folder / "windows.png")
    sound, rate = read_sound(folder / "scene.wav")
    assert rate == 16_000
    assert_close(sound, hear(scene_at("test", 0, 1)), rtol=0, atol=2**-15)


def test_flags_of_hear(work, monkeypatch, capsys) -> None:
    asked = []
    monkeypatch.setattr(hear_verb, "hearing", lambda *arguments: asked.append(arguments) or hearing(*arguments))
    run("hear", "--split", "compositional", "--seed", 3, "--index", 2, "--sounds", 4, "--out", "a/b c")
    scene = scene_at("compositional", 3, 2)
    assert_close(read_sound(Path("a/b c/scene.wav"))[0], hear(scene), rtol=0, atol=2**-15)
    results = json.loads(Path("a/b c/results.json").read_text())
    assert results["command"].endswith("--sounds 4 --out 'a/b c'")
    assert (results["sounds"], results["chance"]) == (4, CHANCE)
    assert asked == [("test", 3, 4), ("compositional", 3, 4)]
    assert results["accuracy"] == {split: hearing(split, seed, sounds) for split, seed, sounds in asked}
    _, *rows = capsys.readouterr().out.splitlines()[:5]
    for row, name in zip(rows, CHANCE, strict=True):
        parts = [CHANCE[name], *(results["accuracy"][split][name] for split in ("test", "compositional"))]
        assert row.split() == [name, *(f"{100 * part:.1f}%" for part in parts)]


@pytest.mark.parametrize(("channels", "rate", "frame"), [(1, 8000, 512), (2, 11_025, 706)])
def test_show(work, monkeypatch, capsys, channels: int, rate: int, frame: int) -> None:
    """A name may have signs that are mathematics for matplotlib. Two files of one stem have two folders."""
    name = "a $x_{$ b 긴 이름.flac"
    write_sound(Path(name), 0.1 * normal(channels, 4000), rate)
    drawn = keep_figures(monkeypatch, figures)
    run("show", name, *(["--out", "x/y"] if channels == 2 else []))
    folder = "x/y" if channels == 2 else f"runs/stft/show/{name}"
    paths = capsys.readouterr().out.splitlines()
    assert paths == [f"{folder}/{picture}.png" for picture in ("sound", "frames", "windows")]
    check_images(*paths)
    for part in (name, f"{rate:,} Hz", f"{4000 / rate:.2f} s"):
        assert part in drawn[0].get_suptitle()
    assert f"hann window of {frame} samples" in drawn[0].get_suptitle()
    assert f"{frame} samples" in drawn[2].get_suptitle()
    assert [axes.get_title().split()[0] for axes in drawn[1].axes[:2]] == [str(frame), str(2 * round(frame / 16))]
    assert drawn[0].axes[0].get_xlim() == pytest.approx((0, 4000 / rate))
    assert drawn[2].axes[0].get_xlim() == (0, rate / 2)


def test_the_frame_and_the_window_are_handed_on(work, monkeypatch) -> None:
    """Whole sound, and 16 frames around its highest sample, with 64 and with 8 samples a frame."""
    sound = torch.zeros(1, 6000)
    sound[0, 4000] = 1
    write_sound(Path("a.wav"), sound, RATE)
    asked = []
    monkeypatch.setattr(show_verb, "analyse", lambda *given: asked.append(given) or analyse(*given))
    for name in ("draw_sound", "draw_frames", "draw_windows"):
        monkeypatch.setattr(show_verb, name, lambda *given: None)
    run("show", "a.wav", "--frame", 8, "--window", "blackman")
    assert [given[2:] for given in asked] == [(6000, 64, blackman), (1024, 64, blackman), (1024, 8, blackman)]
    assert int(asked[1][0][0].argmax()) == 512


def test_pictures_of_another_file_are_kept(work, monkeypatch, capsys) -> None:
    """Files of one name in two folders; a folder of the user; pictures without a note of their file."""
    for name in ("draw_sound", "draw_frames", "draw_windows"):
        monkeypatch.setattr(show_verb, name, lambda path, *given: path.touch())
    folders = []
    for folder in ("a", "b", "a", "c", "b"):
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "x.wav").write_bytes(Path("tone.wav").read_bytes())
        run("show", f"{folder}/x.wav")
        folders.append(Path(capsys.readouterr().out.split()[0]).parent.name)
    assert folders == ["x.wav", "x.wav-2", "x.wav", "x.wav-3", "x.wav-2"]
    run("show", "a/x.wav", "--out", "mine")
    run("show", "a/x.wav", "--out", "mine")
    Path("old").mkdir()
    Path("old/windows.png").touch()
    capsys.readouterr()
    Path("begun").mkdir()
    Path("begun/source.txt").write_text("another file")
    for out in ("mine", "old", "begun"):
        for verb in (["show", "b/x.wav"], ["hear", "--sounds", "1"]):
            check_refused(main, [*verb, "--out", out], f"{out}: this folder has pictures of another file", capsys)
    monkeypatch.setattr(hear_verb, "listen", lambda *given: {})
    Path("scene").mkdir()
    for name in ("draw_sound", "draw_leakage"):
        monkeypatch.setattr(hear_verb, name, lambda path, *given: path.open("ab").write(b"drawn"))
    for _ in range(2):
        run("hear", "--out", "scene")
    capsys.readouterr()
    check_refused(main, ["show", "b/x.wav", "--out", "scene"], "scene: this folder has pictures of another", capsys)
    assert Path("scene/windows.png").read_bytes() == 2 * b"drawn", "its own pictures are drawn anew"


@pytest.mark.parametrize(
    ("rate", "length", "lost"),
    [(2, 3000, 0.01), (1.7, 3529, 0.01), (1, 6000, 1e-3), (0.8, 7500, 0.1), (0.3, 20_000, 1)],
)
def test_a_stretched_tone_keeps_its_pitch(work, capsys, rate: float, length: int, lost: float) -> None:
    """It keeps its loudness too, unless it is slowed down: there the phases of neighbouring bins no longer agree.

    ``librosa.effects.time_stretch`` loses just as much.
    """
    run("stretch", "tone.wav", "--rate", rate, "--out", "b/c.flac")
    assert capsys.readouterr() == (f"0.75 s became {length / 8000:.2f} s\nb/c.flac\n", "")
    sound, sample_rate = read_sound(Path("b/c.flac"))
    assert (sample_rate, sound.shape) == (8000, (1, length))
    hertz, amplitude = pitch(sound[0, length // 4 : -length // 4])
    assert hertz == pytest.approx(440, abs=1)
    assert 0.5 * (1 - lost) < amplitude < 0.5 * 1.001


def test_what_comes_in_the_middle_stays_in_the_middle(work) -> None:
    """500 Hz on the left and 800 Hz on the right, then the other way round; written over the file that is read."""
    low, high = 0.3 * tone(500, 8000), 0.3 * tone(800, 8000)
    write_sound(Path("a.wav"), torch.stack([torch.cat([low, high]), torch.cat([high, low])]), RATE)
    run("stretch", "a.wav", "--rate", 1.6, "--out", "a.wav")
    sound, _ = read_sound(Path("a.wav"))
    assert sound.shape == (2, 10_000)
    heard = [[pitch(part)[0] for part in (channel[500:4500], channel[5500:9500])] for channel in sound]
    assert heard == [pytest.approx([500, 800], abs=1), pytest.approx([800, 500], abs=1)]


def test_silence_follows_the_last_frame() -> None:
    """20 samples, 6 frames of 16, one every 4: the last one's middle is at 20, so that it reaches 28."""
    x = normal(20)
    spectrum = stft(x, 16, pad_mode="constant")
    assert_close(padded_istft(spectrum, 16, 40), torch.nn.functional.pad(x, (0, 20)))
    assert_close(padded_istft(spectrum, 16, 9), x[:9])


@pytest.mark.parametrize("verb", [["stretch", "--rate", "1"], ["invert", "--iterations", "0"]])
def test_the_loudness_is_kept_or_the_change_is_said(work, capsys, verb: list[str]) -> None:
    """Floating-point samples of up to 8, and of 1e-7, are written as such. FLAC ends at 1: 18.1 dB are 20 log₁₀ 8."""
    for loudness, out in ((8.0, "b.wav"), (1e-7, "b.wav"), (8.0, "b.flac")):
        sound = loudness * torch.cat([torch.zeros(2000), tone(440, 6000), torch.zeros(2000)])[None]
        soundfile.write("a.wav", sound.T.numpy(), RATE, subtype="FLOAT")
        run(verb[0], "a.wav", *verb[1:], "--out", out)
        said = re.findall(r"^(.*) dB softer, so that no sample is beyond ±1$", capsys.readouterr().out, re.MULTILINE)
        found, kept = read_sound(Path(out))[0], loudness if out == "b.wav" else 1
        assert len(said) == (out == "b.flac")
        assert 0.2 * kept < float(found.abs().max()) < 5 * kept
        if verb[0] == "stretch":
            assert_close(found, sound * kept / loudness, rtol=0, atol=1e-6 * kept)
            assert said == ([] if out == "b.wav" else ["18.1"])


def inverted(capsys, *arguments: object) -> tuple[float, float, bytes]:
    """The printed errors in dB, the first and the last, and the file."""
    run("invert", "chirp.wav", "--out", "found.wav", *arguments)
    printed = capsys.readouterr().out
    first, last = re.findall(r"(-?\d+\.\d) dB", printed)
    return float(first), float(last), Path("found.wav").read_bytes()


def test_invert_finds_a_sound_with_these_magnitudes(work, capsys) -> None:
    """The printed error is that of the file; each flag has its effect."""
    t = torch.arange(6000) / RATE
    write_sound(Path("chirp.wav"), 0.5 * torch.sin(2 * math.pi * (300 * t + 400 * t**2))[None], RATE)
    first, last, data = inverted(capsys)
    true, found = magnitudes("chirp.wav"), magnitudes("found.wav")
    assert found.shape == true.shape
    assert last == pytest.approx(20 * math.log10((found - true).norm() / true.norm()), abs=0.1)
    assert first > -8
    assert last < -25
    assert inverted(capsys, "--iterations", 100, "--momentum", 0.99, "--seed", 0)[2] == data, "the same bytes"
    slow = inverted(capsys, "--momentum", 0)
    assert slow[0] == first
    assert slow[1] > last + 3, "momentum ends nearer"
    none = inverted(capsys, "--iterations", 0)
    assert none[0] == none[1] == first
    few, other = inverted(capsys, "--iterations", 5), inverted(capsys, "--iterations", 5, "--seed", 1)
    assert last < few[1] < first
    assert other[2] != few[2], "another seed, another sound"
    silence = torch.zeros(1, 2000)
    write_sound(Path("chirp.wav"), silence, RATE)
    inverted(capsys, "--iterations", 2)
    assert torch.equal(read_sound(Path("found.wav"))[0], silence)


def test_measure(work, capsys) -> None:
    """The quantiles of one file are that file's error, and ``invert`` prints the same."""
    write_sound(Path("chirp.wav"), 0.1 * normal(2, 3000), RATE)
    first, last, _ = inverted(capsys, "--iterations", 9, "--momentum", 0.7, "--seed", 5)
    _, slow, _ = inverted(capsys, "--iterations", 9, "--momentum", 0, "--seed", 5)
    Path("some").mkdir()
    Path("chirp.wav").rename("some/chirp.wav")
    run("measure", "some", "--iterations", 9, "--momentum", 0.7, "--seed", 5, "--out", "a/b.json")
    rows = {"random phases": first, "without momentum": slow, "with momentum": last}
    _, *printed, path = capsys.readouterr().out.splitlines()
    assert [line.split() for line in printed] == [
        [*name.split(), *[f"{value:.1f}"] * 3] for name, value in rows.items()
    ]
    assert path == "a/b.json"
    content = json.loads(Path("a/b.json").read_text())
    assert content["files"] == 1
    for name, value in rows.items():
        assert content["decibels"][name] == pytest.approx([value] * 3, abs=0.051)
    assert spread([float(value) for value in range(10, -1, -1)]) == pytest.approx([1, 5, 9])
    Path("some/tone.wav").write_bytes(Path("tone.wav").read_bytes())
    run("measure", "some", "--iterations", 1)
    content = json.loads(Path("runs/stft/measure/results.json").read_text())
    assert content["files"] == 2
    low, middle, high = content["decibels"]["with momentum"]
    assert low < middle < high, "two files differ"
