"""The library example of the README runs, and its comments have the right shapes."""

import re
from pathlib import Path

import pytest
import torch

README = Path(__file__).parents[3] / "stft" / "README.md"
pytestmark = pytest.mark.usefixtures("float32")


def test_the_example_runs() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(example.splitlines()) <= 10
    names = {}
    exec(example, names)
    shapes = dict(re.findall(r"^(\w+) = .*# \(([\d, ]+)\)", example, flags=re.MULTILINE))
    assert shapes.keys() == {"spectrum", "again", "mel", "coefficients"}
    for name, shape in shapes.items():
        assert tuple(names[name].shape) == tuple(int(size) for size in shape.split(", ")), name
    torch.testing.assert_close(names["again"], names["waveform"], rtol=0, atol=1e-5)
