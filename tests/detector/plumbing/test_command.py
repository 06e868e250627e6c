"""``python -m detector``: train, judge, detect; and the pretrained detector that other papers load."""

import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image

from detector import commands
from detector.__main__ import main
from detector.decode import Detection
from lab import cli
from tests import toy
from tests.refusals import check_refused
from toyworld.drawing import draw
from toyworld.scenes import scene_at
from vqa.__main__ import main as vqa_main

TINY = ["--steps", "2", "--images", "2", "--image-size", "16", "--warmup", "1", "--device", "cpu"]
RUN = Path("runs/detector/toy")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        toy.make_small(patch, folder)
        main(TINY)
    image = draw([scene_at("test", 0, 0)], 64)[0].permute(1, 2, 0)
    Image.fromarray((255 * image).round().byte().numpy()).save(folder / "scene.png")
    return folder


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    toy.make_small(monkeypatch, trained)
    monkeypatch.setattr("lab.training.advise_on_threads", lambda: None)
    return trained


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """A folder without a detector."""
    toy.make_small(monkeypatch, tmp_path)
    return tmp_path


def steps_taken(patch: pytest.MonkeyPatch, interrupt: int | None = None) -> list[int]:
    """The steps of the detector's training from now on; Ctrl-C comes once, in step ``interrupt``."""
    taken, original = [], commands.train

    def noting(model, optimizer, scheduler, batch_at, steps, log) -> None:
        def batch(step: int):
            if step == interrupt and step not in taken:
                signal.raise_signal(signal.SIGINT)
            taken.append(step)
            return batch_at(step)

        original(model, optimizer, scheduler, batch, steps, log)

    patch.setattr(commands, "train", noting)
    return taken


def test_a_trained_detector_is_judged_without_training(work, monkeypatch, capsys) -> None:
    taken, results = steps_taken(monkeypatch), json.loads((RUN / "results.json").read_text())
    assert set(results["splits"]) == {"test", "compositional"}
    for row in results["splits"].values():
        assert set(row) == {"precision", "recall", "all_right"}
        assert all(0 <= value <= 1 for value in row.values())
    assert set(results["unlike"]) == {"limit", "warned"}
    (RUN / "results.json").unlink()
    main(["judge"])
    assert taken == []
    assert json.loads((RUN / "results.json").read_text()) == results
    assert "all right" in capsys.readouterr().out
    assert (RUN / "detections.png").is_file()


def test_detect_prints_what_the_detector_finds(work, monkeypatch, capsys) -> None:
    """A line for each object. A detector of two steps finds none, so that one is given."""
    found, seen = Detection("red", "star", "small", 0.25, 0.5, 0.875), []
    monkeypatch.setattr(commands, "detect", lambda model, images: (seen.append(images), [[found]])[1])
    main(["detect", "scene.png"])
    assert capsys.readouterr().out.split() == ["small", "red", "star", "x", "0.25", "y", "0.50", "confidence", "87.5%"]
    assert [tuple(images.shape) for images in seen] == [(1, 3, 16, 16)], "the size that it was trained with"


def test_unlike_says_which_images_are_above_the_limit(work, monkeypatch, capsys) -> None:
    """The limit was measured after the training; a run that has none gets it now."""
    results = json.loads((RUN / "results.json").read_text())
    limit = results["unlike"]["limit"]
    monkeypatch.setattr(
        commands, "unlikeness", lambda model, images: torch.tensor([limit + 0.01 * (images.std() > 0.2)])
    )
    Image.new("RGB", (16, 16), "white").save("white.png")
    Image.fromarray((255 * (torch.arange(16) > 7)).repeat(16, 1).byte().numpy()).save("stripe.png")
    said = []
    for _ in range(2):
        main(["unlike", "white.png", "stripe.png"])
        said.append(capsys.readouterr().out)
        results.pop("unlike", None)
        (RUN / "results.json").write_text(json.dumps(results))
    assert said[0] == said[1]
    assert [line.split()[1:] for line in said[0].splitlines()[:2]] == [["like", "white.png"], ["unlike", "stripe.png"]]
    assert f"1 of 2 unlike (limit {limit:.3f}; scores {limit:.3f} to {limit + 0.01:.3f})" in said[0]
    main(["judge"])


@pytest.mark.parametrize(("count", "named"), [(0, ""), (1, "0.png (0.50)"), (5, "2.png (0.50) and 2 more")])
def test_one_warning_names_the_images(work, monkeypatch, capsys, count: int, named: str) -> None:
    monkeypatch.setattr(commands, "limit_of", lambda task, folder: 0.4)
    monkeypatch.setattr(commands, "scores_of_files", lambda model, files, size: [0.5] * count + [0.4])
    commands.warn_of_unlike([Path(f"{k}.png") for k in range(count + 1)], "python -m vqa", cli.Machine())
    err = capsys.readouterr().err
    assert err.count("\n") == min(count, 1)
    assert err.endswith(f"{named}\n") if count else err == ""
    assert "scene.png" not in err


def test_detect_warns_too(work, monkeypatch, capsys) -> None:
    monkeypatch.setattr(commands, "limit_of", lambda task, folder: -1.0)
    main(["detect", "scene.png"])
    assert capsys.readouterr().err.startswith("warning: unlike all training images")


def test_it_is_trained_once_and_frozen(empty, monkeypatch) -> None:
    """Two who need it get the same weights and the same fingerprint; it learns no more and has no dropout on."""
    taken = steps_taken(monkeypatch)
    (model, fingerprint), (again, other) = (commands.load_detector("python -m vqa") for _ in range(2))
    assert taken == [0, 1], "it is trained when it is not there, and not again"
    assert fingerprint == other
    assert re.fullmatch(r"[0-9a-f]{12}", fingerprint)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert all((weight == again.state_dict()[name]).all() for name, weight in model.state_dict().items())


def test_other_weights_have_another_fingerprint(empty, monkeypatch) -> None:
    _, fingerprint = commands.load_detector("")
    train_another(monkeypatch)
    assert commands.load_detector("")[1] != fingerprint


def train_another(patch: pytest.MonkeyPatch) -> None:
    """In place of the detector that is there, one with other weights, as another machine may make it."""
    patch.setattr(commands, "CONFIGS", {"toy": replace(toy.DETECTOR, seed=1)})
    main(["--restart"])


def test_the_command_that_needs_it_goes_on_with_its_training(empty, monkeypatch, capsys) -> None:
    """After Ctrl-C the printed command is the one that was running, and it trains only what is left."""
    taken = steps_taken(monkeypatch, interrupt=0)
    arguments = [*toy.VQA_FLAGS, "--device", "cpu"]
    with pytest.raises(SystemExit) as stopped:
        vqa_main(arguments)
    assert stopped.value.code == 130
    assert f"go on with python -m vqa {' '.join(arguments)}\n" in capsys.readouterr().err
    vqa_main(arguments)
    assert taken == [0, 1]


def test_a_model_refuses_another_detector_than_its_own(empty, monkeypatch, capsys) -> None:
    """Its answers would be wrong without a word: it reads a grid that means something else."""
    monkeypatch.setattr("lab.training.advise_on_threads", lambda: None)
    vqa_main([*toy.VQA_FLAGS, "--device", "cpu"])
    vqa_main(["ask", "runs/vqa/toy/example.png", "how many stars are there?"])
    train_another(monkeypatch)
    capsys.readouterr()
    for arguments in (["ask", "runs/vqa/toy/example.png", "how many stars are there?"], ["judge"]):
        refused = "the model was trained on another detector than runs/detector/toy: train it anew with python -m vqa"
        check_refused(vqa_main, arguments, refused, capsys)
    check_refused(vqa_main, [*toy.VQA_FLAGS, "--device", "cpu"], "another configuration (detector was '", capsys)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["detect", "gone.png"], "gone.png: there is no such file"),
        (["unlike", "scene.png", "gone.png"], "gone.png: there is no such file"),
        (["unlike"], "unlike needs at least one image file, got none"),
        (["detect", "scene.png", "--run", "other"], "runs/detector/other holds no trained model: make one with"),
        (["--steps", "0"], "steps must be greater than or equal to 1, got 0"),
        (["--image-size", "21"], "image_size must be a multiple of 4, got 21"),
        (["--seed", "1"], "toy holds a finished run of another configuration"),
        (["detct", "scene.png"], "did you mean detect?"),
    ],
)
def test_wrong_input_is_one_line(work, capsys, arguments: list[str], message: str) -> None:
    check_refused(main, arguments, message, capsys)
