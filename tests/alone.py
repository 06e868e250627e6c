"""A core is copied into an empty folder, and trains there: no other package of this project can be imported."""

import importlib
import shutil
import sys
from collections.abc import Sequence
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path

import torch

from lab.papers import PAPERS
from tests.lab import tiny

ROOT = Path(__file__).parents[1]
OTHERS = (
    "bench", "detector", "lab", "lazy_loader", "matplotlib", "PIL", "safetensors", "soundfile", "tests", "tour",
    "toyworld", "tyro", *PAPERS,
)  # fmt: skip


def check_alone(folder: Path, paper: str, files: Sequence[str], script: str, steps: int) -> None:
    """Runs a script beside a copy of these files of a paper. It appends the loss of each of ``steps`` steps to
    ``losses``; none may be NaN."""
    __tracebackhide__ = True
    (folder / paper).mkdir()
    (folder / paper / "__init__.py").touch()
    for name in files:
        shutil.copy(ROOT / paper / f"{name}.py", folder / paper)
    ended = tiny.fork(lambda: train_alone(folder, paper, script, steps))()  # torch is imported already
    assert ended.returncode == 0, ended.stderr


def train_alone(folder: Path, paper: str, script: str, steps: int) -> None:
    """In a process of its own, which forgets all that this project and its tests have imported."""
    for name in [name for name in sys.modules if name.partition(".")[0] in OTHERS]:
        del sys.modules[name]
    sys.modules.update({name: None for name in OTHERS if name != paper})  # importing it is an ImportError
    sys.meta_path[:] = [BuiltinImporter, FrozenImporter, PathFinder]
    sys.path.insert(0, str(folder))
    train = importlib.import_module(f"{paper}.train")
    assert train.__file__.startswith(str(folder)), train.__file__
    losses: list[float] = []
    exec(script, {"torch": torch, "losses": losses})
    assert len(losses) == steps, losses
    assert all(loss == loss for loss in losses), losses
