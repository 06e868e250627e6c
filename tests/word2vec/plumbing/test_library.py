"""The package as a library: the README's example runs, and every exported name has a docstring."""

import contextlib
import io
import re
from pathlib import Path

import pytest
import torch

import word2vec


@pytest.mark.parametrize("seed", [0, 1])
def test_the_example_of_the_readme_prints_what_it_says(seed: int) -> None:
    readme = (Path(word2vec.__file__).parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    said = example.strip().splitlines()[-1].split("  # ")[1]
    torch.manual_seed(seed)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(example, "README.md", "exec"), {})
    assert printed.getvalue().strip() == said


def test_every_export_has_a_docstring() -> None:
    missing = [name for name in word2vec.__all__ if not getattr(word2vec, name).__doc__]
    assert missing == []
