"""What runs inside torchrun, for ``test_distributed.py``: ``… -m tests.lab.distributed_check FOLDER``.

``check_same_gradient`` takes any model and batch, so that a paper's tests can put its own through it.
"""

import inspect
import signal
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from lab import distributed
from lab.seeding import seed_everything
from tests.lab import tiny


def gradients(model: nn.Module, loss_of: Callable, batch: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    model.zero_grad()
    loss_of(model, *batch).backward()
    return [parameter.grad.clone() for parameter in model.parameters()]


def check_same_gradient(model: nn.Module, loss_of: Callable, batch: tuple, share=distributed.share) -> None:
    """The wrapped model's gradient on this process's share is the plain model's on the whole batch, to 1e-6."""
    expected = gradients(deepcopy(model), loss_of, batch)  # each process by itself
    for got, wanted in zip(gradients(distributed.wrap(model), loss_of, share(batch)), expected, strict=True):
        assert_close(got, wanted, rtol=1e-6, atol=1e-6)


def mean_square(model: nn.Module, x: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (model(x) - target).square().mean()


def first_rows(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """A wrong share: every process takes the same rows."""
    return tuple(part[: len(part) // distributed.processes().count] for part in batch)


def check_what_processes_need(processes: distributed.Processes) -> None:
    rank, count = processes.rank, processes.count
    model, _ = tiny.build()
    check_same_gradient(model.eval(), mean_square, tiny.batch_at(0))
    with pytest.raises(AssertionError):  # the check can fail
        check_same_gradient(model, mean_square, tiny.batch_at(0), share=first_rows)
    assert distributed.sum_counts(torch.tensor([1, rank])).tolist() == [count, count * (count - 1) // 2]
    assert distributed.gather(10 * rank) == [10 * other for other in range(count)]
    shares = distributed.gather([part.tolist() for part in distributed.share((torch.arange(6),))])
    assert [row for (part,) in shares for row in part] == list(range(6)), shares


def train_tiny(folder: Path, batch_at, **options) -> None:
    """As ``tiny.run_tiny``, with a share of each batch, and another dropout in each process."""
    model, optimizer = tiny.build()
    with tiny.make_run(folder, model, optimizer, **options) as run:
        wrapped = distributed.wrap(model)
        seed_everything(7 + distributed.processes().rank)
        share = inspect.unwrap(distributed.share)  # beartype, which checks shapes in tests, draws random numbers too
        tiny.train(wrapped, optimizer, lambda step: share(batch_at(step)), run.steps(40), run.log)


def resume(folder: Path) -> None:
    distributed.start(torch.device("cpu"))
    train_tiny(folder, tiny.batch_at, resume=True)
    distributed.leave()


def main() -> None:
    """The checks, a whole run, and one that meets Ctrl-C in step 12 and SIGKILL in step 27, each in one process."""
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    processes = distributed.start(torch.device("cpu"))
    last = processes.rank == processes.count - 1
    check_what_processes_need(processes)
    (folder / "file").touch()
    with pytest.raises(OSError, match=r"cannot write .*file/run"):  # which process 0 met, and all hear of
        train_tiny(folder / "file" / "run", tiny.batch_at)
    train_tiny(folder / "whole", tiny.batch_at)
    interrupted = tiny.attack(tiny.batch_at, 12, signal.SIGINT) if last else tiny.batch_at
    with pytest.raises(SystemExit, match="130"):
        train_tiny(folder / "stopped", interrupted)
    killed = tiny.attack(tiny.batch_at, 27, signal.SIGKILL) if last else tiny.batch_at
    train_tiny(folder / "stopped", killed, resume=True)


if __name__ == "__main__":
    main()
