"""``python -m cgan`` on small tasks: train, judge, draw, interpolate; and wrong input is one line."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from PIL import Image

from cgan import commands
from cgan.__main__ import main
from cgan.commands import frozen
from cgan.commands import task as tasks
from cgan.datasets.digits import Digits
from cgan.evaluate import PROMISES
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS
from cgan.extensions.judge import JudgeConfig
from cgan.report.chapter import SHOWN
from cgan.train import CONFIGS
from lab import cli
from tests.refusals import check_refused
from tests.runs import files_of

RING = ["--device", "cpu", "--steps", "6", "--batch", "8", "--hidden", "6"]
SMALL = ["--steps", "4", "--batch", "4", "--hidden", "4", "--channels", "4", "--noise", "3"]
DIGITS = ["--data", "digits", "--device", "cpu", *SMALL]
RUNS = Path("runs/cgan")


def few_digits(*arguments) -> dict[str, Digits]:
    """Random pictures in place of the package's."""
    generator = torch.Generator().manual_seed(0)
    splits = {}
    for split, each in (("train", 4), ("judge", 3), ("test", 3)):
        labels = torch.arange(10).repeat_interleave(each)
        splits[split] = Digits(2 * torch.rand(len(labels), 1, 28, 28, generator=generator) - 1, labels)
    return splits


@contextmanager
def small(dots: bool = True):
    """Everything is small, and no run is so short that it counts as collapsed."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("EACH", 20), ("VALIDATED", 20), ("STEPS_ALONE", 2), ("SHOWN", 2), ("FRAMES", 3)):
            patch.setattr(tasks, name, value)
        patch.setattr(tasks, "read_digits", few_digits)
        patch.setattr(frozen, "JudgeConfig", lambda: JudgeConfig(steps=4, batch=4, channels=2))
        patch.setattr(tasks, "check_diversity", lambda found: None)
        patch.setattr("lab.training.advise_on_threads", lambda: None)
        for name in ("animate_ring", "draw_losses", "draw_vanishing") if dots else ():
            patch.setattr(tasks, name, save_dot)
        yield patch


def save_dot(path: Path, *shown: object) -> None:
    """In place of a figure, which takes longer than all steps of these tests."""
    Image.new("RGB", (1, 1)).save(path)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a run on the ring and one on digits, and what was printed. Its figures are true ones."""
    folder = tmp_path_factory.mktemp("work")
    with small(dots=False) as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main(RING)
        main(DIGITS)
    return folder, printed.getvalue()


@pytest.fixture
def work(trained, monkeypatch):
    """The folder as the fixture above left it; a test must leave it so."""
    monkeypatch.chdir(trained[0])
    with small():
        yield trained[0]


def test_training_keeps_everything_in_the_run(work, trained) -> None:
    files = {"best.safetensors", "run.json", "results.json", "losses.png"}
    assert files | {"ring.png", "ring.gif", "vanishing.png"} <= {path.name for path in (RUNS / "ring").iterdir()}
    shown = {"digits.png", "interpolation.png", "nearest.png"}
    assert files | shown <= {path.name for path in (RUNS / "digits").iterdir()}
    for name, texts in SHOWN.items():
        assert set(texts) <= {path.stem for path in (RUNS / name).glob("*.png")}, "the tour shows them"
    for name, kind in (("ring", "PNG"), ("digits", "PNG")):
        for path in (RUNS / name).glob("*.png"):
            with Image.open(path) as image:
                assert image.format == kind
    with Image.open(RUNS / "ring" / "ring.gif") as image:
        assert image.n_frames == 4  # after 1, 2, 4 and 6 steps
    for part in ("ring, test", "within 3σ", "0.950", "digits, test", "obedience", "the judge gives"):
        assert part in trained[1], part


def test_results_stand_beside_chance_and_real_samples(work) -> None:
    for name in ("ring", "digits"):
        results = json.loads((RUNS / name / "results.json").read_text())
        columns = results["splits"]["test"]
        assert list(columns) == ["chance", "real", "reached"]
        assert columns["real"].keys() == columns["reached"].keys()
        assert {what for data, _, what in PROMISES if data == name} <= columns["reached"].keys()
    assert results["judge"] == json.loads((RUNS / "judge-digits" / "results.json").read_text())["accuracy"]


@pytest.mark.parametrize("name", ["ring", "digits"])
def test_judging_needs_no_training(copy, monkeypatch, capsys, name: str) -> None:
    results = json.loads((RUNS / name / "results.json").read_text())
    (RUNS / name / "results.json").unlink()
    for module, loop in ((tasks, "train"), (tasks, "train_with_penalty"), (frozen, "train_judge")):
        monkeypatch.setattr(module, loop, lambda *arguments: pytest.fail("a step was taken"))
    main(["judge", "--run", name, "--device", "cpu"])
    assert json.loads((RUNS / name / "results.json").read_text()) == results
    said = capsys.readouterr().out
    assert f"{name}, test" in said
    for line in said.splitlines():
        assert not line.startswith("runs") or Path(line).is_file(), line


def stop_at(patch: pytest.MonkeyPatch, loop: str, at: int) -> None:
    """Ctrl-C in the middle of step ``at``."""
    original = getattr(tasks, loop)

    def stopped(gan, optimizers, schedulers, batch_at, *others) -> None:
        def batch(step: int):
            if step == at:
                signal.raise_signal(signal.SIGINT)
            return batch_at(step)

        original(gan, optimizers, schedulers, batch, *others)

    patch.setattr(tasks, loop, stopped)


@pytest.mark.parametrize("name", ["ring", "digits"])
def test_a_resumed_run_ends_as_one_that_was_never_stopped(copy, capsys, name: str) -> None:
    """With both optimizers; also the ring's figure is the same, whose points come from before and after."""
    options, loop = (RING, "train") if name == "ring" else (DIGITS, "train_with_penalty")
    file = "ring.png" if name == "ring" else "digits.png"
    whole = files_of(RUNS / name, file)
    with pytest.MonkeyPatch.context() as patch:
        stop_at(patch, loop, 2)
        with pytest.raises(SystemExit) as stopped:
            main(options)
    assert stopped.value.code == 130
    assert "--resume" in capsys.readouterr().err
    main([*options, "--resume"])
    assert files_of(RUNS / name, file) == whole


def test_the_same_seed_gives_the_same_pictures(copy, capsys) -> None:
    main(["draw", "--label", "7", "--count", "3"])
    main(["draw", "--label", "7", "--count", "3", "--output", "again.png"])
    main(["draw", "--label", "7", "--count", "3", "--seed", "1", "--output", "other.png"])
    main(["draw", "--label", "6", "--count", "3", "--output", "six.png"])
    said = capsys.readouterr().out.splitlines()
    assert said == [str(RUNS / "digits" / "draw-7.png"), "again.png", "other.png", "six.png"]
    first, again, other, six = (Path(path).read_bytes() for path in said)
    assert first == again
    assert other != first != six


def test_interpolation(copy, capsys) -> None:
    main(["interpolate", "--from", "3", "--to", "8"])
    assert capsys.readouterr().out.strip() == str(RUNS / "digits" / "interpolate-3-8.png")
    Image.open(RUNS / "digits" / "interpolate-3-8.png").verify()


def test_the_ends_of_an_interpolation_are_the_labels(work) -> None:
    _, _, config, gan = commands.open_gan("digits", "")
    rows = list(tasks.interpolated(gan, config.noise, 3, 8, 0).values())
    noise = torch.randn(tasks.WAYS, config.noise, generator=tasks.random_at("test", 0, 2))
    for place, label in ((0, 3), (-1, 8)):
        expected = commands.samples_of(gan.generator, noise, torch.full((len(noise),), label))
        assert torch.allclose(torch.stack([row[place] for row in rows]), expected, atol=1e-5)


def test_a_collapsed_run_stops_and_says_so(copy, monkeypatch, capsys) -> None:
    """The monitor looks from half of the steps on."""
    seen = []

    def collapsed(found) -> None:
        seen.append(found)
        raise ValueError("the generator has collapsed: as the test wants")

    monkeypatch.setattr(tasks, "check_diversity", collapsed)
    with pytest.raises(SystemExit) as stopped:
        main([*RING, "--run", "new"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == "error: the generator has collapsed: as the test wants"
    assert len(seen) == 1
    assert set(seen[0]) == set(range(8))
    steps = [json.loads(line)["step"] for line in (RUNS / "new.unfinished" / "metrics.jsonl").read_text().splitlines()]
    assert steps[-1] <= 2, "it stops at the first look, after half of the 6 steps"


def test_another_judge_is_noticed(copy, capsys) -> None:
    path = RUNS / "judge-digits" / "run.json"
    summary = json.loads(path.read_text())
    summary["config"]["root"] = "/elsewhere"
    path.write_text(json.dumps(summary))
    check_refused(main, ["judge", "--run", "digits"], "another judge (root was '/elsewhere' and is '' now)", capsys)


def test_the_last_weights_are_kept(work) -> None:
    """The judge chooses nothing: the score is the number of steps."""
    for name, steps in (("ring", 6), ("digits", 4)):
        summary = json.loads((RUNS / name / "run.json").read_text())
        assert summary["best"]["steps"] == summary["best"]["score"] == steps


WRONG = {  # the arguments, and the one line that names what is wrong
    "label": (["draw", "--label", "10"], "a label must be from 0 to 9, got 10"),
    "negative label": (["interpolate", "--from", "-1", "--to", "3"], "a label must be from 0 to 9, got -1"),
    "no label": (["draw"], "--label"),
    "count": (["draw", "--label", "7", "--count", "0"], "--count must be at least 1, got 0"),
    "seed of the noise": (["draw", "--label", "7", "--seed", "-1"], "--seed must be at least 0, got -1"),
    "draw the ring": (["draw", "--label", "7", "--run", "ring"], "was trained on the ring and draws no pictures"),
    "draw the judge": (["draw", "--label", "7", "--run", "judge-digits"], "holds no players"),
    "no run": (["draw", "--label", "7", "--run", "mnist"], "make one with python -m cgan --data mnist --root DIR"),
    "run elsewhere": (["judge", "--run", "../x"], "--run must be a name such as"),
    "data": (["--data", "letters"], "--data must be one of digits, mnist, ring, toy, got 'letters'"),
    "root for the ring": (["--root", ".", "--run", "new"], "--root is for mnist only, ring needs no folder"),
    "root for the digits": ([*DIGITS, "--root", ".", "--run", "new"], "--root is for mnist only, digits needs no"),
    "no root": (["--data", "mnist"], "--root is missing"),
    "no folder": (["--data", "mnist", "--root", "nowhere"], "nowhere: there is no such folder"),
    "no files": (["--data", "mnist", "--root", "."], "train-images-idx3-ubyte: there is no such file"),
    "penalty for the ring": (["--penalty", "1"], "--penalty is for digits, mnist and toy only, ring does not"),
    "channels for the ring": (["--channels", "8"], "--channels is for digits and mnist only"),
    "conv for the ring": (["--network", "conv", "--run", "new"], "--network must be mlp for ring, got conv"),
    "mlp for digits": ([*DIGITS, "--network", "mlp", "--run", "new"], "--network must be conv for digits, got mlp"),
    "batch of one": ([*RING, "--batch", "1", "--run", "new"], "batch must be greater than or equal to 2, got 1"),
    "loss": (["--generator-loss", "hinge"], "--generator-loss must be one of minimax, non-saturating, got 'hinge'"),
    "momentum": ([*RING, "--beta1", "1", "--run", "new"], "beta1 must be less than 1, got 1.0"),
    "another configuration": ([*RING, "--seed", "7"], "seed was 0 and is 7 now"),
    "unknown verb": (["drow"], "did you mean draw?"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, monkeypatch, capsys, case: str) -> None:
    for loop in ("train", "train_with_penalty"):
        monkeypatch.setattr(tasks, loop, lambda *arguments: pytest.fail("a step was taken"))
    check_refused(main, *WRONG[case], capsys)


def test_the_data_set_gives_the_defaults() -> None:
    def chosen(*arguments: str):
        return cli.parse("cgan", commands.VERBS, arguments, commands.DEFAULT).chosen_config()

    assert chosen() == CONFIGS["ring"]
    assert chosen("--data", "digits") == PICTURE_CONFIGS["digits"]
    assert chosen("--data", "digits", "--penalty", "0").penalty == 0
    assert chosen("--steps", "7").steps == 7


def test_from_another_folder(tmp_path) -> None:
    command = [sys.executable, "-m", "cgan", "draw", "--label", "7"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert done.stderr == "error: runs/cgan/digits holds no trained model: make one with python -m cgan --data digits\n"
