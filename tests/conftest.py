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
from beartype import BeartypeConf
from beartype.claw import beartype_package
from hypothesis import Phase, settings
from hypothesis.internal.conjecture import engine
from jaxtyping import install_import_hook

pytest_plugins = ["workbook.failures"]
ROOT = Path(__file__).parent.parent
PAPERS = runpy.run_path(str(ROOT / "lab" / "papers.py"))["PAPERS"]  # before lab is imported


def check_annotations() -> None:
    """Every call is checked by jaxtyping. Where the toy world has no shapes, it is by beartype alone, in a tenth of the
    time: a scene or a question is many small calls."""
    beartype_package("toyworld", conf=BeartypeConf(claw_is_pep526=False, is_pep484_tower=True))
    shapes = [path.stem for path in (ROOT / "toyworld").glob("*.py") if b"jaxtyping" in path.read_bytes()]
    packages = [*PAPERS, "detector", "lab", "tour", "bench", *(f"toyworld.{name}" for name in shapes)]
    install_import_hook(packages, "beartype.beartype")


check_annotations()

engine.MAX_SHRINKING_SECONDS = 5  # a small input within seconds is worth more than the smallest one within minutes
SEARCH = {  # no phase that explains: it takes time, and a failure says its input itself (see failures.py)
    "deadline": None,
    "phases": [Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
    "report_multiple_bugs": False,
}
settings.register_profile("fast", max_examples=50, derandomize="CI" in os.environ, **SEARCH)
settings.register_profile("thorough", max_examples=1000, **SEARCH)
settings.register_profile(  # for mutants: fewer examples, no smaller input is looked for, and nothing is kept
    "once", settings.get_profile("fast"), max_examples=20, phases=[Phase.explicit, Phase.generate], database=None
)
settings.register_profile("reach", settings.get_profile("once"), max_examples=4)
settings.load_profile("fast")
torch.set_num_threads(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts background jobs without Ctrl-C


@pytest.fixture
def copy(work, tmp_path, monkeypatch) -> Path:
    """A copy of the folder ``work``, a fixture of the module, that a test may change; the working directory."""
    shutil.copytree(work, tmp_path / "copy")
    monkeypatch.chdir(tmp_path / "copy")
    return tmp_path / "copy"
