"""``torchrun -m clip_mini``: one curve, one checkpoint, one voice. A killed worker ends the job; it can be resumed."""

import json
import os
import shlex
import signal
import sys
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from tests.clip_mini.plumbing import parallel_task
from tests.clip_mini.plumbing.parallel_task import STEPS
from tests.lab.processes import ended_in_processes
from tests.lab.tiny import Ended

COMMAND = "torchrun --nproc_per_node=2 -m -- tiny_clip"


def two_processes(line: str, folder: Path) -> list[Ended]:
    """As ``torchrun --nproc_per_node=2 -m -- tiny_clip LINE`` in ``folder``; what they print is in stdout-0 and -1."""

    def work(rank: int) -> None:
        os.chdir(folder)
        sys.stdout = Path(f"stdout-{rank}").open("w")  # noqa: SIM115  closed with the process
        parallel_task.main(shlex.split(line))

    return ended_in_processes(2, work)


def statuses(ended: list[Ended]) -> list[int]:
    return [one.returncode for one in ended]


def messages(ended: list[Ended]) -> list[str]:
    """The lines on stderr of all processes, without validations and notes on the machine."""
    lines = [line for one in ended for line in one.stderr.splitlines()]
    return [line for line in lines if not line.startswith(("tiny_clip, ", "note: other programs"))]


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("parallel")


@pytest.fixture(scope="module")
def one(place) -> Path:
    """A run in one process. It comes first: what it imports, the forks have."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        parallel_task.main(["--run", "one"])
    return place / "runs" / "tiny_clip" / "one"


@pytest.fixture(scope="module")
def whole(place, one) -> Path:
    """A run that nobody disturbed, in two processes."""
    ended = two_processes("--run whole", place)
    assert statuses(ended) == [0, 0], messages(ended)
    return place / "runs" / "tiny_clip" / "whole"


@pytest.fixture(scope="module")
def interrupted(place, one) -> list[Ended]:
    """Ctrl-C in step 2, in one of the two processes."""
    return two_processes("--run stopped --interrupt 2", place)


@pytest.fixture(scope="module")
def killed(place, interrupted) -> list[Ended]:
    """The interrupted run goes on, until step 5 kills one process. ``tests/lab/test_distributed.py`` has torchrun."""
    return two_processes("--run stopped --resume --kill 5", place)


def losses(folder: Path) -> list[float]:
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(STEPS)), "each step is written once"
    return [row["loss"] for row in rows]


def test_two_processes_train_as_one(whole, one) -> None:
    """In float32, AdamW would make steps out of the rounding errors of gradients that are zero (of the keys' bias)."""
    assert losses(whole) == pytest.approx(losses(one), rel=1e-10)
    got, expected = (torch.load(folder / "last.pt")["modules"]["model"] for folder in (whole, one))
    for name, tensor in expected.items():
        assert_close(got[name], tensor, rtol=1e-9, atol=1e-9, msg=lambda text, name=name: f"{name}: {text}")
    assert (torch.load(one / "last.pt")["processes"], torch.load(whole / "last.pt")["processes"]) == (1, 2)


def test_one_process_prints_and_writes(whole, place) -> None:
    """Whatever is judged or drawn in another process fails in the task itself."""
    assert (place / "stdout-0").read_text() == "judged: 1, figure.txt\n"
    assert (place / "stdout-1").read_text() == ""
    assert (whole / "words.txt").read_text() == "red\n"
    assert json.loads((whole / "results.json").read_text())["command"] == f"{COMMAND} --run whole"


def test_control_c_stops_all_with_one_message(interrupted) -> None:
    assert statuses(interrupted) == [130, 130]
    command = f"{COMMAND} --run stopped --interrupt 2 --resume"
    assert messages(interrupted) == [f"stopped after 3 of {STEPS} steps: go on with {command}"]


def test_a_killed_worker_ends_the_job_and_says_how_to_go_on(killed, place) -> None:
    command = f"{COMMAND} --run stopped --kill 5 --resume"
    expected = f"error: another process has ended, so this one stops too; 5 steps are saved: go on with {command}"
    assert messages(killed) == [expected]
    assert statuses(killed) == [2, -signal.SIGKILL]
    assert (place / "stdout-0").read_text() == ""


def test_resumed_it_ends_with_the_weights_of_a_run_that_nobody_disturbed(killed, whole, place) -> None:
    ended = two_processes("--run stopped --resume", place)
    assert statuses(ended) == [0, 0], messages(ended)
    for file in ("best.safetensors", "metrics.jsonl"):
        assert (whole.with_name("stopped") / file).read_bytes() == (whole / file).read_bytes(), file


def test_a_batch_that_does_not_divide_is_one_line(place) -> None:
    ended = two_processes("--run odd --pairs 7", place)
    assert statuses(ended) == [2, 2]
    message = "error: batch size must be a multiple of the number of processes, got 7 for 2"
    assert messages(ended) == [message]
    assert not (place / "runs" / "tiny_clip" / "odd.unfinished").exists()


def test_an_option_that_is_not_there_is_one_line(place) -> None:
    ended = two_processes("--pears 8", place)
    assert statuses(ended) == [2, 2]
    (message,) = messages(ended)
    assert message.startswith("error: unrecognized")
