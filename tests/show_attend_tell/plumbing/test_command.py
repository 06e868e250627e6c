"""The command line on a small toy task: train, judge, caption; and wrong input is one line."""

import shlex
from pathlib import Path

import pytest
from PIL import Image

from detector import commands as detector_commands
from show_attend_tell import commands
from show_attend_tell.__main__ import main
from show_attend_tell.evaluate import most_frequent_caption
from tests.refusals import check_refused
from tests.toy import DETECTOR, few_scenes

OPTIONS = "--steps 2 --images 2 --image-size 16 --embedding 4 --hidden 4 --attention-hidden 3 --warmup 1"
SMALL = shlex.split(OPTIONS)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """``tmp_path`` is the working directory, and what is trained and judged is small."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(commands, "VALIDATION", 4)
    monkeypatch.setattr(commands, "TEST", 4)
    monkeypatch.setattr(commands, "most_frequent_caption", lambda *a: most_frequent_caption(*a, 10))
    monkeypatch.setattr(detector_commands, "CONFIGS", {"toy": DETECTOR})
    monkeypatch.setattr(detector_commands, "evaluate", few_scenes)
    return tmp_path


def test_train_judge_caption(small: Path, capsys) -> None:
    main(SMALL)
    said = capsys.readouterr().out
    assert "toy, test" in said
    assert "97.00%" in said, "the promise"
    folder = small / "runs" / "show_attend_tell" / "toy"
    for name in ("results.json", "attention.png", "training.png", "example.png", "vocabulary.json"):
        assert (folder / name).exists(), name
    (folder / "attention.png").unlink()
    main(["judge"])
    assert (folder / "attention.png").exists()
    capsys.readouterr()
    Image.new("RGB", (30, 20), "red").save("red.png")
    main(["caption", "red.png", str(folder / "example.png"), "--beam", "2"])
    assert capsys.readouterr().out.count("(log p -") == 2
    assert (folder / "attention-red.png").exists()


def test_korean_and_pixels(small: Path, capsys) -> None:
    main([*SMALL, "--language", "korean", "--encoder", "cnn", "--channels", "3", "4"])
    assert "toy-korean, compositional" in capsys.readouterr().out
    assert not (small / "runs" / "detector").exists(), "the cnn needs no detector"
    Image.new("RGB", (16, 16), "red").save("red.png")
    main(["caption", "red.png", "--run", "toy-korean"])
    assert "log p" in capsys.readouterr().out


def test_wrong_input_is_one_line(small: Path, capsys) -> None:
    check_refused(main, ["--image-size", "32"], "--image-size must be 16", capsys)
    check_refused(main, ["caption", "x.png"], "python -m show_attend_tell", capsys)
    check_refused(main, ["caption"], "at least one image file", capsys)
    check_refused(main, ["caption", "x.png", "--beam", "0"], "--beam must be at least 1, got 0", capsys)
    check_refused(main, ["--attention", "hard"], "--attention", capsys)
    main([*SMALL, "--encoder", "cnn"])
    capsys.readouterr()
    Path("text.png").write_text("no image")
    check_refused(main, ["caption", "text.png"], "text.png", capsys)
    words = small / "runs" / "show_attend_tell" / "toy" / "vocabulary.json"
    words.write_text('["a"]')
    check_refused(main, ["judge"], "another vocabulary", capsys)
    words.write_text("{")
    check_refused(main, ["judge"], "is damaged", capsys)
