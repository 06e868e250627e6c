"""A training as small as can be that needs everything a run keeps: dropout, Adam's moments, and all three generators.

``python -m tests.lab.tiny FOLDER [--resume] [--kill STEP] [--interrupt STEP]`` is its command line.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch._dynamo  # the first optimizer imports it, which takes two seconds: forks have it
from torch import nn

from lab.cli import command_line
from lab.run import Run
from lab.seeding import seed_everything

CONFIG = {"steps": 40, "learning_rate": 0.01, "widths": [3, 5]}


def build(seed: int = 3) -> tuple[nn.Module, torch.optim.Optimizer]:
    seed_everything(seed)
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.3), nn.Linear(5, 2))
    return model, torch.optim.Adam(model.parameters(), lr=0.01)


def batch_at(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(step)
    return torch.randn(6, 3, generator=generator), torch.randn(6, 2, generator=generator)


def train(model, optimizer, batch_at, steps, log) -> None:
    """The papers' loop, but that it also draws from python's and numpy's generators."""
    for step in steps:
        x, target = batch_at(step)
        noise = random.random() + np.random.rand()  # noqa: NPY002
        loss = (model(x + noise) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log(step, loss=loss.item())


def score_of(model: nn.Module) -> Callable[[], dict[str, float]]:
    """A validation that draws random numbers, and whose best is in the middle: it asks for an output of length 0.8."""

    def score() -> dict[str, float]:
        x = torch.randn(50, 3, generator=torch.Generator().manual_seed(9))
        return {"score": -abs(model(x).norm().item() / 50 - 0.055), "drawn": random.random() + torch.rand(1).item()}

    return score


def attack(batch_at, at: int, signal_number: int):
    """The batches, with a signal to this very process in the middle of step ``at``."""

    def attacked(step: int):
        if step == at:
            os.kill(os.getpid(), signal_number)
        return batch_at(step)

    return attacked


def make_run(folder: Path, model, optimizer, **options) -> Run:
    options = {"config": CONFIG, "validate": score_of(model), "validate_every": 10, "save_seconds": 1e9} | options
    config = options.pop("config")
    return Run(folder, config, {"model": model}, {"adam": optimizer}, command="python -m tiny", **options)


def run_tiny(folder: Path, batch_at=batch_at, steps: int = CONFIG["steps"], **options) -> nn.Module:
    model, optimizer = build()
    with make_run(folder, model, optimizer, **options) as run:
        train(model, optimizer, batch_at, run.steps(steps), run.log)
    return model


class Ended(NamedTuple):
    """How a process ended, in the terms of ``subprocess``."""

    returncode: int
    stderr: str


def fork(function: Callable[[], None]) -> Callable[[], Ended]:
    """Calls it in another process, at once, because that one imports nothing again; call the result to wait for it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115  closed below
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(60)  # rather killed than waited for
            os.dup2(file.fileno(), 2)
            sys.stderr = os.fdopen(2, "w")
            function()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(status)

    def wait() -> Ended:
        _, status = os.waitpid(child, 0)
        with file:
            file.seek(0)
            return Ended(os.waitstatus_to_exitcode(status), file.read().decode())

    return wait


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--kill", type=int, default=-1)
    parser.add_argument("--interrupt", type=int, default=-1)
    arguments = parser.parse_args(arguments)
    torch.set_num_threads(1)
    attacked = attack(attack(batch_at, arguments.kill, signal.SIGKILL), arguments.interrupt, signal.SIGINT)
    with command_line():
        run_tiny(arguments.folder, attacked, resume=arguments.resume)


if __name__ == "__main__":
    main()
