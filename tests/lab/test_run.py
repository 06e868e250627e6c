"""A run that is killed, stopped, or short of disk ends with the bits of one that was not.

The plain training without a run, ``tiny.train(…, range(40), …)``, is what every other one is compared with.
"""

import errno
import gc
import json
import math
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from lab import run as run_module
from lab.checkpoint import CheckpointError
from lab.cli import command_line
from lab.folders import load_best
from tests.lab import tiny

ROOT = Path(__file__).parents[2]


def weights(model: torch.nn.Module) -> bytes:
    return b"".join(tensor.numpy().tobytes() for tensor in model.state_dict().values())


@pytest.fixture(scope="module")
def plain() -> tuple[bytes, list[float]]:
    """Weights and losses of the loop over ``range``: without a run, a validation or a save."""
    model, optimizer = tiny.build()
    losses = []
    tiny.train(model, optimizer, tiny.batch_at, range(40), lambda step, loss: losses.append(loss))
    return weights(model), losses


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    tiny.run_tiny(folder)
    return folder


def check_same(ours, expected, where: str) -> None:
    """Nested dicts, lists and tuples, equal to the last bit."""
    assert type(ours) is type(expected), where
    if isinstance(expected, dict):
        assert ours.keys() == expected.keys(), where
        for name in expected:
            check_same(ours[name], expected[name], f"{where}.{name}")
    elif isinstance(expected, list | tuple):
        assert len(ours) == len(expected), where
        for index, pair in enumerate(zip(ours, expected, strict=True)):
            check_same(*pair, f"{where}[{index}]")
    else:
        assert torch.equal(ours, expected) if isinstance(expected, torch.Tensor) else ours == expected, where


def check_same_run(folder: Path, whole: Path) -> None:
    """Bit for bit: weights, best weights, optimiser, history; and each step once in the metrics."""
    for file in ("best.safetensors", "metrics.jsonl"):
        assert (folder / file).read_bytes() == (whole / file).read_bytes(), file
    ours, expected = (torch.load(place / "last.pt") for place in (folder, whole))
    for key in ("modules", "optimizers", "random", "history", "best", "steps", "metrics_bytes"):
        check_same(ours[key], expected[key], key)
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(40))


def run_command(folder: Path, *arguments: str) -> tiny.Ended:
    """In another process."""
    return tiny.fork(lambda: tiny.main([str(folder), *arguments]))()


@pytest.mark.parametrize("save_seconds", [0.0, 1e9])
def test_a_run_changes_nothing_of_the_training(save_seconds, plain, whole, tmp_path) -> None:
    model = tiny.run_tiny(tmp_path / "run", save_seconds=save_seconds)
    assert weights(model) == plain[0]
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [row["loss"] for row in rows] == plain[1]
    assert [row["step"] for row in rows if "score" in row] == [9, 19, 29, 39]
    check_same_run(tmp_path / "run", whole)


@pytest.mark.parametrize("at", [11, 19, 35])  # saved after 10, 20, 30 and 40 steps
def test_killed_with_signal_9_and_resumed(at, plain, whole, tmp_path) -> None:
    killed = run_command(tmp_path / "run", "--kill", str(at))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    saved = at // 10 * 10
    assert torch.load(tmp_path / "run.unfinished" / "last.pt")["steps"] == saved
    assert not (tmp_path / "run").exists()
    with (tmp_path / "run.unfinished" / "metrics.jsonl").open("a") as metrics:
        metrics.write('{"step": 10}\n{"st')  # killed a little later: after the lines, before last.pt
    resumed_at = []

    def batch_at(step: int):
        resumed_at.append(step)
        return tiny.batch_at(step)

    model = tiny.run_tiny(tmp_path / "run", batch_at, resume=True)
    assert resumed_at == list(range(saved, 40))
    assert weights(model) == plain[0]
    check_same_run(tmp_path / "run", whole)


def test_control_c_saves_says_how_to_resume_and_exits_with_130(plain, whole, tmp_path) -> None:
    command = [sys.executable, "-m", "tests.lab.tiny", str(tmp_path / "run"), "--interrupt", "13"]
    stopped = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert stopped.returncode == 130, stopped.stderr
    assert stopped.stderr.splitlines()[-1] == "stopped after 14 of 40 steps: go on with python -m tiny --resume"
    assert torch.load(tmp_path / "run.unfinished" / "last.pt")["steps"] == 14  # the step was carried to its end
    assert weights(tiny.run_tiny(tmp_path / "run", resume=True)) == plain[0]
    check_same_run(tmp_path / "run", whole)


def interrupt(folder: Path, at: int = 13, **options) -> None:
    with pytest.raises(SystemExit):
        tiny.run_tiny(folder, tiny.attack(tiny.batch_at, at, signal.SIGINT), **options)


@pytest.mark.parametrize("arguments", [[], ["--resume"]])
def test_a_run_under_way_is_left_alone_by_other_processes(arguments, whole, tmp_path) -> None:
    others = []

    def batch_at(step: int):
        if step == 13:
            others.append(run_command(tmp_path / "run", *arguments))
        return tiny.batch_at(step)

    tiny.run_tiny(tmp_path / "run", batch_at)
    assert others[0].returncode == 2
    message = f"error: {tmp_path / 'run.unfinished'} is being written by another process: wait for it, or stop it\n"
    assert others[0].stderr == message
    check_same_run(tmp_path / "run", whole)
    assert run_command(tmp_path / "run").returncode == 0  # the run is closed


def test_a_run_that_cannot_begin_locks_nobody_out(tmp_path) -> None:
    interrupt(tmp_path / "run")
    with pytest.raises(ValueError, match="go on with") as refused:
        tiny.run_tiny(tmp_path / "run")
    assert run_command(tmp_path / "run", "--resume").returncode == 0
    assert refused.value.__traceback__ is not None  # which keeps the run alive until here


def test_an_abandoned_run_is_in_nobodys_way(whole, tmp_path) -> None:
    left = tiny.make_run(tmp_path / "run", *tiny.build())  # and no with statement: an exception came before
    assert run_command(tmp_path / "run").returncode == 2
    with tiny.make_run(tmp_path / "run", *tiny.build()):  # the same process may
        del left
        gc.collect()
        assert run_command(tmp_path / "run").returncode == 2
    assert run_command(tmp_path / "run").returncode == 0
    check_same_run(tmp_path / "run", whole)


def test_the_signal_handler_is_put_back(tmp_path) -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupt(tmp_path / "run")
    assert signal.getsignal(signal.SIGINT) is before
    tiny.run_tiny(tmp_path / "run", resume=True)
    assert signal.getsignal(signal.SIGINT) is before


def test_control_c_after_the_last_step_is_not_lost(whole, tmp_path) -> None:
    """Also before the first one: between two steps only, a run acts on it itself."""
    model, optimizer = tiny.build()
    with pytest.raises(KeyboardInterrupt), tiny.make_run(tmp_path / "run", model, optimizer) as run:  # noqa: PT012
        tiny.train(model, optimizer, tiny.batch_at, run.steps(40), run.log)
        os.kill(os.getpid(), signal.SIGINT)
    check_same_run(tmp_path / "run", whole)


@pytest.mark.parametrize(("save_seconds", "saved"), [(0, 13), (3600, 10)])
def test_saves_between_validations_by_the_clock(save_seconds, saved, tmp_path) -> None:
    def batch_at(step: int):
        if step == 13:
            raise ZeroDivisionError  # a mistake in the loop: the run stays as it was last saved, and can be resumed
        return tiny.batch_at(step)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError):
        tiny.run_tiny(tmp_path / "run", batch_at, save_seconds=save_seconds)
    assert torch.load(tmp_path / "run.unfinished" / "last.pt")["steps"] == saved
    assert signal.getsignal(signal.SIGINT) is before


def test_control_c_in_the_last_step_finishes_and_exits_with_130(whole, tmp_path) -> None:
    stopped = run_command(tmp_path / "run", "--interrupt", "39")
    assert stopped.returncode == 130, stopped.stderr
    message = f"stopped after the last of 40 steps: the run is finished, in {tmp_path / 'run'}"
    assert stopped.stderr.splitlines()[-1] == message
    check_same_run(tmp_path / "run", whole)
    assert not (tmp_path / "run.unfinished").exists()


def test_an_unfinished_run_asks(whole, tmp_path) -> None:
    interrupt(tmp_path / "run")
    with pytest.raises(
        ValueError, match="go on with python -m tiny --resume, or begin anew with python -m tiny --rest"
    ):
        tiny.run_tiny(tmp_path / "run")
    with pytest.raises(ValueError, match="exclude each other"):
        tiny.run_tiny(tmp_path / "run", resume=True, restart=True)
    tiny.run_tiny(tmp_path / "run", restart=True)
    check_same_run(tmp_path / "run", whole)


def test_nothing_to_resume_is_said(whole, tmp_path) -> None:
    with pytest.raises(ValueError, match=f"{tmp_path / 'run'} has not been started: train without --resume"):
        tiny.run_tiny(tmp_path / "run", resume=True)
    with pytest.raises(ValueError, match=f"{whole} is finished already: train without --resume"):
        tiny.run_tiny(whole, resume=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 0.5}, "learning_rate was 0.01 and is 0.5 now$"),
        ({"widths": (3, 4)}, r"widths was \[3, 5\] and is \[3, 4\] now$"),
        ({"dropout": 0.1, "steps": 9}, "dropout was 'not there' and is 0.1 now; steps was 40 and is 9 now$"),
    ],
)
def test_another_configuration_is_named(change, message, tmp_path) -> None:
    interrupt(tmp_path / "run", config=tiny.CONFIG | {"widths": (3, 5)})
    with pytest.raises(ValueError, match=message):
        tiny.run_tiny(tmp_path / "run", resume=True, config=tiny.CONFIG | change)
    tiny.run_tiny(tmp_path / "run", resume=True)  # a list for the tuple is no other configuration


def test_a_resumed_run_takes_its_number_of_threads_again(tmp_path, monkeypatch, capsys) -> None:
    """Results depend on it in the last bits; a number that the user asks for is taken, with one line of warning."""
    interrupt(tmp_path / "run")
    set_to = []
    monkeypatch.setattr(torch, "set_num_threads", set_to.append)
    capsys.readouterr()
    tiny.make_run(tmp_path / "run", *tiny.build(), resume=True)
    assert (set_to, capsys.readouterr().err) == ([1], "")
    tiny.make_run(tmp_path / "run", *tiny.build(), resume=True, threads=4)
    assert set_to == [1]
    assert capsys.readouterr().err.startswith("warning: the run was started with 1 torch threads and is resumed with 4")


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("last.pt", b"garbage", "last.pt is damaged: .*: begin anew with python -m tiny --restart$"),
        ("last.pt", b"", "last.pt is empty: begin anew with python -m tiny --restart$"),
        ("metrics.jsonl", b'{"step": 0}\n', "metrics.jsonl has lost lines: begin anew with python -m tiny --restart"),
    ],
)
def test_damage_is_named_and_restart_helps(file, content, message, tmp_path, whole) -> None:
    interrupt(tmp_path / "run")
    (tmp_path / "run.unfinished" / file).write_bytes(content)
    with pytest.raises(CheckpointError, match=message):
        tiny.run_tiny(tmp_path / "run", resume=True)
    tiny.run_tiny(tmp_path / "run", restart=True)
    check_same_run(tmp_path / "run", whole)


def test_another_model_is_named(tmp_path) -> None:
    interrupt(tmp_path / "run")
    model = torch.nn.Linear(3, 2)
    with pytest.raises(CheckpointError, match=r"last\.pt was written by another model, or by no run: begin"):
        tiny.make_run(tmp_path / "run", model, torch.optim.Adam(model.parameters()), resume=True)


@pytest.mark.parametrize("content", [{}, {"model": 1}, {"processes": 1, "config": [3]}, {"random": []}, {"modules": 1}])
def test_a_checkpoint_of_something_else_is_named(content, tmp_path) -> None:
    interrupt(tmp_path / "run")
    path = tmp_path / "run.unfinished" / "last.pt"
    torch.save(torch.load(path) | content if content.keys() & {"random", "modules"} else content, path)
    message = f"^{path} was written by another model, or by no run: begin anew with python -m tiny --restart$"
    with pytest.raises(CheckpointError, match=message):
        tiny.run_tiny(tmp_path / "run", resume=True)


@pytest.mark.parametrize("key", ["processes", "config", "threads", "modules", "optimizers", "steps", "seconds"])
def test_a_checkpoint_without_one_of_its_parts_is_named(key, tmp_path) -> None:
    interrupt(tmp_path / "run", at=0)
    path = tmp_path / "run.unfinished" / "last.pt"
    state = torch.load(path)
    del state[key]
    torch.save(state, path)
    with pytest.raises(CheckpointError, match="or by no run: begin anew"):
        tiny.run_tiny(tmp_path / "run", resume=True)


def test_a_full_disk_is_one_line_and_the_last_save_stays(whole, tmp_path, monkeypatch, capsys) -> None:
    def full_from_step_25(step: int):
        if step == 25:
            monkeypatch.setattr(os, "fsync", full_disk)
        return tiny.batch_at(step)

    def full_disk(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(SystemExit) as exit_, command_line():
        tiny.run_tiny(tmp_path / "run", full_from_step_25)
    assert exit_.value.code == 2
    folder = tmp_path / "run.unfinished"
    error = capsys.readouterr().err.splitlines()[-1]
    assert error == f"error: cannot write {folder / 'best.safetensors'}: No space left on device"
    monkeypatch.undo()
    assert torch.load(folder / "last.pt")["steps"] == 20
    tiny.run_tiny(tmp_path / "run", resume=True)
    check_same_run(tmp_path / "run", whole)


def test_an_unwritable_folder_is_named_before_the_first_step(tmp_path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(OSError, match=f"^cannot write {tmp_path / 'runs' / 'vqa.unfinished'}.*: "):
        tiny.run_tiny(tmp_path / "runs" / "vqa", batch_at=None)


def test_log_belongs_to_the_step_under_way(tmp_path) -> None:
    with tiny.make_run(tmp_path / "run", *tiny.build(), validate=None) as run:
        with pytest.raises(ValueError, match="got 0"):
            run.log(0, loss=1.0)
        for step in run.steps(2):
            run.log(step, loss=torch.tensor(0.5))
            run.log(step, accuracy=step)
            with pytest.raises(ValueError, match=f"step must be {step}, the current step, got 7"):
                run.log(7, loss=1.0)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == [{"step": step, "loss": 0.5, "accuracy": step} for step in range(2)]


@pytest.mark.parametrize("n", [0, 13])
def test_too_few_steps_are_named(n, tmp_path) -> None:
    interrupt(tmp_path / "run")
    with pytest.raises(ValueError, match=f"n must be at least 14 steps, got {n}"):
        tiny.run_tiny(tmp_path / "run", steps=n, resume=True)


def test_the_best_is_the_first_of_the_highest(tmp_path) -> None:
    scores = iter([-5, 1, 3, 3, 2])
    kept = []
    model, optimizer = tiny.build()

    def validate() -> float:
        assert not model.training
        assert not torch.is_grad_enabled()
        kept.append(weights(model))
        return next(scores)

    model[2].eval()  # a part that stays in evaluation mode, as frozen ones do
    with tiny.make_run(tmp_path / "run", model, optimizer, validate=validate, validate_every=2) as run:
        for step in run.steps(9):
            assert [part.training for part in model] == [True, True, False, True]
            with torch.no_grad():
                model[0].weight.fill_(step)
    best = torch.load(tmp_path / "run" / "last.pt")["best"]
    assert best == {"steps": 6, "score": 3.0}
    load_best(tmp_path / "run", {"model": model})
    assert weights(model) == kept[2]


@pytest.mark.parametrize("result", [{"accuracy": 0.5}, {"score": 0.5, "loss": 0.1}])
def test_a_validation_gives_a_score_and_no_name_twice(result, tmp_path) -> None:
    with pytest.raises(ValueError, match="validate must give a score, and no step, loss, got"):
        tiny.run_tiny(tmp_path / "run", validate=lambda: result)


def size(step: int) -> int:
    return 100 + step


def bars(monkeypatch) -> list[dict]:
    """What each progress bar was made with from now on, and how far each step moved it."""
    made = []

    class Bar(run_module.tqdm):
        def __init__(self, **options) -> None:
            made.append({**options, "moved": []})
            super().__init__(**options)

        def update(self, n=1):
            made[-1]["moved"].append(n)
            return super().update(n)

    monkeypatch.setattr(run_module, "tqdm", Bar)
    return made


def test_the_bar_counts_steps_unless_told_otherwise(tmp_path, monkeypatch) -> None:
    made = bars(monkeypatch)
    tiny.run_tiny(tmp_path / "run")
    (bar,) = made
    assert (bar["total"], bar["initial"], bar["unit"], bar["unit_scale"]) == (40, 0, "step", False)
    assert bar["moved"] == [1] * 40


def test_the_bar_counts_what_steps_consist_of(whole, tmp_path, monkeypatch, capsys) -> None:
    """Also after a stop; all else, messages and metrics, still counts steps, and the bits are the same."""
    made = bars(monkeypatch)
    interrupt(tmp_path / "run", unit="word", size=size)
    assert "stopped after 14 of 40 steps: go on with" in capsys.readouterr().err
    tiny.run_tiny(tmp_path / "run", unit="word", size=size, resume=True)
    first, second = made
    total, before = sum(map(size, range(40))), sum(map(size, range(14)))
    assert [(bar["total"], bar["initial"]) for bar in made] == [(total, 0), (total, before)]
    assert {(bar["unit"], bar["unit_scale"]) for bar in made} == {("word", True)}
    assert first["moved"] + second["moved"] == [size(step) for step in range(40)]
    assert "after 20 steps" in capsys.readouterr().err
    check_same_run(tmp_path / "run", whole)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["steps"] == 40


def test_unit_and_size_are_no_part_of_what_is_resumed(whole, tmp_path) -> None:
    interrupt(tmp_path / "run")
    tiny.run_tiny(tmp_path / "run", unit="word", size=size, resume=True)
    check_same_run(tmp_path / "run", whole)


@pytest.mark.parametrize(
    ("at", "name", "number", "saved"),
    [
        (0, "loss", math.nan, 0),
        (22, "loss", -math.inf, 20),
        (29, "model.3.bias", math.nan, 20),  # only the weights that the step leaves: no later loss shows it in time
        (29, "the score", -math.inf, 20),
        (39, "model.0.weight", math.inf, 30),  # the last step
    ],
)
def test_a_training_that_diverges_ends_and_keeps_the_last_good_weights(
    whole, tmp_path, at: int, name: str, number: float, saved: int
) -> None:
    """It says the step and what to try. The run that is kept can be resumed, and ends with the right bits."""
    model, optimizer = tiny.build()
    score, now = tiny.score_of(model), [0]

    def train() -> None:
        with tiny.make_run(tmp_path / "run", model, optimizer, validate=validate) as run:
            tiny.train(model, optimizer, tiny.batch_at, run.steps(40), partial(log, run))

    def validate() -> dict[str, float]:
        return score() | ({"score": number} if (now[0], name) == (at, "the score") else {})

    def log(run, step: int, loss: float) -> None:
        now[0] = step
        run.log(step, loss=torch.tensor(number) if (step, name) == (at, "loss") else loss)
        if step == at and name.startswith("model."):
            with torch.no_grad():
                model.get_parameter(name.removeprefix("model.")).view(-1)[1] = number

    when = f"in step {at}" if name == "loss" else f"after {at + 1} steps"
    with pytest.raises(ValueError, match=rf"^{name} must be finite, got {number} {when}: .*[^\n]+\Z") as caught:
        train()
    assert "begin anew with a lower learning rate and python -m tiny --restart" in str(caught.value)
    assert str(caught.value).endswith(f"{tmp_path / 'run.unfinished/last.pt'} keeps the weights after {saved} steps")
    assert not (tmp_path / "run").exists()
    tiny.run_tiny(tmp_path / "run", resume=True)
    check_same_run(tmp_path / "run", whole)


def test_a_learning_rate_beyond_float32_is_named(tmp_path) -> None:
    """torch has an error of its own for it."""
    model, optimizer = tiny.build()
    optimizer.param_groups[0]["lr"] = 1e38

    def train() -> None:
        with tiny.make_run(tmp_path / "run", model, optimizer) as run:
            tiny.train(model, optimizer, tiny.batch_at, run.steps(3), run.log)

    with pytest.raises(ValueError, match=r"^the optimizer's step must be finite, got inf in step 0: .* a lower learn"):
        train()
