"""The example in the README runs as it is written."""

import re
from pathlib import Path

import vqa


def test_the_example_runs(capsys) -> None:
    readme = (Path(vqa.__file__).parent / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, flags=re.DOTALL)
    assert len(example.strip().splitlines()) <= 12
    names: dict = {}
    exec(example, names)
    (*losses, ids) = capsys.readouterr().out.split("\n", 3)
    assert [int(line.split()[0]) for line in losses] == [0, 1, 2], "a line for each step"
    assert abs(float(losses[0].split()[1]) - 3.04) < 1, "the first loss is about ln 21"
    assert ids.startswith("tensor("), ids
    assert len(names["questions"]) == 32
