"""``python -m show_attend_tell`` on a small toy task: train, judge, caption, compare; and wrong input is one line."""

import json
import re
import shutil
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from detector import commands as detector_commands
from lab import cli
from show_attend_tell import commands
from show_attend_tell.__main__ import main
from show_attend_tell.commands import task
from show_attend_tell.evaluate import most_frequent_caption
from show_attend_tell.extensions import free_running
from show_attend_tell.extensions.hard_attention import HardConfig
from show_attend_tell.extensions.photographs import PHOTO_CONFIGS
from show_attend_tell.report.chapter import SHOWN
from show_attend_tell.train import CONFIGS, Config
from tests.pictures import blank_figures, draw_blank
from tests.refusals import check_refused
from tests.runs import files_of, stop_in
from tests.toy import DETECTOR, few_measured, few_scenes

OPTIONS = "--device cpu --images 2 --image-size 16 --embedding 4 --hidden 4 --attention-hidden 3 --warmup 1"
TINY = [*OPTIONS.split(), "--steps", "2"]
PIXELS = [*TINY, "--encoder", "cnn", "--channels", "3", "4"]
NONE = ["--attention", "none"]
RUNS = Path("runs/show_attend_tell")
RUN = RUNS / "toy"


@contextmanager
def small():
    """What is trained and judged on the toy world is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task, "VALIDATION", 4)
        patch.setattr(task, "TEST", 4)
        patch.setattr(task, "SHOWN", 4)
        patch.setattr(free_running, "DRAWN", 20)
        patch.setattr(task, "most_frequent_caption", lambda *a: most_frequent_caption(*a, 10))
        patch.setattr(detector_commands, "CONFIGS", {"toy": DETECTOR})
        patch.setattr(detector_commands, "evaluate", few_scenes)
        patch.setattr(detector_commands, "measure", few_measured)
        patch.setattr(detector_commands, "draw_detections", draw_blank)
        patch.setattr("lab.training.advise_on_threads", lambda: None)
        yield patch


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a trained model and images, and what the training printed."""
    folder = tmp_path_factory.mktemp("work")
    Image.new("RGB", (30, 20), "red").save(folder / "red.png")
    (folder / "text.png").write_text("no image")
    with small() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main(TINY)
    return folder, printed.getvalue()


@pytest.fixture
def work(trained, monkeypatch):
    """The folder as the fixture above left it; a test must leave it so. Figures are blank from now on."""
    monkeypatch.chdir(trained[0])
    with small() as patch:
        blank_figures(patch)
        for name in ("draw_captions", "draw_attention"):
            patch.setattr(task, name, draw_blank)
        yield trained[0]


def forbid_training(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(task, "train", lambda *arguments: pytest.fail("a step was taken"))


def test_training_keeps_everything_in_the_run(work, trained) -> None:
    files = {"best.safetensors", "run.json", "vocabulary.json", "results.json"}
    figures = {"captions.png", "attention.png", "training.png", "forcing.png", "example.png"}
    assert files | figures <= {path.name for path in RUN.iterdir()}
    assert {f"{name}.png" for name in SHOWN} <= figures, "the tour shows them"
    results = json.loads((RUN / "results.json").read_text())
    assert set(results["splits"]) == {"test", "compositional"}
    for columns in results["splits"].values():
        assert set(columns) == {"reached", "exchanged images", "blank images", "most frequent", "chance"}
    assert results["data"]["language"] == "english"
    for part in ("toy, test", "toy, compositional", "97.00%", f"caption {RUN / 'example.png'}"):
        assert part in trained[1], part


def test_caption(copy, capsys) -> None:
    (copy / "other").mkdir()
    Image.new("RGB", (16, 16), "blue").save("other/red.png")
    main(["caption", "red.png", "other/red.png", str(RUN / "example.png"), "--beam", "2"])
    said = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in said[::2]] == ["red.png", "other/red.png", str(RUN / "example.png")]
    assert all("(log p -" in line for line in said[::2])
    assert said[1::2] == [str(RUN / f"attention-{name}.png") for name in ("red", "red-2", "example")]
    for picture in said[1::2]:
        Image.open(picture).verify()


def test_images_unlike_the_toy_world_get_one_warning(work, monkeypatch, capsys) -> None:
    """All files of a command are looked at together, here by a detector whose limit every image exceeds."""
    monkeypatch.setattr(detector_commands, "limit_of", lambda task, folder: -1.0)
    main(["caption", "red.png", str(RUN / "example.png")])
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert re.match(r"warning: unlike all training images .*: red.png \(\S+\), \S+example.png \(\S+\)\n$", err)


def test_a_wider_beam_is_never_worse(work, capsys) -> None:
    """On these two captions; beam search does not promise it."""
    found = []
    for beam in ("1", "30"):
        main(["caption", "red.png", "--beam", beam])
        found.append(float(capsys.readouterr().out.split("(log p ")[1].split(")")[0]))
    assert found[0] <= found[1]


def test_judging_needs_no_training(copy, monkeypatch, capsys) -> None:
    results = json.loads((RUN / "results.json").read_text())
    (RUN / "results.json").unlink()
    forbid_training(monkeypatch)
    main(["judge"])
    assert json.loads((RUN / "results.json").read_text()) == results
    assert "toy, test" in capsys.readouterr().out


def test_a_resumed_run_ends_as_one_that_was_never_stopped(copy, capsys) -> None:
    whole = files_of(RUN, "vocabulary.json")
    with pytest.MonkeyPatch.context() as patch:
        stop_in(patch, task, 0)
        with pytest.raises(SystemExit) as stopped:
            main(TINY)
    assert stopped.value.code == 130
    assert "--resume" in capsys.readouterr().err
    (RUN / "best.safetensors").unlink()
    main([*TINY, "--resume"])
    assert files_of(RUN, "vocabulary.json") == whole


def test_korean_and_pixels(copy, capsys) -> None:
    shutil.rmtree("runs")
    main([*PIXELS, "--language", "korean"])
    assert "toy-korean, compositional" in capsys.readouterr().out
    assert not Path("runs/detector").exists(), "the cnn needs no detector"
    main(["caption", "red.png", "--run", "toy-korean"])
    assert "log p" in capsys.readouterr().out
    main(["judge", "--run", "toy-korean"])


def test_compare_trains_four_models(copy, monkeypatch, capsys) -> None:
    main(["compare", *TINY])
    said, folder = capsys.readouterr().out, RUNS / "compare" / "toy"
    for name in ("comparison", "attention"):
        Image.open(folder / f"{name}.png").verify()
    results = json.loads((folder / "results.json").read_text())
    assert list(results["variants"]) == ["soft", "soft, λ = 1", "hard", "none"]
    for name, one in results["variants"].items():
        assert f"\n{name} " in said
        assert ("pointing" in one["splits"]["test"]["reached"]) == (name != "none"), name
    configs = {
        name: json.loads((folder / place / "results.json").read_text())["config"]
        for name, place in {"soft": "soft", "soft, λ = 1": "soft-1", "hard": "hard", "none": "none"}.items()
    }
    assert [one["attention"] for one in configs.values()] == ["soft", "soft", "hard", "none"]
    assert [one["penalty_weight"] for one in configs.values()] == [0.0, 1.0, 0.0, 0.0]
    forbid_training(monkeypatch)
    main(["compare", *TINY, "--resume"])
    assert capsys.readouterr().out == said
    main(["caption", "red.png", "--run", "compare/toy/hard"])
    main(["judge", "--run", "compare/toy/none"])


def test_the_loops_get_the_numbers_of_the_configuration(monkeypatch) -> None:
    got = []
    for name in ("train", "train_hard"):
        monkeypatch.setattr(task, name, lambda *arguments: got.append(arguments[6:]))
    hard = HardConfig(encoder="cnn", expected_share=0.1, reinforce_weight=0.2, entropy_weight=0.3)
    for kind, config in ((task.ToyTask, Config(encoder="cnn", penalty_weight=0.7)), (task.HardTask, hard)):
        one = kind("english", config, "the command", cli.Machine(), "a run")
        model = one.build()
        one.train(model, one.optimizers(model), torch.device("cpu"), range(0), print)
    assert got == [(0.7,), (0.1, 0.2, 0.3)]


DAMAGED = {
    "other words": ("vocabulary.json", '["a"]', "vocabulary.json is another vocabulary than that of the training"),
    "no JSON": ("vocabulary.json", "{", "vocabulary.json is damaged"),
    "other weights": ("best.safetensors", "{}", "damaged"),
    "other summary": ("run.json", "{}", "damaged"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_run_is_named(copy, capsys, case: str) -> None:
    name, text, message = DAMAGED[case]
    (RUN / name).write_text(text)
    check_refused(main, ["caption", "red.png"], message, capsys)
    check_refused(main, ["judge"], message, capsys)


def test_another_detector_is_noticed(copy, capsys) -> None:
    path = RUN / "run.json"
    summary = json.loads(path.read_text())
    summary["config"]["detector"] = "0123"
    path.write_text(json.dumps(summary))
    check_refused(main, ["caption", "red.png"], "was trained on another detector than runs/detector/toy", capsys)
    check_refused(main, ["judge"], "was trained with other data: detector was 0123 and is", capsys)


WRONG = {  # the arguments, and the one line that names what is wrong
    "no file": (["caption"], "at least one image file"),
    "gone": (["caption", "gone.png"], "gone.png: there is no such file"),
    "no image": (["caption", "red.png", "text.png"], "text.png: not an image"),
    "no beam": (["caption", "red.png", "--beam", "0"], "--beam must be at least 1, got 0"),
    "length penalty": (
        ["caption", "red.png", "--length-penalty", "-1"],
        "--length-penalty must be at least 0, got -1.0",
    ),
    "no run": (
        ["caption", "red.png", "--run", "toy-korean"],
        "make one with python -m show_attend_tell --language korean; finished runs: toy",
    ),
    "run elsewhere": (["judge", "--run", "../x"], "--run must be a name such as"),
    "image size": ([*TINY, "--image-size", "32", "--run", "new"], "--image-size must be 16, as in the detector's"),
    "attention": (["--attention", "hard"], "--attention must be one of none, soft, got 'hard'"),
    "language": (["--language", "french"], "--language must be one of english, korean, got 'french'"),
    "data": (["--data", "flickr9k"], "--data must be one of coco, flickr8k, toy"),
    "root": (["--root", "."], "--root is for flickr8k and coco only, toy does not use it"),
    "features": (["--features", "."], "--features is for flickr8k and coco only, toy does not use it"),
    "annotation": (["--annotation", "3"], "--annotation is for flickr8k and coco only, toy does not use it"),
    "photographs in Korean": (["--data", "coco", "--language", "korean"], "--language is for toy only"),
    "detector for photographs": (["--data", "flickr8k", "--encoder", "cnn"], "--encoder is for toy only"),
    "channels": (["--channels", "3"], "--channels has no effect without --encoder cnn: leave it out"),
    "background": (["--background", "0.5"], "--background has no effect without --encoder cnn: leave it out"),
    "penalty": ([*NONE, "--penalty-weight", "1"], "--penalty-weight has no effect without --attention soft: leave"),
    "units": ([*NONE, "--attention-hidden", "3"], "--attention-hidden has no effect without --attention soft: leave"),
    "photographs, no attention": (
        ["--data", "flickr8k", "--root", ".", *NONE, "--attention-hidden", "3"],
        "--attention-hidden has no effect",
    ),
    "steps": ([*TINY, "--steps", "0", "--run", "new"], "steps must be greater than or equal to 1, got 0"),
    "another configuration": ([*TINY, "--seed", "7"], "seed was 0 and is 7 now"),
    "compared": (["compare", "--attention", "none"], "--attention is what compare changes itself"),
    "channels compared": (["compare", "--channels", "3"], "--channels has no effect without --encoder cnn"),
    "evaluate the toy world": (
        ["evaluate", "--run", "toy", "--images", ".", "--captions", "x.csv"],
        "toy was trained on the toy world: evaluate needs a run on photographs",
    ),
    "no images": (["evaluate", "--captions", "x.csv"], "--images"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, monkeypatch, capsys, case: str) -> None:
    forbid_training(monkeypatch)
    check_refused(main, *WRONG[case], capsys)


def parsed(*arguments: str) -> commands.Train:
    return cli.parse("show_attend_tell", commands.VERBS, arguments, commands.DEFAULT)


def test_the_data_set_gives_the_defaults() -> None:
    assert parsed().chosen_config() == CONFIGS["toy"]
    assert parsed("--data", "flickr8k").chosen_config() == PHOTO_CONFIGS["flickr8k"]
    assert parsed("--data", "coco", "--beam", "2").chosen_config().beam == 2


def test_options_with_an_effect_are_taken() -> None:
    config = parsed("--encoder", "cnn", "--channels", "3", "--background", "0.5").chosen_config()
    assert (config.channels, config.background) == ((3,), 0.5)
    config = parsed("--attention-hidden", "3", "--penalty-weight", "1").chosen_config()
    assert (config.attention_hidden, config.penalty_weight) == (3, 1.0)
    assert parsed(*NONE, "--penalty-weight", "0").chosen_config().attention == "none"
