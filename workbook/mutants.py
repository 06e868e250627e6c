"""Small mistakes in the papers' files, one at a time: do the tests of the file see them?

    make mutants                                   every core file that has tests
    make mutants FILE=clip_mini/loss.py            one file
    make mutants FILE=clip_mini/loss.py ALL=1      all mutants of the file, not a sample

A mutant is a file with one change: an operator, a comparison, a number, an axis, a sign, a method's name, or an
assignment that is left out. A mutant is killed if a test fails. One that computes for too long is not. With no test at
all it survives. Survivors are printed. ``equivalent.toml`` lists those that compute the same, each with its reason.

Results are kept in ``runs/mutants``: a second start judges what is missing, and the survivors if a test has changed.
"""

import ast
import hashlib
import json
import random
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tyro

from lab import cli
from lab.papers import PAPERS
from workbook.exercises import ROOT
from workbook.mutant_judge import KILLED, LATE, SURVIVED, Mutant
from workbook.process import in_a_process
from workbook.work import write

EQUIVALENT = "equivalent"
KEPT = ROOT / "runs/mutants"
SAMPLE = 60  # mutants of a file, drawn with a seed
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.MatMult: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.Is: ast.IsNot,
}  # fmt: skip
PAIRS = [("sum", "mean"), ("tanh", "sigmoid"), ("max", "min"), ("amax", "amin"), ("zeros", "ones"), ("rows", "columns")]
NAMES = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}
SKIPPED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom)


def mutants_of(text: str) -> list[Mutant]:
    """All mutants of a file. Messages, annotations and imports stay as they are."""
    tree, found = ast.parse(text), []
    before = ast.unparse(tree)
    functions = functions_of(tree)

    def add(line: int) -> None:
        after = ast.unparse(tree)
        was, now = next(
            pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if len(set(pair)) > 1
        )
        inside = next((name for name, lines in functions.items() if line in lines), "")
        found.append(Mutant(line, f"{was.strip()}  →  {now.strip()}", after, inside))

    for node in visited(tree):
        for field, new in changes(node):
            old = getattr(node, field)
            setattr(node, field, new)
            ast.fix_missing_locations(tree)
            add(node.lineno)
            setattr(node, field, old)
        for block in (getattr(node, name, None) for name in ("body", "orelse")):
            for k, line in enumerate(block if isinstance(block, list) else []):
                if isinstance(line, ast.Assign | ast.AugAssign) and not isinstance(node, ast.Module | ast.ClassDef):
                    block[k] = ast.Pass()
                    add(line.lineno)
                    block[k] = line
    return sorted(found, key=lambda mutant: mutant.line)


def functions_of(tree: ast.Module) -> dict[str, range]:
    """The lines of the body of each function and each method. Defaults are in no body: no call need reach them."""
    found = {}
    for owner in (tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))):
        for node in owner.body:
            if isinstance(node, ast.FunctionDef):
                name = f"{owner.name}.{node.name}" if isinstance(owner, ast.ClassDef) else node.name
                found[name] = range(node.body[0].lineno, node.end_lineno + 1)
    return found


def visited(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes that compute something. The sign of an axis stays: of a matrix, -1 and 1 are the same axis."""
    if isinstance(node, ast.keyword) and node.arg == "dim" and isinstance(node.value, ast.UnaryOp):
        node = node.value.operand
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            skipped = isinstance(child, SKIPPED) or getattr(child, "arg", "") == "strict"  # of zip: a check
            if isinstance(child, ast.AST) and not skipped:
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


def tests_of(file: str) -> list[str]:
    """The tests of a core file: of clip_mini/loss.py these are tests/clip_mini/test_loss.py, test_edges.py, ….

    Where test_loss.py does not name a function or a constant, the tests that import it are among them.
    """
    paper, _, name = file.partition("/")
    texts = {path.stem: path.read_text("utf-8") for path in sorted((ROOT / "tests" / paper).glob("test_*.py"))}
    own = f"test_{name[:-3]}"
    body = ast.parse((ROOT / file).read_text("utf-8")).body
    defined = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    constants = [node for statement in body if isinstance(statement, ast.Assign) for node in ast.walk(statement)]
    defined |= {node.id for node in constants if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    asked = {each for each in defined if each not in texts.get(own, "")}
    files = [own] if own in texts else []
    files += [test for test, text in texts.items() if asked & imported(text, f"{paper}.{name[:-3]}")]
    files += ["test_edges", "test_defaults"] if files else []
    return [f"tests/{paper}/{test}.py" for test in dict.fromkeys(files) if test in texts]


def imported(text: str, module: str) -> set[str]:
    """The names that a test imports from a module."""
    found = [node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom) and node.module == module]
    return {alias.name for node in found for alias in node.names}


def core_files() -> list[str]:
    paths = (path for paper in PAPERS for path in sorted((ROOT / paper).glob("*.py")))
    return [file for path in paths if tests_of(file := path.relative_to(ROOT).as_posix())]


def equivalents() -> dict[str, dict[str, str]]:
    """For each file: the changes that change no result, and the reason."""
    entries = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))
    return {file: {entry["change"]: entry["why"] for entry in listed} for file, listed in entries.items()}


def verdicts(file: str, drawn: Sequence[Mutant], seconds: float) -> dict[str, tuple[str, float]]:
    """Judges mutants of a file: for the key of each its verdict and its seconds. They are kept in ``runs/mutants``."""
    kept = KEPT / file.replace("/", ".").replace(".py", ".json")
    known = json.loads(kept.read_text("utf-8")) if kept.is_file() else {"verdicts": {}}
    tests = hashlib.sha256("".join((ROOT / name).read_text("utf-8") for name in tests_of(file)).encode()).hexdigest()
    if known.get("tests") != tests:  # a test may kill more now
        known["verdicts"] = {key: found for key, found in known["verdicts"].items() if found[0] == KILLED}
    write(kept, json.dumps(known | {"tests": tests}))
    missing = [mutant for mutant in drawn if mutant.key not in known["verdicts"]]
    if missing and seconds > 0:
        in_a_process(
            "workbook.mutant_judge.judge_mutants", file, tests_of(file), missing, kept, seconds, seconds=seconds + 600
        )
    return json.loads(kept.read_text("utf-8"))["verdicts"]


@dataclass(frozen=True)
class Mutants:
    """Prints for each file how many of its mutants its tests kill, and the survivors."""

    files: tyro.conf.Positional[tuple[str, ...]] = ()  # by default all core files that have tests
    all: bool = False  # all mutants, not a sample
    sample: int = SAMPLE  # mutants of a file
    minutes: float = 60.0  # no new mutant is begun after this time

    def execute(self) -> None:
        begun, rows, whole = time.monotonic(), {}, set()  # whole: files whose mutants all have a verdict
        known_files = core_files()
        for file in self.files or known_files:
            if file not in known_files:
                raise ValueError(f"the file must be one of {', '.join(known_files)}, got {file!r}")
            found, listed = mutants_of((ROOT / file).read_text(encoding="utf-8")), equivalents().get(file, {})
            order = random.Random(0).sample(found, len(found))
            drawn = sorted(order if self.all else order[: self.sample], key=lambda mutant: (mutant.line, mutant.change))
            different = [mutant for mutant in drawn if mutant.change not in listed]
            known = verdicts(file, different, 60 * self.minutes - time.monotonic() + begun)
            judged = {mutant: known[mutant.key] for mutant in different if mutant.key in known}
            count = Counter(verdict for verdict, _ in judged.values()) + Counter(
                {EQUIVALENT: len(drawn) - len(different)}
            )
            row = {name: count[name] for name in (KILLED, SURVIVED, LATE, EQUIVALENT)}
            seconds = round(sum(seconds for _, seconds in judged.values()))
            rows[file] = {"mutants": sum(row.values()), **row, "seconds": seconds}
            if all(mutant.key in known for mutant in different):
                whole.add(file)
            print(f"{file}: {told(rows[file])}{'' if file in whole else ', no time for the others'}", flush=True)
            for mutant, (verdict, _) in judged.items():
                if verdict != KILLED:
                    note = " (too long)" if verdict == LATE else ""
                    print(f"    line {mutant.line}{note}: {mutant.change}", flush=True)
        total = {key: sum(row[key] for row in rows.values()) for key in next(iter(rows.values()))}
        print(f"all files: {told(total)}, {total['seconds']} s of computing")
        if not self.files:
            sample = "" if self.sample == SAMPLE else f" --sample {self.sample}"
            command = f"python -m workbook.mutants{' --all' if self.all else sample}"
            rows = {file: row for file, row in rows.items() if file in whole}
            content = {"paper": "workbook", "what": "mutants", "command": command, "files": rows}
            write(KEPT / "results.json", json.dumps(content, indent=2))


def score(row: Mapping[str, int]) -> float:
    """The share of killed mutants among those that compute something else."""
    return row[KILLED] / max(1, row["mutants"] - row[EQUIVALENT])


def told(row: Mapping[str, int]) -> str:
    judged = row["mutants"] - row[EQUIVALENT]
    return f"{row[KILLED]} of {judged} killed, {100 * score(row):.1f}%, {row[EQUIVALENT]} equivalent"


def main() -> None:
    with cli.command_line():
        tyro.cli(Mutants, config=(tyro.conf.FlagCreatePairsOff,)).execute()


if __name__ == "__main__":
    main()
