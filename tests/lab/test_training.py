"""One way to train, judge, compare and open: a paper as small as can be goes through the real command line."""

import json
import os
import shlex
import signal
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated

import pytest
import torch
from annotated_types import Ge
from torch import nn

from lab import cli, folders, training
from lab.cli import TrainingOptions
from lab.training import Task, compare, folder_of, judge, open_run, open_weights, pretrained, runs_of, train
from tests.lab import tiny

STEPS = 20  # validated after 2, 4, …, 20
VARIANTS = (0, 1, 2)  # seeds


@dataclass(frozen=True)
class Config:
    seed: int = 0
    learning_rate: Annotated[float, Ge(0)] = 0.1
    widths: tuple[int, ...] = (3, 5)


class Tiny(Task):
    """What happens in it is counted and can be disturbed: ``taken`` counts steps by seed."""

    paper = "tiny"
    steps = STEPS
    taken: Counter
    interrupt: tuple[int, int] | None = None  # seed and step in which Ctrl-C comes
    broken = False  # judging fails

    def __init__(self, config: Config, name: str = "toy") -> None:
        self.config, self.name, self.data = config, name, {"data": "toy"}

    def build(self) -> nn.Module:
        return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.3), nn.Linear(5, 2))

    def optimizers(self, model: nn.Module) -> dict[str, torch.optim.Optimizer]:
        return {"adam": torch.optim.Adam(model.parameters(), self.config.learning_rate)}

    def train(self, model, optimizers, device, steps, log) -> None:
        def batch_at(step: int):
            self.taken[self.config.seed] += 1
            if self.interrupt == (self.config.seed, step):
                os.kill(os.getpid(), signal.SIGINT)
            return tiny.batch_at(step)

        tiny.train(model, optimizers["adam"], batch_at, steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        return tiny.score_of(model)()

    def judge(self, model: nn.Module) -> dict[str, float]:
        assert not model.training
        if self.broken:
            raise ZeroDivisionError
        return {"test": tiny.score_of(model)()["score"]}

    def draw(self, folder: Path, model: nn.Module, results) -> list[Path]:
        (folder / "figure.txt").write_text(f"{results['test']}")
        return [folder / "figure.txt"]

    def files(self) -> dict[str, str]:
        return {"words.txt": "red\n"}


@dataclass(frozen=True)
class Train(TrainingOptions):
    """Train."""

    rate: float = 0.1  # of Adam

    def execute(self, command: str) -> None:
        train(Tiny(Config(learning_rate=self.rate)), self, command)


@dataclass(frozen=True)
class Compare(Train):
    """Train all."""

    def execute(self, command: str) -> None:
        compare(variants(self.rate), self, command)


@dataclass(frozen=True)
class Judge(cli.Machine):
    """Judge."""

    def execute(self, command: str) -> None:
        folder, _, config = open_run("tiny", "toy", Config, "python -m tiny")
        judge(Tiny(config), open_weights(Tiny(config), folder), folder)


@dataclass(frozen=True)
class Upon(cli.Machine):
    """Train what is built on another model."""

    def execute(self, command: str) -> None:
        model = pretrained(Tiny(Config()), command)
        assert not model.training
        assert not any(parameter.requires_grad for parameter in model.parameters())
        print(torch.rand(1).item())


def variants(rate: float = 0.1) -> dict[str, Tiny]:
    return {f"seed {seed}": Tiny(Config(seed, rate), f"compare/{seed}") for seed in VARIANTS}


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch) -> Path:
    """An empty folder to run in, and ``python -m tiny``."""
    commands = SimpleNamespace(VERBS=(Train, Compare, Judge, Upon), DEFAULT=Train)
    monkeypatch.setitem(sys.modules, "tiny.commands", commands)
    monkeypatch.setattr(Tiny, "taken", Counter(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs" / "tiny"


def run(line: str = "") -> None:
    cli.main("tiny", shlex.split(line))


def refused(line: str, capsys) -> str:
    """The one line of an error; the steps that were taken before it are counted by the test."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        run(line)
    assert stopped.value.code == 2
    (message,) = capsys.readouterr().err.splitlines()
    return message


def stopped_by_control_c(line: str, seed: int, step: int, monkeypatch, capsys) -> str:
    """The command that is printed when Ctrl-C comes in this step, as it is printed."""
    monkeypatch.setattr(Tiny, "interrupt", (seed, step))
    with pytest.raises(SystemExit) as stopped:
        run(line)
    monkeypatch.setattr(Tiny, "interrupt", None)
    assert stopped.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"stopped after {step + 1} of {STEPS} steps: go on with python -m tiny")
    return last.partition("go on with python -m tiny")[2]


def weights(folder: Path) -> bytes:
    return (folder / "best.safetensors").read_bytes()


def results(folder: Path) -> dict:
    return json.loads((folder / "results.json").read_text())


def test_train_keeps_the_best_and_judges_it(place) -> None:
    trained = train(Tiny(Config()), TrainingOptions(), "python -m tiny")
    found = results(place / "toy")
    assert found == trained.results
    scores = {row["steps"]: row["score"] for row in found["validation"]}
    assert list(scores) == list(range(2, STEPS + 1, 2))
    assert max(scores, key=scores.get) < STEPS, "the best is in the middle, or this test shows nothing"
    assert found["test"] == max(scores.values())
    assert (found["paper"], found["steps"], found["threads"]) == ("tiny", STEPS, torch.get_num_threads())
    assert found["command"] == "python -m tiny"
    assert found["config"] == {"seed": 0, "learning_rate": 0.1, "widths": [3, 5]}
    assert found["seconds"] >= 0
    assert (trained.folder.resolve(), trained.figures) == (place / "toy", [Path("runs/tiny/toy/figure.txt")])
    assert (place / "toy" / "words.txt").read_text() == "red\n"


def test_judging_needs_no_training(place, monkeypatch) -> None:
    run()
    before, steps = results(place / "toy"), Tiny.taken.total()
    (place / "toy" / "results.json").unlink()
    (place / "toy" / "figure.txt").unlink()
    run("judge")
    assert results(place / "toy") == before
    assert (place / "toy" / "figure.txt").exists()
    assert Tiny.taken.total() == steps


@pytest.mark.parametrize(("line", "printed"), [("", "judge"), ("--run 'my text'", "judge --run 'my text'")])
def test_ctrl_c_while_judging_prints_a_command_that_judges(line, printed, place, monkeypatch, capsys) -> None:
    def interrupted(self, model: nn.Module) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Tiny, "judge", interrupted)
    with pytest.raises(SystemExit) as stopped:
        run(line)
    assert stopped.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == f"stopped while judging: the model is trained, judge it with python -m tiny {printed}"


def test_after_judging_has_failed_nothing_is_trained_again(place, monkeypatch) -> None:
    monkeypatch.setattr(Tiny, "broken", True)
    with pytest.raises(ZeroDivisionError):
        run()
    with pytest.raises(ZeroDivisionError):
        run("compare")
    assert runs_of("tiny") == ["compare/0", "toy"]
    assert not (place / "toy" / "results.json").exists()
    monkeypatch.setattr(Tiny, "broken", False)
    run("judge")
    run("compare --resume")
    assert results(place / "toy")["test"] == results(place / "compare" / "0")["test"]
    assert Tiny.taken == {0: 2 * STEPS, 1: STEPS, 2: STEPS}


def test_runs_have_names(place) -> None:
    run()
    run("--run mine/trial --rate 0.5")
    assert runs_of("tiny") == ["mine/trial", "toy"]
    assert open_run("tiny", "mine/trial", Config, "")[1:] == ({"data": "toy"}, Config(learning_rate=0.5))


def test_a_finished_run_is_replaced_only_by_the_same_configuration_or_with_restart(place, capsys) -> None:
    run()
    message = refused("--rate 0.5", capsys)
    assert "another configuration (learning_rate was 0.1 and is 0.5 now)" in message
    assert message.endswith("--run NAME, or replace the old one with python -m tiny --rate 0.5 --restart")
    run()
    run("--rate 0.5 --restart")
    assert results(place / "toy")["config"]["learning_rate"] == 0.5


@pytest.mark.parametrize("line", ["", "train --run 'my run'"])
def test_after_control_c_the_printed_command_goes_on_to_the_same_bits(line, place, monkeypatch, capsys) -> None:
    run("--run whole")
    printed = stopped_by_control_c(line, 0, 7, monkeypatch, capsys)
    assert "unfinished run: go on with" in refused(line, capsys)
    run(printed)
    assert Tiny.taken.total() == 2 * STEPS
    folder = place / ("my run" if line else "toy")
    assert weights(folder) == weights(place / "whole")
    assert results(folder)["validation"] == results(place / "whole")["validation"]


def test_a_comparison_goes_on_where_it_was_stopped(place, monkeypatch, capsys) -> None:
    """Seed 0 is not trained again, seed 1 goes on, seed 2 begins; the bits are those without a stop."""
    for task in variants().values():
        train(task, TrainingOptions(run=f"whole/{task.config.seed}"), "python -m tiny")
    Tiny.taken.clear()
    printed = stopped_by_control_c("compare", 1, 7, monkeypatch, capsys)
    assert shlex.split(printed) == ["compare", "--resume"]
    assert Tiny.taken == {0: STEPS, 1: 8}
    run(printed)
    assert Tiny.taken == dict.fromkeys(VARIANTS, STEPS)
    for seed in VARIANTS:
        assert weights(place / "compare" / str(seed)) == weights(place / "whole" / str(seed)), seed
        assert results(place / "compare" / str(seed))["test"] == results(place / "whole" / str(seed))["test"]
    run(printed)  # nothing is left to do
    assert Tiny.taken == dict.fromkeys(VARIANTS, STEPS)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_comparison_that_may_not_replace_a_run_is_refused_before_its_first_step(
    stopped, place, monkeypatch, capsys
) -> None:
    if stopped:
        stopped_by_control_c("compare", 2, 7, monkeypatch, capsys)
    else:
        run("--run compare/2 --rate 0.5")
    Tiny.taken.clear()
    message = refused("compare", capsys)
    assert ("holds an unfinished run" if stopped else "another configuration") in message
    assert not Tiny.taken


def test_a_comparison_begun_anew_and_stopped_goes_on_anew(place, monkeypatch, capsys) -> None:
    """The printed command trains the variants again whose turn had not come."""
    run("compare")
    Tiny.taken.clear()
    printed = stopped_by_control_c("compare --rate 0.5 --restart", 0, 7, monkeypatch, capsys)
    assert len(runs_of("tiny")) == 3  # the old ones are still there
    run(printed)
    assert Tiny.taken == dict.fromkeys(VARIANTS, STEPS)
    assert {results(place / "compare" / str(seed))["config"]["learning_rate"] for seed in VARIANTS} == {0.5}
    run(printed)
    assert Tiny.taken == dict.fromkeys(VARIANTS, STEPS)


def test_resume_and_restart_exclude_each_other(capsys) -> None:
    for line in ("--resume --restart", "compare --resume --restart"):
        assert refused(line, capsys) == "error: --resume and --restart exclude each other"


def test_what_others_build_on_is_trained_once_and_goes_on_by_the_same_command(place, monkeypatch, capsys) -> None:
    printed = stopped_by_control_c("upon", 0, 7, monkeypatch, capsys)
    assert shlex.split(printed) == ["upon"]
    torch.manual_seed(5)
    run(printed)
    assert Tiny.taken == {0: STEPS}
    trained_now = capsys.readouterr().out
    torch.manual_seed(5)
    run(printed)
    assert Tiny.taken == {0: STEPS}
    assert capsys.readouterr().out == trained_now, "random numbers depend on whether it was trained now"


def test_a_finished_run_serves_while_a_new_one_is_unfinished(place, monkeypatch, capsys) -> None:
    run()
    stopped_by_control_c("", 0, 7, monkeypatch, capsys)
    Tiny.taken.clear()
    run("upon")
    assert not Tiny.taken


def test_what_others_build_on_has_its_own_configuration(place, capsys) -> None:
    run("--rate 0.5")
    assert refused("upon", capsys).endswith("replace the old one with python -m tiny --restart")


def test_a_missing_run_names_those_that_are_there(capsys) -> None:
    assert refused("judge", capsys) == "error: runs/tiny/toy holds no trained model: make one with python -m tiny"
    run("--run other")
    run("--run a/b")
    assert refused("judge", capsys).endswith("make one with python -m tiny; finished runs: a/b, other")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("run.json", '{"steps": ', "runs/tiny/toy/run.json is damaged: train anew with --restart"),
        ("run.json", "[]", "run.json is damaged"),
        ("run.json", "{}", "run.json is damaged"),
        ("best.safetensors", "half", "runs/tiny/toy/best.safetensors is damaged: cut short, or no weights"),
        ("best.safetensors", "", "best.safetensors is empty"),
    ],
)
def test_a_damaged_file_is_named_in_one_line(file, content, message, place, capsys) -> None:
    run()
    (place / "toy" / file).write_text(content)
    assert message in refused("judge", capsys)
    run("--restart")
    run("judge")


def test_a_configuration_of_another_version_is_named_in_one_line(place, capsys) -> None:
    run()
    summary = folders.read_summary(place / "toy")
    summary["config"]["learning_rate"] = -1
    (place / "toy" / "run.json").write_text(json.dumps(summary))
    message = refused("judge", capsys)
    assert message.startswith("error: runs/tiny/toy is damaged or of another version (learning_rate must be")


@pytest.mark.parametrize("content", ["{", "[]", "{}", "null", ""])
def test_damaged_results_are_named_in_one_line(content, place, capsys) -> None:
    run("--run compare/0")
    (place / "compare" / "0" / "results.json").write_text(content)
    assert "runs/tiny/compare/0/results.json is damaged: delete it" in refused("compare --resume", capsys)


def test_wrong_input_is_refused_before_the_first_step(place, capsys) -> None:
    assert refused("--rate -1", capsys) == "error: learning_rate must be greater than or equal to 0, got -1.0"
    assert "device must be one of" in refused("--device gpu", capsys)
    assert not Tiny.taken
    assert not place.exists()


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a/../b", "/tmp/x", "toy.unfinished", "a.replaced/b"])
def test_a_name_that_leads_elsewhere_is_refused(name) -> None:
    with pytest.raises(ValueError, match=f"^--run must be a name such as 'toy' or 'compare/toy/sum', got '{name}'$"):
        folder_of("tiny", name)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_run_inside_another_run_is_refused(stopped, place, monkeypatch, capsys) -> None:
    """It would be deleted when the outer one is replaced."""
    if stopped:
        stopped_by_control_c("", 0, 7, monkeypatch, capsys)
    else:
        run()
    message = "error: --run must not be inside another run, runs/tiny/toy, got 'toy/a/b'"
    assert refused("--run toy/a/b", capsys) == message


def test_a_kill_in_the_middle_of_the_replacement_costs_no_training(place, monkeypatch) -> None:
    """The run is complete under its other name: a comparison that goes on, and who builds on it, find it there."""
    monkeypatch.setattr(folders, "settle", lambda folder: None)
    for line in ("compare", "upon"):
        with pytest.raises(SystemExit):
            run(line)
    monkeypatch.undo()
    monkeypatch.chdir(place.parent.parent)
    assert runs_of("tiny") == ["compare/0", "toy"]
    monkeypatch.setattr(Tiny, "taken", Counter(), raising=False)
    compare({"seed 0": variants()["seed 0"]}, TrainingOptions(resume=True), "python -m tiny compare")
    pretrained(Tiny(Config()), "python -m tiny upon")
    assert not Tiny.taken


def test_the_configuration_is_that_of_the_task() -> None:
    assert training.run_config(Tiny(Config())) == {"data": "toy", **asdict(Config()), "widths": [3, 5]}
