"""One way to train, judge, save and open a model, for every paper.

A paper says in a ``Task`` what is trained, on what, and how it is judged. ``train`` makes a run of it: it keeps the
best weights, judges them, and writes ``results.json`` and the figures into the run's folder. ``judge`` does the second
half alone. ``runs/PAPER/NAME`` is the run's folder; a name may have parts, as in ``compare/toy/sum``.
"""

import json
import re
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import torch
from torch import nn

from lab import config as configs
from lab import folders
from lab.checkpoint import CheckpointError, read_bytes, write_text
from lab.cli import TrainingOptions, advise_on_threads
from lab.device import choose_device
from lab.distributed import on_first, processes
from lab.run import Run, evaluation
from lab.seeding import random_states, restore_random_states, seed_everything

RUNS = Path("runs")
VALIDATIONS = 10  # in a run


class Task:
    """What is trained, on what, and how it is judged. A paper writes a subclass.

    Attributes:
        paper: the folder under ``runs/``.
        name: of the run, unless the user gives one.
        data: what the run is trained on, in terms of JSON: ``"data"``, the name of the data set, and what else makes
            it another one, such as a text's path.
        config: the paper's ``Config``, with at least a ``seed``.
        steps: of the training loop.
        unit: what the progress bar counts.
        parallel: whether ``train`` shares the work when torchrun has started several processes.
    """

    paper: str
    name: str
    data: Mapping[str, Any]
    config: Any
    steps: int
    unit: str = "step"
    parallel: bool = False

    def check(self) -> None:
        """Checks, before the first step, everything that training and judging will need."""

    def size(self, step: int) -> int:
        """How many units a step has."""
        return 1

    def build(self) -> nn.Module:
        """The model with its first weights."""
        raise NotImplementedError

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        """By name, all that has a ``state_dict`` beside the model: optimizers and schedulers."""
        return {}

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        """Calls the paper's loop."""
        raise NotImplementedError

    validate: Callable[[nn.Module], dict[str, float]] | None = None  # named numbers, one of them the ``score``

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The results, in terms of JSON."""
        raise NotImplementedError

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        """Figures for the run's folder; gives their paths."""
        return []

    def files(self) -> dict[str, str]:
        """By name, text files that a trained model needs, such as its vocabulary."""
        return {}


@dataclass(frozen=True)
class Trained:
    """A finished and judged run. ``results`` is the content of its ``results.json``."""

    folder: Path
    model: nn.Module
    results: dict[str, Any]
    figures: list[Path]


def run_config(task: Task) -> dict[str, Any]:
    """What a run is made with: the data and the configuration, in terms of JSON."""
    return in_json({**task.data, **asdict(task.config)})


def in_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are when they are read again from a JSON file: tuples are lists."""
    return json.loads(json.dumps(values))


def folder_of(paper: str, name: str) -> Path:
    """The folder of a paper's run.

    Raises:
        ValueError: if the name leads out of ``runs/PAPER``, or into another run.
    """
    path = PurePosixPath(name)
    reserved = any(part == ".." or part.endswith(folders.RESERVED) for part in path.parts)
    if not path.parts or path.is_absolute() or reserved:
        raise ValueError(f"--run must be a name such as 'toy' or 'compare/toy/sum', got {name!r}")
    for parent in list(path.parents)[:-1]:  # a new run would be deleted with the old one
        if folders.finished_or_none(RUNS / paper / parent) or folders.under_way(RUNS / paper / parent):
            raise ValueError(f"--run must not be inside another run, {RUNS / paper / parent}, got {name!r}")
    return RUNS / paper / name


def check_start(paper: str, name: str, config: Any, options: TrainingOptions, command: str) -> None:
    """Checks that a run may begin. Call it before anything slow, such as the training of a model that the task needs.

    The data are not known yet: the configuration alone is compared with that of a finished run.

    Raises:
        ValueError: if the configuration is out of range, or something in the place of the run would be lost.
    """
    configs.check(config)

    def check_folder() -> None:
        folder = folder_of(paper, name)
        folders.check_place(folder)
        if not (options.restart or (options.resume and folders.under_way(folder))):
            place = folders.finished_or_none(folder)
            before = folders.read_summary(place)["config"] if place else {}
            now = {**before, **in_json(asdict(config))}
            folders.check_free(folder, now, f"{command} --resume", f"{command} --restart")

    on_first(check_folder)  # process 0 may change the folder as soon as it has seen it


def check_one_process(task: Task) -> None:
    """Raises ValueError if torchrun has started several processes."""
    if processes().count > 1:
        raise ValueError(f"{task.paper}, {task.name} trains in one process: start it with python, not with torchrun")


def train(
    task: Task,
    options: TrainingOptions,
    command: str,
    title: str | None = None,
    resume_command: str | None = None,
    restart_command: str | None = None,
) -> Trained:
    """Trains, keeps the weights that were best in validation, and judges them.

    Under torchrun, all processes train, and process 0 alone judges, draws and writes.

    Raises:
        ValueError, OSError: for a configuration out of range, and as ``lab.run.Run``.
    """
    if not task.parallel:
        check_one_process(task)
    configs.check(task.config)
    device, folder = choose_device(options.device), folder_of(task.paper, options.run or task.name)
    task.check()
    seed_everything(task.config.seed)
    model = task.build().to(device)
    optimizers = task.optimizers(model)
    if processes().rank > 0:
        torch.manual_seed(task.config.seed + processes().rank)  # each process draws its own dropout
    run = Run(
        folder,
        run_config(task),
        {"model": model},
        optimizers,
        command=command,
        resume_command=resume_command,
        restart_command=restart_command,
        title=title or f"{task.paper}, {options.run or task.name}",
        validate=None if task.validate is None else lambda: task.validate(model),
        validate_every=max(1, task.steps // VALIDATIONS),
        unit=task.unit,
        size=task.size,
        threads=options.threads,
        resume=options.resume,
        restart=options.restart,
    )
    if processes().rank == 0:
        advise_on_threads()
    with run:
        on_first(lambda: [write_text(run.unfinished / name, text) for name, text in task.files().items()])
        task.train(model, optimizers, device, run.steps(task.steps), run.log)
    folders.load_best(folder, {"model": model})
    try:
        return judge(task, model, folder)
    except KeyboardInterrupt:
        name = options.run or task.name
        command = shlex.join(["python", "-m", task.paper, "judge", *([] if name == "toy" else ["--run", name])])
        if processes().rank == 0:
            print(f"stopped while judging: the model is trained, judge it with {command}", file=sys.stderr)
        raise


def judge(task: Task, model: nn.Module, folder: Path) -> Trained:
    """Judges a finished run's model; writes ``results.json`` and the figures into its folder."""
    results, figures = on_first(lambda: judge_here(task, model, folder))
    return Trained(folder, model, results, figures)


def judge_here(task: Task, model: nn.Module, folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """What ``judge`` does, in this process: the results and the paths of the figures."""
    summary = folders.read_summary(folder)
    with evaluation({"model": model}):
        judged = task.judge(model)
    results = {
        "paper": task.paper,
        "what": task.data["data"],
        "data": dict(task.data),
        "command": summary["command"],
        "config": in_json(asdict(task.config)),
        "steps": summary["steps"],
        "seconds": round(summary["seconds"], 1),
        "threads": summary["threads"],
        **judged,
        "validation": summary["history"],
    }
    write_text(folder / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    with evaluation({"model": model}):
        return results, task.draw(folder, model, results)


def train_or_reuse(task: Task, options: TrainingOptions, command: str, title: str | None = None) -> Trained:
    """``train`` for one of several runs. With ``resume``, a finished run is opened, a stopped one goes on, and one that
    was not started begins. One process only."""
    check_one_process(task)
    folder = folder_of(task.paper, options.run or task.name)
    if options.resume and folders.restart_asked(folder):
        options = replace(options, resume=False, restart=True)
    if options.resume and not options.restart and not folders.under_way(folder):
        folders.check_free(folder, run_config(task), f"{command} --resume", f"{command} --restart")
        if folder := folders.finished_or_none(folder):
            model = open_weights(task, folder)
            results = read_results(folder)
            if results is None:
                return judge(task, model, folder)
            with evaluation({"model": model}):
                return Trained(folder, model, results, task.draw(folder, model, results))
        options = replace(options, resume=False)
    return train(task, options, command, title)


def read_results(folder: Path) -> dict[str, Any] | None:
    """A finished run's ``results.json``; None if the run has not been judged.

    Raises:
        CheckpointError: if the file is damaged.
    """
    path = folder / "results.json"
    if not path.exists():
        return None
    try:
        results = json.loads(read_bytes(path))
    except ValueError:
        results = None
    if isinstance(results, dict) and "config" in results:
        return results
    raise CheckpointError(f"{path} is damaged: delete it, and judge the run anew")


def open_weights(task: Task, folder: Path) -> nn.Module:
    """The task's model with the best weights of a finished run, in evaluation mode, on the CPU."""
    model = task.build()
    folders.load_best(folder, {"model": model})
    return model.eval()


def find_run(paper: str, name: str, command: str) -> Path:
    """The folder of a finished run.

    Raises:
        ValueError: if there is no such run; it names those that are there, and the ``command`` that makes one.
    """
    try:
        return folders.finished(folder_of(paper, name), command)
    except ValueError as error:
        there = ", ".join(runs_of(paper))
        raise ValueError(f"{error}" + (f"; finished runs: {there}" if there else "")) from None


def open_run(paper: str, name: str, kind: type, command: str) -> tuple[Path, dict[str, Any], Any]:
    """A finished run: its folder, its data, and its configuration as an instance of ``kind``.

    Raises:
        ValueError: as ``find_run``.
        CheckpointError: if its ``run.json`` is damaged or of another version.
    """
    folder = find_run(paper, name, command)
    try:
        values, names = folders.read_summary(folder)["config"], set(kind.__dataclass_fields__)
        config = configs.checked(kind, {field: value for field, value in values.items() if field in names})
    except CheckpointError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{folder} is damaged or of another version ({error}): train anew") from error
    return folder, {field: value for field, value in values.items() if field not in names}, config


def runs_of(paper: str) -> list[str]:
    """The names of a paper's finished runs."""
    root = RUNS / paper
    names = {path.parent.relative_to(root).as_posix() for path in root.rglob("run.json")}
    return sorted({re.sub(r"\.(unfinished|replaced)$", "", name) for name in names})  # a kill can leave these


def compare(tasks: Mapping[str, Task], options: TrainingOptions, command: str) -> dict[str, Trained]:
    """Trains the variants one after the other, each in a run of its own; with ``resume``, only those that are left.

    One process only.

    Raises:
        ValueError: before the first variant, if the run of any of them may not be replaced.
    """
    if options.resume and options.restart:
        raise ValueError("--resume and --restart exclude each other")
    for task in tasks.values():
        check_one_process(task)
        folder = folder_of(task.paper, task.name)
        if options.restart:
            folders.ask_restart(folder)
        elif not (options.resume and (folders.under_way(folder) or folders.restart_asked(folder))):
            folders.check_free(folder, run_config(task), f"{command} --resume", f"{command} --restart")
    return {
        name: train_or_reuse(task, replace(options, run=task.name), command, title=name) for name, task in tasks.items()
    }


def pretrained(task: Task, command: str, device: str | None = None, threads: int | None = None) -> nn.Module:
    """The model of a task that others build on, frozen, in evaluation mode: it is trained now if it has no run yet.

    Args:
        command: the command that needs it; after Ctrl-C the same command goes on.

    Raises:
        ValueError: if its run has another configuration.
    """
    folder, states = folder_of(task.paper, task.name), random_states()
    restart_command = f"python -m {task.paper} --restart"
    try:
        if place := folders.finished_or_none(folder):
            if not folders.under_way(folder):  # the finished one serves while a new one is unfinished
                folders.check_free(folder, run_config(task), command, restart_command)
        else:
            options = TrainingOptions(threads=threads, device=device, resume=folders.under_way(folder))
            place = train(task, options, command, resume_command=command, restart_command=restart_command).folder
        return open_weights(task, place).requires_grad_(False)
    finally:
        restore_random_states(states)  # so that the model built on it is the same, whether it was trained now or not
