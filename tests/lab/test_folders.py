"""A finished run is there at every moment: until the new one has finished the old, from then on the new."""

import shutil
import signal
from pathlib import Path

import pytest
import torch

from lab.checkpoint import CheckpointError
from lab.folders import finished, load_best, read_summary
from tests.lab import tiny

COMMAND = "python -m tiny"


class Killed(BaseException):
    """Stands for SIGKILL: nothing on the way catches it."""


def train(folder: Path, steps: int, **options) -> None:
    tiny.run_tiny(folder, steps=steps, config={"width": 5}, validate=None, **options)


def steps_of(folder: Path) -> int:
    """The steps of the run that ``finished`` gives; its summary and its weights belong together."""
    place = finished(folder, COMMAND)
    steps = read_summary(place)["steps"]
    assert torch.load(place / "last.pt")["steps"] == steps
    assert len((place / "metrics.jsonl").read_text().splitlines()) == steps
    load_best(place, {"model": tiny.build()[0]})
    return steps


def neighbours(folder: Path) -> set[str]:
    """The names in it, but for the lock's."""
    return {place.name for place in folder.iterdir()} - {".run.lock"}


def test_no_model_says_which_command_makes_one(tmp_path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path / 'run'} holds no trained model: make one with {COMMAND}$"):
        finished(tmp_path / "run", COMMAND)
    with pytest.raises(SystemExit):
        train(tmp_path / "run", 3, batch_at=tiny.attack(tiny.batch_at, 1, signal.SIGINT))
    with pytest.raises(ValueError, match="no trained model"):  # an unfinished one is none
        finished(tmp_path / "run", COMMAND)


def test_a_finished_run_is_replaced_only_when_the_new_one_has_finished(tmp_path) -> None:
    folder = tmp_path / "run"
    train(folder, 2)
    with pytest.raises(SystemExit):
        train(folder, 3, batch_at=tiny.attack(tiny.batch_at, 1, signal.SIGINT))
    assert steps_of(folder) == 2
    train(folder, 3, resume=True)
    assert steps_of(folder) == 3
    assert neighbours(tmp_path) == {"run"}


@pytest.mark.parametrize(
    ("call", "number", "left"),
    [
        ("rename", 0, {"run", "run.unfinished"}),
        ("rename", 1, {"run.replaced", "run.unfinished"}),
        ("unlink", 0, {"run", "run.replaced"}),
        ("rmtree", 0, {"run", "run.replaced"}),  # all of the old one but its run.json has been deleted
    ],
)
def test_killed_in_the_middle_of_the_replacement(call, number, left, tmp_path, monkeypatch) -> None:
    folder, calls = tmp_path / "run", []
    train(folder, 2)
    owner = shutil if call == "rmtree" else Path
    original = getattr(owner, call)

    def kill(*arguments, **options):
        calls.append(arguments)
        if len(calls) == number + 1:
            raise Killed
        return original(*arguments, **options)

    def batch_at(step: int):
        if step == 2:
            monkeypatch.setattr(owner, call, kill)
        return tiny.batch_at(step)

    with pytest.raises(Killed):
        train(folder, 3, batch_at=batch_at)
    monkeypatch.undo()
    assert neighbours(tmp_path) == left
    assert steps_of(folder) == 3  # found where it is
    assert neighbours(tmp_path) == left  # asking moved nothing
    train(folder, 4)  # asks for nothing: the run of three steps had finished
    assert steps_of(folder) == 4
    assert neighbours(tmp_path) == {"run"}


def test_a_finished_run_is_replaced_only_by_the_same_configuration_or_on_request(tmp_path) -> None:
    folder = tmp_path / "run"
    train(folder, 2)
    message = (
        rf"holds a finished run of another configuration \(width was 5 and is 6 now\): "
        rf"give the new one a name with --run NAME, or replace the old one with {COMMAND} --restart$"
    )
    with pytest.raises(ValueError, match=message):
        tiny.run_tiny(folder, config={"width": 6}, validate=None)
    assert steps_of(folder) == 2
    train(folder, 3)  # the same configuration
    tiny.run_tiny(folder, config={"width": 6}, validate=None, restart=True)
    assert read_summary(folder)["config"] == {"width": 6}


@pytest.mark.parametrize("name", ["run", "run.replaced"])
def test_what_is_no_run_is_not_deleted(name, tmp_path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years of work")
    with pytest.raises(ValueError, match=f"{tmp_path / name} is in the way"):
        train(tmp_path / "run", 2)
    assert (tmp_path / name / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize("name", ["run", "run.replaced"])
@pytest.mark.parametrize("is_file", [False, True])
def test_what_comes_while_the_run_trains_is_not_deleted(name, is_file, tmp_path) -> None:
    folder = tmp_path / "run"
    thesis = tmp_path / name if is_file else tmp_path / name / "thesis.txt"

    def batch_at(step: int):
        if step == 1:
            thesis.parent.mkdir(exist_ok=True)
            thesis.write_text("years of work")
        return tiny.batch_at(step)

    message = f"{tmp_path / name} is in the way and is no finished run: move it elsewhere"
    with pytest.raises(ValueError, match=f"^{message}; the new run is {folder}.unfinished$"):
        train(folder, 2, batch_at=batch_at)
    assert thesis.read_text() == "years of work"
    assert steps_of(folder) == 2
    with pytest.raises(ValueError, match=message):
        train(folder, 3)
    thesis.rename(tmp_path / "thesis.txt")
    if not is_file:
        thesis.parent.rmdir()
    train(folder, 3)
    assert steps_of(folder) == 3


def test_an_empty_folder_that_a_kill_has_left_is_in_nobodys_way(tmp_path) -> None:
    (tmp_path / "run.replaced").mkdir()
    train(tmp_path / "run", 2)
    assert not (tmp_path / "run.replaced").exists()


def test_a_damaged_summary_is_named(tmp_path) -> None:
    (tmp_path / "run.json").write_text('{"steps": ')
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'run.json'} is damaged"):
        read_summary(tmp_path)


def test_the_summary_holds_what_a_verb_needs(tmp_path) -> None:
    tiny.run_tiny(tmp_path / "run")
    summary = read_summary(tmp_path / "run")
    assert summary["config"] == tiny.CONFIG
    assert (summary["steps"], summary["processes"], summary["command"]) == (40, 1, COMMAND)
    assert summary["best"] == max(torch.load(tmp_path / "run" / "last.pt")["history"], key=lambda row: row["score"])
    assert summary["seconds"] > 0
