"""Small mistakes in the papers' files, one at a time: do the tests of the file see them?

    make mutants                                   every core file that has a test file of its own
    make mutants FILE=clip_mini/loss.py            one file
    make mutants FILE=clip_mini/loss.py ALL=1      all mutants of the file, not a sample

A mutant is a file with one change: an operator, a comparison, a number, an axis, a sign, a method's name, or an
assignment that is left out. It is judged as a reader's version is: in a copy of the paper, in a process of its own. A
mutant is killed if a test fails or computes for too long. With no test at all it survives. Survivors are printed.
"""

import ast
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import tyro

from lab import cli
from lab.papers import PAPERS
from workbook.exercises import ROOT
from workbook.process import in_a_process
from workbook.work import write

SAMPLE = 60  # mutants of a file, drawn with a seed
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.Is: ast.IsNot,
}  # fmt: skip
PAIRS = [("sum", "mean"), ("tanh", "sigmoid"), ("max", "min"), ("amax", "amin"), ("zeros", "ones"), ("rows", "columns")]
NAMES = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}
SKIPPED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)


@dataclass(frozen=True)
class Mutant:
    line: int
    change: str  # what was there, and what is there now
    text: str  # of the whole file


def mutants_of(text: str) -> list[Mutant]:
    """All mutants of a file. Messages, annotations and imports stay as they are."""
    tree, found = ast.parse(text), []
    for node in visited(tree):
        for field, new in changes(node):
            old, before = getattr(node, field), first_line(node)
            setattr(node, field, new)
            ast.fix_missing_locations(tree)
            found.append(Mutant(node.lineno, f"{before}  →  {first_line(node)}", ast.unparse(tree)))
            setattr(node, field, old)
        for block in (getattr(node, name, None) for name in ("body", "orelse")):
            for k, line in enumerate(block if isinstance(block, list) else []):
                if isinstance(line, ast.Assign | ast.AugAssign) and not isinstance(node, ast.Module | ast.ClassDef):
                    block[k] = ast.Pass()
                    found.append(Mutant(line.lineno, f"{first_line(line)}  →  left out", ast.unparse(tree)))
                    block[k] = line
    return sorted(found, key=lambda mutant: mutant.line)


def first_line(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:80]


def visited(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute something."""
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not isinstance(child, SKIPPED):
                yield from visited(child)


def changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """A field of a node, and what it becomes."""
    if isinstance(node, ast.BinOp | ast.BoolOp | ast.AugAssign) and type(node.op) in SWAPS:
        yield "op", SWAPS[type(node.op)]()
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield "ops", [SWAPS[type(node.ops[0])](), *node.ops[1:]]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "op", ast.UAdd()
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        yield "value", node.value + 1
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "value", not node.value
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield "attr", NAMES[node.attr]
    if isinstance(node, ast.IfExp):
        yield "test", ast.UnaryOp(ast.Not(), node.test)


def test_file(file: str) -> Path | None:
    """The test file of a core file: tests/clip_mini/test_loss.py of clip_mini/loss.py."""
    paper, _, name = file.partition("/")
    path = ROOT / "tests" / paper / f"test_{name}"
    return path if path.is_file() else None


def core_files() -> list[str]:
    paths = (path for paper in PAPERS for path in sorted((ROOT / paper).glob("*.py")))
    return [file for path in paths if test_file(file := path.relative_to(ROOT).as_posix())]


def survives(mutant: Mutant, file: str) -> bool:
    """Whether all tests pass; 5 says that there was no test. A process that died is a killed mutant."""
    with tempfile.TemporaryDirectory() as folder:
        work, paper = Path(folder), file.partition("/")[0]
        shutil.copytree(ROOT / paper, work / paper, ignore=shutil.ignore_patterns("pictures", "__pycache__"))
        write(work / file, mutant.text)
        options = ["-x", "-k", "not misconception and not wrong"]
        return in_a_process("workbook.plugin.run_pytest", work, [str(test_file(file))], options) in (0, 5)


@dataclass(frozen=True)
class Mutants:
    """Prints for each file how many of its mutants its tests kill, and the survivors."""

    files: tyro.conf.Positional[tuple[str, ...]] = ()  # by default all core files with a test file
    all: bool = False  # all mutants, not a sample of 60 a file
    minutes: float = 60.0  # no new mutant is begun after this time

    def execute(self) -> None:
        begun, total = time.monotonic(), [0, 0]
        for file in self.files or core_files():
            if not (ROOT / file).is_file() or test_file(file) is None:
                raise ValueError(f"the file must be one of {', '.join(core_files())}, got {file!r}")
            found = mutants_of((ROOT / file).read_text(encoding="utf-8"))
            drawn = found if self.all else sorted(random.Random(0).sample(found, min(SAMPLE, len(found))), key=str)
            judged, survivors = 0, []
            for mutant in drawn:
                if time.monotonic() - begun > 60 * self.minutes:
                    break
                judged += 1
                if survives(mutant, file):
                    survivors.append(f"    line {mutant.line}: {mutant.change}")
            killed = judged - len(survivors)
            total = [total[0] + killed, total[1] + judged]
            share = f"{100 * killed / judged:.0f}%" if judged else "no time left"
            print(f"{file}: {killed} of {judged} killed, {share}", *survivors, sep="\n", flush=True)
        print(f"all files: {total[0]} of {total[1]} killed, {time.monotonic() - begun:.0f} s")


def main() -> None:
    with cli.command_line():
        tyro.cli(Mutants, config=(tyro.conf.FlagCreatePairsOff,)).execute()


if __name__ == "__main__":
    main()
