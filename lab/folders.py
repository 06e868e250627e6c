"""Where runs are kept, and how a finished run is replaced without a moment in which it is lost.

``runs/vqa/toy`` is a finished run, ``runs/vqa/toy.unfinished`` a run in progress. ``run.json`` is written last: a
folder that holds it is complete. A new run replaces the old one in four steps: (1) ``run.json`` is written into the
new one, (2) the old one is renamed to ``….replaced``, (3) the new one is renamed, (4) the old one is deleted. After a
kill between two steps, ``finished`` still finds a complete run, and the next start completes the replacement
(``settle``). A folder without ``run.json`` is not a run: it is never renamed or deleted.
"""

import json
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout
from torch import nn

from lab.checkpoint import CheckpointError, load_weights, naming, read_bytes, sync_folder

RESERVED = (".unfinished", ".replaced")  # no run's name ends so
SUMMARY = frozenset({"command", "config", "steps", "seconds", "best", "history", "threads"})  # needed in run.json
ABSENT = "not there"


def unfinished(folder: Path) -> Path:
    """Where the run that will become ``folder`` is being written."""
    return folder.with_name(folder.name + ".unfinished")


def replaced(folder: Path) -> Path:
    """Where the old run waits for its deletion while the new one takes its place."""
    return folder.with_name(folder.name + ".replaced")


def complete(folder: Path) -> bool:
    """Whether ``folder`` holds a finished run."""
    return (folder / "run.json").is_file()


def under_way(folder: Path) -> bool:
    """Whether a run that will become ``folder`` was stopped and can be resumed."""
    return (unfinished(folder) / "last.pt").exists() and not complete(unfinished(folder))


def ask_restart(folder: Path) -> None:
    """Notes that the run will be trained anew: a comparison that was stopped before its turn still knows it."""
    path = unfinished(folder) / "restart"
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def restart_asked(folder: Path) -> bool:
    """Whether ``ask_restart`` was called and the run has not begun since then."""
    return (unfinished(folder) / "restart").exists()


def in_the_way(folder: Path) -> Path | None:
    """A file or folder that has the place of a run and is not a run."""
    places = (place for place in (folder, replaced(folder)) if place.exists() and not complete(place))
    return next(places, None)


def check_place(folder: Path) -> None:
    """Raises ValueError if a file or folder that is not a run has the place of one."""
    if place := in_the_way(folder):
        raise ValueError(f"{place} is in the way and is no finished run: move it elsewhere")


def settle(folder: Path) -> None:
    """Completes a replacement that a kill has interrupted.

    Raises:
        ValueError: if something that is not a run has the place of the new one; nothing is moved or deleted then.
    """
    new, old = unfinished(folder), replaced(folder)
    with suppress(OSError):
        old.rmdir()  # only if it is empty: killed at the very end of discard
    with naming(folder):
        if complete(new):
            if place := in_the_way(folder):
                raise ValueError(
                    f"{place} is in the way and is no finished run: move it elsewhere; the new run is {new}"
                )
            if folder.exists():
                discard(old)
                folder.rename(old)
            new.rename(folder)
            sync_folder(folder.parent)
        if complete(folder):
            discard(old)


def discard(folder: Path) -> None:
    """Deletes a run. ``run.json`` goes last, so that half of a run can still be recognised as one."""
    if complete(folder):
        with suppress(OSError):  # what cannot be deleted now is tried again later
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != "run.json":
                    path.unlink()
            shutil.rmtree(folder)


def check_free(folder: Path, config: dict[str, Any], resume_command: str, restart_command: str) -> None:
    """Raises ValueError if a new run would replace an unfinished run, or a finished one with another configuration."""
    if under_way(folder):
        choices = f"go on with {resume_command}, or begin anew with {restart_command}"
        raise ValueError(f"{unfinished(folder)} holds an unfinished run: {choices}")
    place = finished_or_none(folder)
    if place and (changes := differences(read_summary(place)["config"], config)):
        choices = f"give the new one a name with --run NAME, or replace the old one with {restart_command}"
        raise ValueError(f"{folder} holds a finished run of another configuration ({changes}): {choices}")


def differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    """ "seed was 5 and is 6 now; …": the entries in which two configurations differ; empty if there are none."""
    return "; ".join(
        f"{name} was {before.get(name, ABSENT)!r} and is {now.get(name, ABSENT)!r} now"
        for name in sorted(before.keys() | now.keys())
        if before.get(name, ABSENT) != now.get(name, ABSENT)
    )


def lock(folder: Path) -> BaseFileLock:
    """Locks a run's folder against other processes, until the lock is released or deleted, or the process ends.

    Raises:
        ValueError: if another process has it.
        OSError: if the lock's file cannot be made.
    """
    path = folder.with_name(f".{folder.name}.lock")
    with naming(unfinished(folder)):
        path.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(path.resolve(), timeout=0, is_singleton=True, thread_local=False)
        try:
            held.acquire()
        except Timeout:
            message = f"{unfinished(folder)} is being written by another process: wait for it, or stop it"
            raise ValueError(message) from None
    return held


def finished(folder: Path, command: str) -> Path:
    """The folder that holds the finished run now. It changes nothing and may be called while a run is in progress.

    Raises:
        ValueError: if there is none; the message names the ``command`` that makes one.
    """
    if place := finished_or_none(folder):
        return place
    raise ValueError(f"{folder} holds no trained model: make one with {command}")


def finished_or_none(folder: Path) -> Path | None:
    """As ``finished``; None if there is no finished run."""
    places = (unfinished(folder), folder)  # the new one, if it is complete, before the old one
    return next((place for place in places if complete(place)), None)


def read_summary(folder: Path) -> dict:
    """A finished run's ``run.json``: config, steps, seconds, best and more.

    Raises:
        CheckpointError: if it cannot be read.
    """
    try:
        summary = json.loads(read_bytes(folder / "run.json"))
        if isinstance(summary, dict) and summary.keys() >= SUMMARY and isinstance(summary["config"], dict):
            return summary
    except CheckpointError:
        raise
    except ValueError:
        pass
    raise CheckpointError(f"{folder / 'run.json'} is damaged: train anew with --restart")


def load_best(folder: Path, modules: dict[str, nn.Module]) -> None:
    """Fills the modules, named as when the run was made, with a finished run's best weights.

    Raises:
        CheckpointError: if the file is damaged, or holds the weights of other modules.
    """
    load_weights(folder / "best.safetensors", nn.ModuleDict(modules))


def read_metrics(folder: Path, name: str) -> list[float]:
    """What a finished run logged under ``name``, of all its steps.

    Raises:
        CheckpointError: if the file is missing or damaged.
    """
    path = folder / "metrics.jsonl"
    try:
        return [json.loads(line)[name] for line in read_bytes(path).splitlines()]
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged: train anew with --restart") from error
