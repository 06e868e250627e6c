"""A run: what happens between two steps of a training loop that knows nothing of it.

``run.steps(n)`` goes where ``range(n)`` could stand, ``run.log`` where ``print`` could. The loop asks for the next
step, and in that moment, when none is under way, the run validates, keeps the best, saves, and acts on Ctrl-C. A batch
is a pure function of its step, so what is saved (step, weights, optimisers, random states, history) is all there is,
and a run that was killed ends, resumed, with the same weights bit for bit (on the CPU, with as many threads and
processes). Looking changes nothing: a validation gives the random states back as it found them.

In the run's folder: ``last.pt`` to resume from, ``best.safetensors``, ``metrics.jsonl`` with one line a step, and, when
it has ended, ``run.json``. Under torchrun process 0 alone writes and shows the bar.
"""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer
from tqdm import tqdm

from lab import folders
from lab.checkpoint import CheckpointError, load, naming, save, save_weights, write_text
from lab.distributed import gather, on_first, processes, sum_counts
from lab.seeding import random_states, restore_random_states


@dataclass(frozen=True)
class How:
    """How a run is started, whatever it computes."""

    command: str  # that starts it, for messages
    title: str = "training"
    device: str | None = None
    resume: bool = False
    restart: bool = False


class Run:
    """One training, from its first step or from its last saved one. To be used in a ``with`` statement.

    Args:
        folder: where the finished run will stand, such as ``runs/vqa/toy``.
        config: what the run is made with, in terms of JSON; a run can only be resumed with the same.
        modules: by name, without a wrapper; a resumed run fills them with what was saved.
        optimizers: by name.
        command: the command that starts this run, for the messages that say how to go on.
        title: what stands before the progress bar.
        validate: gives the score (higher is better), or named numbers of which one is the ``score``. It is called in
            every process, with the modules in evaluation mode, without gradients.
        validate_every: in steps; 0 for at the end only. It is always called at the end.
        save_seconds: how often to save between validations, each of which saves; results do not depend on it.
        unit: what the progress bar counts.
        size: how many of these a step is.
        resume: go on after the last saved step.
        restart: throw an unfinished run away and begin anew.

    Raises:
        ValueError: if ``resume`` has nothing to resume or finds another config or number of processes; if there is an
            unfinished run and neither ``resume`` nor ``restart`` says what to do with it; if another process writes
            the same run.
        CheckpointError: if what is to be resumed is damaged.
    """

    def __init__(
        self,
        folder: Path,
        config: dict[str, Any],
        modules: dict[str, nn.Module],
        optimizers: dict[str, Optimizer],
        *,
        command: str,
        title: str = "training",
        validate: Callable[[], float | dict[str, float]] | None = None,
        validate_every: int = 0,
        save_seconds: float | int = 60,
        unit: str = "step",
        size: Callable[[int], int] = lambda step: 1,
        resume: bool = False,
        restart: bool = False,
    ) -> None:
        self.folder, self.unfinished = folder, folders.unfinished(folder)
        self.config = json.loads(json.dumps(config))  # tuples become lists, as they will be when read again
        self.modules, self.optimizers = modules, optimizers
        self.command, self.title, self.unit, self.size = command, title, unit, size
        self.validate, self.validate_every, self.save_seconds = validate, validate_every, save_seconds
        self.done = 0  # steps taken
        self.seconds = 0.0  # spent in them, over all sessions
        self.history: list[dict[str, float]] = []  # the validations: {"steps": taken until then, "score": …, …}
        self.best: dict[str, float] | None = None  # the first of the history with the highest score
        self.row: dict[str, float] = {}  # of the step under way
        self.lines: list[str] = []  # of the steps since the last save
        self.metrics_bytes = 0  # length of metrics.jsonl, which the lines join with each save
        self.resumed_states: dict | None = None
        self.interrupted = False
        self.bar = self.metrics = None
        self.lock: folders.Lock | None = None  # in process 0, until the run is closed
        try:
            on_first(lambda: self._check_folder(resume, restart))
            if resume:
                self._load()
        except BaseException:
            self.lock = None
            raise

    def _check_folder(self, resume: bool, restart: bool) -> None:
        if resume and restart:
            raise ValueError("--resume and --restart exclude each other")
        self.lock = folders.lock(self.folder)
        folders.settle(self.folder)
        if place := folders.in_the_way(self.folder):
            raise ValueError(f"{place} is in the way and is no finished run: move it elsewhere")
        under_way = folders.under_way(self.folder)
        if resume and not under_way:
            state = "is finished already" if folders.complete(self.folder) else "has not been started"
            raise ValueError(f"nothing to resume, {self.folder} {state}: train without --resume")
        if under_way and not (resume or restart):
            raise ValueError(
                f"{self.unfinished} holds an unfinished run: go on with {self.command} --resume, "
                f"or begin anew with {self.command} --restart"
            )
        if restart and self.unfinished.exists():
            with naming(self.unfinished):
                (self.unfinished / "last.pt").unlink(missing_ok=True)  # first: half a folder must not look resumable
                shutil.rmtree(self.unfinished)

    def _load(self) -> None:
        path, anew = self.unfinished / "last.pt", f"begin anew with {self.command} --restart"
        try:
            state = load(path)
        except CheckpointError as error:
            raise CheckpointError(f"{error}: {anew}") from error
        try:
            here = {"number of processes": processes().count, **self.config}
            there = {"number of processes": state["processes"], **state["config"]}
            changed = [
                f"{name} was {there.get(name, 'not there')!r} and is {here.get(name, 'not there')!r} now"
                for name in sorted(here.keys() | there.keys())
                if here.get(name, "not there") != there.get(name, "not there")
            ]
            threads = state["threads"]
            if not changed:
                self._restore(state)
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} was written by another model, or by no run: {anew}") from error
        if changed:
            raise ValueError(f"{self.unfinished} cannot be resumed with another configuration: {'; '.join(changed)}")
        if threads != torch.get_num_threads() and processes().rank == 0:
            differ = f"{threads} torch threads and is resumed with {torch.get_num_threads()}"
            print(f"warning: the run was started with {differ}: its last bits may differ", file=sys.stderr)

    def _restore(self, state: dict) -> None:
        for kind, things in (("modules", self.modules), ("optimizers", self.optimizers)):
            for name, thing in things.items():
                thing.load_state_dict(state[kind][name])
        self.done, self.seconds = state["steps"], state["seconds"]
        self.history, self.best = state["history"], state["best"]
        self.metrics_bytes, self.resumed_states = state["metrics_bytes"], state["random"][processes().rank]

    def __enter__(self) -> "Run":
        self.handler_before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *exception: object) -> None:
        signal.signal(signal.SIGINT, self.handler_before)
        self._close()
        self.lock = None

    def _interrupt(self, signal_number: int, frame: object) -> None:
        self.interrupted = True  # acted on between two steps

    def _close(self) -> None:
        for thing in (self.bar, self.metrics):
            if thing is not None:
                thing.close()

    def steps(self, n: int) -> Iterator[int]:
        """The steps that are left of 0 … n − 1. With the last one the run is finished and takes its place.

        Raises:
            ValueError: if ``n`` is not positive, or fewer than the steps already taken.
            OSError: if the folder cannot be written, before the first step or whenever the disk is full.
            SystemExit: with status 130, after Ctrl-C: between two steps, or when the run has taken its place.
        """
        if n < max(1, self.done):
            raise ValueError(f"n must be at least {max(1, self.done)} steps, got {n}")
        on_first(self._open_metrics)
        if self.resumed_states is not None:
            restore_random_states(self.resumed_states)
        else:
            self._save()  # now rather than later: what is wrong with the folder shows before hours have passed
        hidden = True if processes().rank > 0 else None  # None: hidden where stderr is no terminal
        sizes = [self.size(step) for step in range(n)]
        self.bar = tqdm(
            total=sum(sizes),
            initial=sum(sizes[: self.done]),
            desc=self.title,
            unit=self.unit,
            unit_scale=self.unit != "step",
            disable=hidden,
            dynamic_ncols=True,
        )
        self.total = n
        self.saved_at = time.monotonic()
        for step in range(self.done, n):
            self.row, begin = {"step": step}, time.monotonic()
            yield step
            self.done, self.seconds = step + 1, self.seconds + time.monotonic() - begin
            self._between_steps(last=self.done == n)
        on_first(self._finish)
        if sum_counts(torch.tensor(self.interrupted, dtype=torch.int64)):
            self._stop(f"stopped after the last of {n} steps: the run is finished, in {self.folder}")

    def log(self, step: int, **numbers: float | int | torch.Tensor) -> None:
        """Keeps named numbers for this step's line in ``metrics.jsonl``, and shows them beside the bar.

        Raises:
            ValueError: if ``step`` is not the step under way.
        """
        if step != self.row.get("step"):
            raise ValueError(f"step must be {self.row.get('step')}, the step under way, got {step}")
        self.row.update({name: float(number) for name, number in numbers.items()})

    def _between_steps(self, last: bool) -> None:
        self.bar.set_postfix({name: number for name, number in self.row.items() if name != "step"}, refresh=False)
        self.bar.update(self.size(self.done - 1))
        validating = last or (self.validate_every > 0 and self.done % self.validate_every == 0)
        if validating and self.validate is not None:
            self._validate()
        self.lines.append(json.dumps(self.row) + "\n")
        due = time.monotonic() - self.saved_at >= self.save_seconds
        stop, due = sum_counts(torch.tensor([self.interrupted, due], dtype=torch.int64)).tolist()  # one asks, all do
        if validating or stop or due:
            self._save()
            self.saved_at = time.monotonic()
        if stop and not last:  # after the last one the run takes its place first
            how = f"go on with {self.command} --resume"
            self._stop(f"stopped after {self.done} of {self.total} steps: {how}")

    def _stop(self, message: str) -> None:
        self._close()
        if processes().rank == 0:
            print(message, file=sys.stderr)
        raise SystemExit(130)

    def _validate(self) -> None:
        with looking(self.modules):
            result = self.validate()
        numbers = result if isinstance(result, dict) else {"score": result}
        numbers = {name: float(number) for name, number in numbers.items()}
        if "score" not in numbers or numbers.keys() & self.row.keys():
            raise ValueError(f"validate must give a score, and no {', '.join(self.row)}, got {', '.join(numbers)}")
        self.row.update(numbers)
        self.history.append({"steps": self.done, **numbers})
        if numbers["score"] > (self.best["score"] if self.best else float("-inf")):
            self.best = self.history[-1]
            on_first(self._write_best)
        if processes().rank == 0:
            said = "  ".join(f"{name} {number:.4g}" for name, number in numbers.items())
            self.bar.write(f"{self.title}: after {self.done} steps  {said}", file=sys.stderr)

    def _open_metrics(self) -> None:
        path = self.unfinished / "metrics.jsonl"
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.metrics = path.open("ab")
            if self.metrics.tell() < self.metrics_bytes:
                raise CheckpointError(f"{path} has lost lines: begin anew with {self.command} --restart")
            self.metrics.truncate(self.metrics_bytes)  # what came after the last save will come again

    def _write_metrics(self) -> None:
        text = "".join(self.lines).encode()
        with naming(self.unfinished / "metrics.jsonl"):
            self.metrics.write(text)
            self.metrics.flush()
            os.fsync(self.metrics.fileno())
        self.metrics_bytes += len(text)

    def _write_best(self) -> None:
        save_weights(self.unfinished / "best.safetensors", nn.ModuleDict(self.modules))

    def _save(self) -> None:
        states = gather(random_states())
        on_first(self._write_metrics)  # first: last.pt must not count lines that are not on the disk
        self.lines.clear()
        state = {
            "steps": self.done,
            "seconds": self.seconds,
            "config": self.config,
            "processes": processes().count,
            "threads": torch.get_num_threads(),
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "random": states,
            "history": self.history,
            "best": self.best,
            "metrics_bytes": self.metrics_bytes,
        }
        on_first(lambda: save(self.unfinished / "last.pt", state))

    def _finish(self) -> None:
        if self.best is None:  # never validated: the last weights are the best that we know of
            self._write_best()
        self._close()
        summary = {
            "command": self.command,
            "config": self.config,
            "steps": self.done,
            "seconds": round(self.seconds, 3),
            "best": self.best,
            "processes": processes().count,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }
        write_text(self.unfinished / "run.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        folders.settle(self.folder)


@contextmanager
def looking(modules: dict[str, nn.Module]) -> Iterator[None]:
    """Evaluation mode, no gradients; afterwards every part is in the mode, and chance in the state, it was in."""
    parts = [part for module in modules.values() for part in module.modules()]
    modes, states = [part.training for part in parts], random_states()
    for part in parts:
        part.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in zip(parts, modes, strict=True):
            part.training = mode
        restore_random_states(states)
