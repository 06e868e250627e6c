"""Two processes under torchrun: one gradient, one run, one stop. What they do is in ``distributed_check``."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lab import distributed
from tests.lab import distributed_check
from tests.lab.processes import ended_in_processes

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
ROOT = Path(__file__).parents[2]


def torchrun(folder: Path) -> subprocess.CompletedProcess:
    command = [*TORCHRUN, "-m", "tests.lab.distributed_check", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture(scope="module")
def stopped(tmp_path_factory) -> tuple[Path, str]:
    """The checks of gradient, counts and errors, a run from the first step to the last, and one that was killed."""
    folder = tmp_path_factory.mktemp("runs")
    result = torchrun(folder)
    assert result.returncode != 0
    assert (folder / "whole" / "run.json").exists(), result.stderr
    return folder, result.stderr


@pytest.fixture(scope="module")
def whole(stopped) -> Path:
    return stopped[0] / "whole"


def test_killed_and_resumed_gives_the_same_bits(stopped, whole) -> None:
    folder, stderr = stopped[0] / "stopped", stopped[1]
    assert stderr.count("stopped after 13 of 40 steps: go on with python -m tiny --resume") == 1, stderr
    assert "Signal 9" in stderr, stderr  # and neither an error of our own nor the end of the run
    assert "another process has ended, so this one stops too; 20 steps are saved" in stderr, "before torchrun stops it"
    assert not folder.exists()
    assert torch.load(stopped[0] / "stopped.unfinished" / "last.pt")["steps"] == 20
    for ended in ended_in_processes(2, lambda rank: distributed_check.resume(folder)):
        assert ended.returncode == 0, ended.stderr
    for file in ("best.safetensors", "metrics.jsonl"):
        assert (folder / file).read_bytes() == (whole / file).read_bytes(), file
    last, expected = (torch.load(place / "last.pt") for place in (folder, whole))
    for name, tensor in expected["modules"]["model"].items():
        assert torch.equal(last["modules"]["model"][name], tensor), name
    assert len(last["random"]) == 2
    assert not torch.equal(last["random"][0]["torch"], last["random"][1]["torch"])  # each its own


def test_each_step_is_written_once(whole) -> None:
    steps = [json.loads(line)["step"] for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(40))


def test_one_process_changes_nothing() -> None:
    model, batch = torch.nn.Linear(2, 3), (torch.arange(5), torch.ones(5, 2))
    assert distributed.start(torch.device("cpu")) == distributed.processes() == distributed.Processes(rank=0, count=1)
    assert distributed.wrap(model) is model
    assert all(torch.equal(part, tensor) for part, tensor in zip(distributed.share(batch), batch, strict=True))
    assert distributed.sum_counts(torch.tensor([2, 3])).tolist() == [2, 3]
    assert distributed.gather("value") == ["value"]
    distributed.stop()


@pytest.mark.parametrize(
    ("lengths", "message"), [((5, 5), "got 5 for 2"), ((4, 6), r"one length, got \[4, 6\]"), ((), r"got \[\]")]
)
def test_a_batch_that_cannot_be_shared_is_named(lengths, message, monkeypatch) -> None:
    monkeypatch.setattr(distributed, "processes", lambda: distributed.Processes(rank=1, count=2))
    with pytest.raises(ValueError, match=message):
        distributed.share(tuple(torch.ones(length, 2) for length in lengths))


@pytest.mark.parametrize("rank", range(3))
def test_shares_are_neighbouring_rows_in_order(rank, monkeypatch) -> None:
    monkeypatch.setattr(distributed, "processes", lambda: distributed.Processes(rank=rank, count=3))
    (part,) = distributed.share((torch.arange(6),))
    assert part.tolist() == [2 * rank, 2 * rank + 1]


def test_more_processes_than_gpus_is_named(monkeypatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "test")
    monkeypatch.setenv("LOCAL_RANK", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match="at most 2, the number of GPUs"):
        distributed.start(torch.device("cuda"))


def test_gradients_are_added_in_the_order_of_the_ranks_wherever_they_lie(monkeypatch) -> None:
    """In float32 (2²⁴ + 1) − 2²⁴ is 0, and every other order of the three gives 1."""

    class Bucket:
        def buffer(self) -> torch.Tensor:
            return torch.zeros(11)

    def all_gather(parts, mine) -> None:
        for part, value in zip(parts, (2.0**24, 1.0, -(2.0**24)), strict=True):
            part.fill_(value)

    monkeypatch.setattr(distributed, "processes", lambda: distributed.Processes(rank=0, count=3))
    monkeypatch.setattr(distributed.dist, "all_gather", all_gather)
    hook = distributed.mean_in_rank_order
    mean = getattr(hook, "__wrapped__", hook)(None, Bucket()).wait()  # unwrapped: the bucket is no real one
    assert mean.tolist() == [0.0] * 11
