"""A failure says the equation, what came, the input and the line; no frame of test machinery."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lab.papers import PAPERS

FOLDERS = (*PAPERS, "detector", "toyworld")
FUNCTIONS = '''"""What a reader wrote, with a mistake in each."""

import numpy as np
from beartype import beartype
from jaxtyping import Float, jaxtyped


def total(values, start):
    return values @ start


def endless(n: int) -> int:
    while n > 0:
        n += 1
    return n


@jaxtyped(typechecker=beartype)
def mean(values: Float[np.ndarray, " n"]) -> Float[np.ndarray, ""]:
    return None


@jaxtyped(typechecker=beartype)
def both(one: Float[np.ndarray, " n"], two: Float[np.ndarray, " n"]) -> None: ...
'''

TESTS = '''"""Equation → function → test

s = Σ x_i      total    test_value
n! in loops    endless   test_endless
"""

from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions import both, endless, mean, total

Point = namedtuple("Point", "x y")


def check(what, got, expected):
    __tracebackhide__ = True
    raise AssertionError(f"{what} at index 1: got {got}, expected {expected}")


def check_sum(candidate, values, start):
    check("the sum", 2, 3)


def test_value():
    check_sum(sum, np.arange(8.0), 0.25)


def test_raises():
    """The sum of two rows.

    This is not printed.
    """
    total(np.zeros((2, 3)), np.ones(4))


def test_none():
    mean(np.ones(3))


def test_wrong_type():
    mean([1, 2])


def test_shapes():
    both(np.ones(2), np.ones(3))


def test_list():
    assert [*range(500)] == [*range(499), 7], "the order"


def test_record():
    """Of a list of records, a field."""
    assert [Point(1, 2), Point(3, {"a": (4, 5), "b": 6})] == [Point(1, 2), Point(3, {"a": (4, 7), "b": 6})]


def test_length():
    assert "abc".split("b") == ["a"]


def test_raised_nothing():
    with pytest.raises(ValueError):
        both(np.ones(2), np.ones(2))


def test_endless():
    endless(3)


@given(n=st.integers(), words=st.lists(st.integers()))
@settings(deadline=None)
def test_smallest(n, words):
    assert n < 17, "n is less than 17"


@given(n=st.integers())
@settings(deadline=None)
def test_endless_search(n):
    endless(3)


@pytest.fixture
def trained():
    return total(np.ones((2, 3)), np.ones(4))


def test_fixture(trained): ...


def test_passes(): ...
'''

PLUMBING = """import time


def test_plumbing():
    rows, began = [1], time.process_time()
    while time.process_time() < began + 1.3:
        pass
    assert rows == [2]
"""

SAID = {
    "test_value": [
        "^the sum at index 1: got 2, expected 3$",
        "^  equation  s = Σ x_i$",
        r"^  input     values = float64 \(8,\): 0, 1, 2, 3, 4, 5, …$",
        "^            start = 0.25$",
        r"^  line      test_sums.py:\d+, in check_sum: check\(",
    ],
    "test_raises": [
        "^ValueError: matmul",
        "^  test      The sum of two rows.$",
        r"input +values = float64 \(2, 3\): 0, 0",
        r"start = float64 \(4,\): 1, 1",
        "line +functions.py:9, in total: return values @ start$",
    ],
    "test_none": ["^functions.mean returned None; its type is Float", r"line +functions.py:\d+, in mean$"],
    "test_wrong_type": [
        r"^functions.mean got values = \[1, 2\]; its type is Float\[ndarray, 'n'\]$",
        "in test_wrong_type: ",
    ],
    "test_shapes": [r"^functions.both got two = f64\[3\]\(numpy\); its type is Float", "in test_shapes: both"],
    "test_list": [r"^the order \| at \[499\]: got 499, expected 7$"],
    "test_record": [r"^at \[1\]\.y\['a'\]\[1\]: got 5, expected 7$", "test +Of a list of records, a field.$"],
    "test_length": ["^at length: got 2, expected 1$"],
    "test_raised_nothing": ["^DID NOT RAISE .*ValueError"],
    "test_endless": [r"^no result after 1 s of computing", "equation  n! in loops", r"input +n = \d+$", "in endless: "],
    "test_smallest": [r"^n is less than 17 \| assert 17 < 17$", "input +n = 17$", r"words = \[\]$"],
    "test_endless_search": ["^no result after 1 s of computing", r"input +n = \d+$"],
    "test_fixture": ["^ValueError: matmul", "in total: return values @ start$"],
}


def run_pytest(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "workbook.failures", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += [f"--rootdir={folder}", "-c", "none.ini", "--limit=0.5", *arguments]
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": "", "COLUMNS": "120"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("failures")
    (path / "functions.py").write_text(FUNCTIONS)
    (path / "test_sums.py").write_text(TESTS)
    (path / "plumbing").mkdir()
    (path / "plumbing" / "test_plumbing.py").write_text(PLUMBING)
    (path / "test_broken.py").write_text("import nothing_of_the_kind\n")
    (path / "test_unclosed.py").write_text("print((1)\n")
    (path / "none.ini").write_text("[pytest]\n")
    return path


@pytest.fixture(scope="module")
def said(folder) -> str:
    return run_pytest(folder, "--continue-on-collection-errors")


@pytest.fixture(scope="module")
def blocks(said) -> dict[str, str]:
    parts = re.split(r"\n_{2,} (?:ERROR at setup of )?(test_\w+) _{2,}\n", said)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", SAID)
def test_a_failure_in_a_few_lines(blocks, name: str) -> None:
    block = blocks[name].split("\n====")[0].strip("\n")
    for pattern in SAID[name]:
        assert re.search(pattern, block, re.MULTILINE), f"{pattern!r} is not in\n{block}"
    assert len(block.splitlines()) <= 9
    assert max(map(len, block.splitlines())) <= 150
    assert "site-packages" not in block
    assert "This is not printed" not in block


def test_a_module_that_cannot_be_imported(said) -> None:
    assert "No module named 'nothing_of_the_kind'\n  line      test_broken.py:1, in <module>: import" in said
    assert re.search(r"SyntaxError: '\(' was never closed .*\n  line      test_unclosed.py:1: print\(\(1\)", said)
    assert "importlib" not in said


@pytest.mark.parametrize("option", ["-vv", "--tb=long"])
def test_the_whole_traceback(folder, option: str) -> None:
    assert ">       return values @ start" in run_pytest(folder, option, "test_sums.py::test_raises")


def test_the_whole_traceback_of_plumbing(blocks) -> None:
    assert ">       assert rows == [2]" in blocks["test_plumbing"]


NAMELESS = r"assert (all\(.*)?torch\.(equal|allclose)\b(?!.* == )|(torch\.testing\.)?assert_close\("


def nameless_comparisons(code: str) -> list[int]:
    """The lines that compare tensors and name neither the equation nor the entry. That two differ has no entry."""
    statements = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Assert | ast.Expr))
    return [node.lineno for node in statements if re.match(NAMELESS, ast.unparse(node))]


def test_equation_tests_name_what_they_compare() -> None:
    files = [file for file in Path(__file__).parent.glob("*/test_*.py") if file.parent.name in FOLDERS]
    assert len(files) > 60
    assert {file: found for file in files if (found := nameless_comparisons(file.read_text()))} == {}
    lines = (
        "assert torch.equal(a, b)",
        "assert_close(a, b)",
        "assert torch.allclose(a, b), 'a'",
        "assert all(map(torch.equal, a, b))",
    )
    assert nameless_comparisons("\n".join((*lines, "assert not torch.equal(a, b)", "check_close('a', a, b)"))) == [
        1,
        2,
        3,
        4,
    ]
