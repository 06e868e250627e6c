import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory) -> dict:
    """What ``tests/toyworld/elsewhere.py`` computes in another process."""
    path, root = tmp_path_factory.mktemp("elsewhere") / "examples.pt", Path(__file__).parents[2]
    command = [sys.executable, "-m", "tests.toyworld.elsewhere", path]
    subprocess.run(command, cwd=root, env=os.environ | {"PYTHONHASHSEED": "4321"}, check=True)
    return torch.load(path, weights_only=True)
