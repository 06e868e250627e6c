"""Where runs live, and how a finished one is replaced without ever being lost.

``runs/vqa/toyworld`` is a finished run, ``runs/vqa/toyworld.unfinished`` one on its way. ``run.json`` is written last,
so a folder that holds it is complete. To replace a run: (1) write ``run.json`` into the new one, (2) rename the old one
to ``….replaced``, (3) rename the new one into its place, (4) delete the old one. Killed between any two of these, a
complete run is still there: ``finished`` finds it, and the next start carries the replacement to its end (``settle``).
"""

import json
import shutil
from pathlib import Path

from torch import nn

from lab.checkpoint import CheckpointError, load_weights, naming, read_bytes, sync_folder


def unfinished(folder: Path) -> Path:
    """Where the run that will become ``folder`` is being written."""
    return folder.with_name(folder.name + ".unfinished")


def complete(folder: Path) -> bool:
    """Whether ``folder`` holds a run that has ended."""
    return (folder / "run.json").is_file()


def settle(folder: Path) -> None:
    """Puts a complete new run into the old one's place, from wherever that was left. Does nothing where all is done."""
    new, old = unfinished(folder), folder.with_name(folder.name + ".replaced")
    with naming(folder):
        if complete(new):
            if folder.exists():
                shutil.rmtree(old, ignore_errors=True)
                folder.rename(old)
            new.rename(folder)
            sync_folder(folder.parent)
        if complete(folder):
            shutil.rmtree(old, ignore_errors=True)


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
