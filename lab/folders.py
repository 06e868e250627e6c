"""Where runs live, and how a finished one is replaced without ever being lost.

``runs/vqa/toy`` is a finished run, ``runs/vqa/toy.unfinished`` one on its way. ``run.json`` is written last,
so a folder that holds it is complete. To replace a run: (1) write ``run.json`` into the new one, (2) rename the old one
to ``….replaced``, (3) rename the new one into its place, (4) delete the old one. Killed between any two of these, a
complete run is still there: ``finished`` finds it, and the next start carries the replacement to its end (``settle``).
What holds no ``run.json`` is no run: it is neither renamed nor deleted, and in the way until somebody moves it.
"""

import json
import os
import shutil
import weakref
from contextlib import suppress
from pathlib import Path

from torch import nn

from lab.checkpoint import CheckpointError, load_weights, naming, read_bytes, sync_folder

try:
    import fcntl
except ImportError:  # Windows: runs are not locked there
    fcntl = None


def unfinished(folder: Path) -> Path:
    """Where the run that will become ``folder`` is being written."""
    return folder.with_name(folder.name + ".unfinished")


def complete(folder: Path) -> bool:
    """Whether ``folder`` holds a run that has ended."""
    return (folder / "run.json").is_file()


def under_way(folder: Path) -> bool:
    """Whether a run that will become ``folder`` was stopped, and can be resumed."""
    return (unfinished(folder) / "last.pt").exists()


def replaced(folder: Path) -> Path:
    """Where the run that was in ``folder`` waits for its end while the new one takes its place."""
    return folder.with_name(folder.name + ".replaced")


def in_the_way(folder: Path) -> Path | None:
    """What stands where a run, or the one that it replaces, should, and is none."""
    places = (place for place in (folder, replaced(folder)) if place.exists() and not complete(place))
    return next(places, None)


def settle(folder: Path) -> None:
    """Puts a complete new run into the old one's place, from wherever that was left. Does nothing where all is done.

    Raises:
        ValueError: if something that is no run is in the way of the new one; nothing is moved or deleted then.
    """
    new, old = unfinished(folder), replaced(folder)
    with suppress(OSError):
        old.rmdir()  # only if it is empty: killed at the very end of discard
    with naming(folder):
        if complete(new):
            if place := in_the_way(folder):
                raise ValueError(
                    f"{place} is in the way and is no finished run: move it elsewhere; the new run stands in {new}"
                )
            if folder.exists():
                discard(old)
                folder.rename(old)
            new.rename(folder)
            sync_folder(folder.parent)
        if complete(folder):
            discard(old)


def discard(folder: Path) -> None:
    """Deletes a run, if ``folder`` is one, and its ``run.json`` last: half of it can still be told from other files."""
    if complete(folder):
        with suppress(OSError):  # what cannot be deleted harms nobody, and stays whole enough to be tried again
            for path in folder.iterdir():
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.name != "run.json":
                    path.unlink()
            shutil.rmtree(folder)


class Lock:
    """Keeps other processes off a run's folder, until it is let go of (its last reference goes) or the process ends.

    The system holds it on the file ``.NAME.lock`` beside the folder, and takes it back from a process that is killed.

    Raises:
        ValueError: if another process has it.
        OSError: if the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        with naming(unfinished(folder)):
            folder.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder.with_name(f".{folder.name}.lock"), os.O_RDWR | os.O_CREAT, 0o666)
        weakref.finalize(self, os.close, descriptor)  # which unlocks
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"{unfinished(folder)} is being written by another process: wait for it, or stop it"
            raise ValueError(message) from None
        except OSError:
            pass  # a file system that has no locks


HELD: weakref.WeakValueDictionary[Path, Lock] = weakref.WeakValueDictionary()  # by this process; weak: it keeps none


def lock(folder: Path) -> Lock:
    """The lock on ``folder``: this process's own, if an earlier run that an exception has ended still has it."""
    place = folder.resolve()
    held = HELD.get(place)
    if held is None:
        held = HELD[place] = Lock(folder)
    return held


def finished(folder: Path, command: str) -> Path:
    """The folder that holds the finished run now. It changes nothing, so it may be asked while a run is under way.

    Raises:
        ValueError: if there is none; the message says that ``command`` makes one.
    """
    for place in (unfinished(folder), folder):  # the new one, if it is complete, before the old
        if complete(place):
            return place
    raise ValueError(f"{folder} holds no trained model: make one with {command}")


def read_summary(folder: Path) -> dict:
    """A finished run's ``run.json``: config, steps, seconds, best and more.

    Raises:
        CheckpointError: if it cannot be read.
    """
    try:
        return json.loads(read_bytes(folder / "run.json"))
    except CheckpointError:
        raise
    except ValueError as error:
        raise CheckpointError(f"{folder / 'run.json'} is damaged: train anew") from error


def load_best(folder: Path, modules: dict[str, nn.Module]) -> None:
    """Fills the modules, named as they were when the run was made, with a finished run's best weights.

    Raises:
        CheckpointError: if the file is damaged, or was written by other modules.
    """
    load_weights(folder / "best.safetensors", nn.ModuleDict(modules))
