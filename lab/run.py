"""A run: what happens between two steps of a training loop that knows nothing of it.

A loop takes ``run.steps(n)`` in place of ``range(n)``, and ``run.log`` in place of ``print``. When the loop asks for
the next step, the run validates, keeps the best weights, saves, and acts on Ctrl-C. A batch is a pure function of its
step. So the step number, the weights, the optimizers, the random states and the history are everything that a run
needs, and a run that was killed ends, resumed, with the same weights bit for bit (on the CPU, with the same number of
threads and processes). A validation leaves the random states as they were.

In the run's folder: ``last.pt`` to resume from, ``best.safetensors``, ``metrics.jsonl`` with one line a step, and, at
the end, ``run.json``. Under torchrun, only process 0 writes and shows the progress bar.
"""

import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn
from tqdm import tqdm

from lab import folders
from lab.checkpoint import CheckpointError, load, naming, save, save_weights, write_text
from lab.distributed import another_ended, gather, on_first, processes, sum_counts
from lab.seeding import random_states, restore_random_states


class Run:
    """One training, from its first step or from its last saved one. To be used in a ``with`` statement.

    Args:
        folder: where the finished run will be, such as ``runs/vqa/toy``.
        config: the configuration and the data, in terms of JSON. Only the same config resumes or replaces a run.
        modules: by name, without a wrapper; a resumed run fills them with the saved weights.
        optimizers: by name; schedulers too, and whatever else has a ``state_dict``.
        command: the command that starts this run.
        resume_command, restart_command: for the messages; by default ``command`` with --resume or --restart.
        title: is shown before the progress bar.
        validate: gives the score (higher is better), or named numbers, one of them ``score``. It is called in every
            process, with the modules in evaluation mode, without gradients.
        validate_every: in steps; 0 for at the end only. It is always called at the end.
        save_seconds: how often to save between validations, which always save; results do not depend on it.
        unit, size: what the progress bar counts, and how many of them a step has.
        threads: the number that the user gave; None takes that of the run that is resumed.
        resume: go on after the last saved step.
        restart: throw an unfinished run away and begin anew; replace a finished one with another config.

    Raises:
        ValueError: if ``resume`` finds nothing to resume, another config or number of processes; if an unfinished run,
            or a finished one with another config, is there without ``resume`` or ``restart``; if another process
            writes the same run.
        CheckpointError: if the run to be resumed is damaged.
    """

    def __init__(
        self, folder: Path, config: dict[str, Any], modules: dict[str, nn.Module], optimizers: dict[str, Any], *,
        command: str, resume_command: str | None = None, restart_command: str | None = None, title: str = "training",
        validate: Callable[[], float | dict[str, float]] | None = None, validate_every: int = 0,
        save_seconds: float | int = 60, unit: str = "step", size: Callable[[int], int] = lambda step: 1,
        threads: int | None = None, resume: bool = False, restart: bool = False,
    ) -> None:  # fmt: skip
        self.folder, self.unfinished = folder, folders.unfinished(folder)
        self.config = json.loads(json.dumps(config))  # tuples become lists, as they will be when read again
        self.modules, self.optimizers, self.command = modules, optimizers, command
        self.resume_command = resume_command or f"{command} --resume"
        self.restart_command = restart_command or f"{command} --restart"
        self.title, self.unit, self.size, self.threads = title, unit, size, threads
        self.validate, self.validate_every, self.save_seconds = validate, validate_every, save_seconds
        self.done = 0  # steps taken
        self.saved = 0  # of them, at the last save
        self.seconds = 0.0  # spent in them, over all sessions
        self.history: list[dict[str, float]] = []  # the validations: {"steps": taken until then, "score": …, …}
        self.best: dict[str, float] | None = None  # the first of the history with the highest score
        self.row: dict[str, float] = {}  # of the current step
        self.lines: list[str] = []  # of the steps since the last save
        self.metrics_bytes = 0  # length of metrics.jsonl at the last save
        self.resumed_states: dict | None = None
        self.interrupted = False
        self.bar = self.metrics = self.lock = None  # the lock: in process 0, until the run is closed
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
        folders.check_place(self.folder)
        if resume and not folders.under_way(self.folder):
            state = "is finished already" if folders.complete(self.folder) else "has not been started"
            raise ValueError(f"nothing to resume, {self.folder} {state}: train without --resume")
        if not (resume or restart):
            folders.check_free(self.folder, self.config, self.resume_command, self.restart_command)
        if restart and self.unfinished.exists():
            with naming(self.unfinished):
                (self.unfinished / "last.pt").unlink(missing_ok=True)  # first: half a folder must not look resumable
                shutil.rmtree(self.unfinished)

    def _load(self) -> None:
        path, anew = self.unfinished / "last.pt", f"begin anew with {self.restart_command}"
        try:
            state = load(path)
        except CheckpointError as error:
            raise CheckpointError(f"{error}: {anew}") from error
        try:
            there = {"number of processes": state["processes"], **state["config"]}
            changes = folders.differences(there, {"number of processes": processes().count, **self.config})
            threads = state["threads"]
            if not changes:
                for kind, things in (("modules", self.modules), ("optimizers", self.optimizers)):
                    for name, thing in things.items():
                        thing.load_state_dict(state[kind][name])
                self.done = self.saved = state["steps"]
                self.seconds = state["seconds"]
                self.history, self.best = state["history"], state["best"]
                self.metrics_bytes, self.resumed_states = state["metrics_bytes"], state["random"][processes().rank]
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CheckpointError(f"{path} was written by another model, or by no run: {anew}") from error
        if changes:
            raise ValueError(f"{self.unfinished} cannot be resumed with another configuration: {changes}")
        if self.threads is None:
            torch.set_num_threads(threads)
        elif threads != self.threads and processes().rank == 0:
            differ = f"{threads} torch threads and is resumed with {self.threads}"
            print(f"warning: the run was started with {differ}: its last bits may differ", file=sys.stderr)

    def __enter__(self) -> "Run":
        stops = [signal.SIGINT]
        if processes().count > 1:  # when one process has ended, torchrun stops the others with SIGTERM
            stops.append(signal.SIGTERM)
        self.handlers_before = {number: signal.signal(number, self._interrupt) for number in stops}
        return self

    def __exit__(self, kind: type[BaseException] | None, exception: BaseException | None, *trace: object) -> None:
        ended = exception is not None and another_ended(exception)
        for number, handler in self.handlers_before.items():
            if not (ended and number == signal.SIGTERM):  # torchrun's SIGTERM must not come before our message
                signal.signal(number, handler)
        self._close()
        self.lock = None
        if self.interrupted and kind is None:  # Ctrl-C before the first step or after the last
            raise KeyboardInterrupt
        if isinstance(exception, RuntimeError) and "without overflow" in str(exception):  # torch: a rate above float32
            raise self._diverged("the optimizer's step", math.inf, f"in step {self.done}") from exception
        if ended:
            saved = f"{self.saved} steps are saved: go on with {self.resume_command}"
            raise ConnectionError(f"another process has ended, so this one stops too; {saved}") from exception

    def _interrupt(self, signal_number: int, frame: object) -> None:
        self.interrupted = True  # acted on between two steps

    def _close(self) -> None:
        for thing in (self.bar, self.metrics):
            if thing is not None:
                thing.close()

    def steps(self, n: int) -> Iterator[int]:
        """The remaining steps of 0 … n − 1. After the last one the run is finished and takes its place.

        Raises:
            ValueError: if ``n`` is not positive, or less than the steps already taken; if a weight or the score is not
                finite when the run validates or saves.
            OSError: if the folder cannot be written, before the first step or whenever the disk is full.
            SystemExit: with status 130 after Ctrl-C, between two steps, or when the run has taken its place.
        """
        if n < max(1, self.done):
            raise ValueError(f"n must be at least {max(1, self.done)} steps, got {n}")
        on_first(self._open_metrics)
        if self.resumed_states is not None:
            restore_random_states(self.resumed_states)
        else:
            self._save()  # now: a folder that cannot be written is reported before hours have passed
        sizes = [self.size(step) for step in range(n)]
        self.bar = tqdm(
            total=sum(sizes), initial=sum(sizes[: self.done]), desc=self.title, unit=self.unit,
            unit_scale=self.unit != "step", dynamic_ncols=True,
            disable=True if processes().rank > 0 else None,  # None: hidden where stderr is no terminal
        )  # fmt: skip
        self.total, self.saved_at = n, time.monotonic()
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
            ValueError: if ``step`` is not the current step, or a number is not finite.
        """
        if step != self.row.get("step"):
            raise ValueError(f"step must be {self.row.get('step')}, the current step, got {step}")
        self.row.update({name: float(number) for name, number in numbers.items()})
        for name, number in self.row.items():
            if not math.isfinite(number):
                raise self._diverged(name, number, f"in step {step}")

    def _diverged(self, name: str, number: float, when: str) -> ValueError:
        """The error for a number that is not finite. Nothing is saved after it, so ``last.pt`` keeps finite weights."""
        anew = f"begin anew with a lower learning rate and {self.restart_command}"
        kept = f"{self.unfinished / 'last.pt'} keeps the weights after {self.saved} steps"
        return ValueError(f"{name} must be finite, got {number} {when}: look for NaN in the data, or {anew}; {kept}")

    def _check_weights(self) -> None:
        """Raises ValueError if a weight is not finite: the loss of a step is older than the weights that it leaves."""
        for module, kept in self.modules.items():
            for name, tensor in kept.state_dict().items():
                wrong = tensor[~tensor.isfinite()]
                if len(wrong):
                    raise self._diverged(f"{module}.{name}", wrong[0].item(), f"after {self.done} steps")

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
        if stop and not last:  # after the last step the run takes its place first
            self._stop(f"stopped after {self.done} of {self.total} steps: go on with {self.resume_command}")

    def _stop(self, message: str) -> None:
        self._close()
        if processes().rank == 0:
            print(message, file=sys.stderr)
        raise SystemExit(130)

    def _validate(self) -> None:
        self._check_weights()
        with evaluation(self.modules):
            result = self.validate()
        numbers = result if isinstance(result, dict) else {"score": result}
        numbers = {name: float(number) for name, number in numbers.items()}
        if "score" not in numbers or numbers.keys() & self.row.keys():
            raise ValueError(f"validate must give a score, and no {', '.join(self.row)}, got {', '.join(numbers)}")
        if not math.isfinite(numbers["score"]):
            raise self._diverged("the score", numbers["score"], f"after {self.done} steps")
        self.row.update(numbers)
        self.history.append({"steps": self.done, **numbers})
        if numbers["score"] > (self.best["score"] if self.best else float("-inf")):
            self.best = self.history[-1]
            on_first(self._write_best)
        if processes().rank == 0:
            shown = "  ".join(f"{name} {number:.4g}" for name, number in numbers.items())
            self.bar.write(f"{self.title}: after {self.done} steps  {shown}", file=sys.stderr)

    def _open_metrics(self) -> None:
        path = self.unfinished / "metrics.jsonl"
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.metrics = path.open("ab")
            if self.metrics.tell() < self.metrics_bytes:
                raise CheckpointError(f"{path} has lost lines: begin anew with {self.restart_command}")
            self.metrics.truncate(self.metrics_bytes)  # the steps after the last save come again

    def _write_metrics(self) -> None:
        text = "".join(self.lines).encode()
        with naming(self.unfinished / "metrics.jsonl"):
            self.metrics.write(text)
            self.metrics.flush()
            os.fsync(self.metrics.fileno())
        self.metrics_bytes += len(text)

    def _write_best(self) -> None:
        save_weights(self.unfinished / "best.safetensors", nn.ModuleDict(self.modules))

    def _summary(self) -> dict[str, Any]:
        return {
            "config": self.config, "steps": self.done, "seconds": self.seconds, "best": self.best,
            "history": self.history, "processes": processes().count, "threads": torch.get_num_threads(),
        }  # fmt: skip

    def _save(self) -> None:
        if self.done:
            self._check_weights()
        states = gather(random_states())
        on_first(self._write_metrics)  # first: last.pt must not count lines that are not on the disk
        self.lines.clear()
        state = {
            **self._summary(), "random": states, "metrics_bytes": self.metrics_bytes,
            "modules": {name: module.state_dict() for name, module in self.modules.items()},
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
        }  # fmt: skip
        on_first(lambda: save(self.unfinished / "last.pt", state))
        self.saved = self.done

    def _finish(self) -> None:
        if self.best is None:  # never validated: the last weights are the best that we know of
            self._write_best()
        self._close()
        summary = {"command": self.command, **self._summary(), "torch": torch.__version__}
        write_text(self.unfinished / "run.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        folders.settle(self.folder)


@contextmanager
def evaluation(modules: dict[str, nn.Module]) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards every part has its mode, and the generators their state, again."""
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
