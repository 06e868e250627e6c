"""Shapes are checked, one torch thread a worker, and two hypothesis profiles: `fast`, the default, and `thorough`.

`pytest --hypothesis-profile=thorough` draws twenty times as many examples.
"""

import os
import runpy
import shutil
import signal
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from jaxtyping import install_import_hook

PAPERS = runpy.run_path(str(Path(__file__).parent.parent / "lab" / "papers.py"))["PAPERS"]  # before lab is imported
install_import_hook([*PAPERS, "toyworld", "detector", "lab", "tour", "bench"], "beartype.beartype")

settings.register_profile("fast", max_examples=50, deadline=None, derandomize="CI" in os.environ)
settings.register_profile("thorough", max_examples=1000, deadline=None)
settings.load_profile("fast")
torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs without Ctrl-C


@pytest.fixture
def copy(work, tmp_path, monkeypatch) -> Path:
    """A copy of the folder ``work``, a fixture of the module, that a test may change; the working directory."""
    shutil.copytree(work, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"
