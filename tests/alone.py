"""A core is copied into an empty folder, and trains there: no other package of this project can be imported."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.papers import PAPERS

ROOT = Path(__file__).parents[1]
OTHERS = (
    "bench", "detector", "lab", "lazy_loader", "matplotlib", "PIL", "safetensors", "soundfile", "tests", "tour",
    "toyworld", "tyro", *PAPERS,
)  # fmt: skip
BEFORE = """
import sys
for name in {others!r}:
    sys.modules[name] = None  # importing it is an ImportError
import {paper}.train
assert {paper}.train.__file__.startswith({folder!r}), {paper}.train.__file__
import torch
torch.set_num_threads(1)
losses = []
"""
AFTER = """
print(len(losses), all(loss == loss for loss in losses))
"""


def check_alone(folder: Path, paper: str, files: Sequence[str], script: str, steps: int) -> None:
    """Runs a script beside a copy of these files of a paper. It appends the loss of each of ``steps`` steps to
    ``losses``; none may be NaN."""
    __tracebackhide__ = True
    (folder / paper).mkdir()
    (folder / paper / "__init__.py").touch()
    for name in files:
        shutil.copy(ROOT / paper / f"{name}.py", folder / paper)
    others = tuple(name for name in OTHERS if name != paper)
    code = BEFORE.format(others=others, paper=paper, folder=str(folder)) + script + AFTER
    environment = {"PYTHONPATH": str(folder)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=240, env=environment
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == [str(steps), "True"]
