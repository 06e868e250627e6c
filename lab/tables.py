"""What the tables of all papers are made of: Markdown, lines of code, results taken over from runs."""

import ast
import io
import json
import re
import tokenize
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOT_YET = "not measured yet"


def percent(accuracy: float) -> str:
    return f"{100 * accuracy:.2f}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is aligned left, all others right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def reading_order(paper: str, core: Mapping[str, str]) -> str:
    """The files of a paper's core in the order to read them, with their content and their lines of code."""
    counts = {name: lines_of_code((ROOT / paper / f"{name}.py").read_text(encoding="utf-8")) for name in core}
    rows = [[f"[`{name}.py`]({name}.py): {content}", str(counts[name])] for name, content in core.items()]
    return markdown(["file", "lines of code"], [*rows, ["all", str(sum(counts.values()))]])


def take_entries(names: Iterable[str], folders: Sequence[Path], machine: str, results: Mapping) -> dict:
    """``results`` with the ``results.json`` of each folder, under the name that it has as ``what``."""
    contents = [json.loads((folder / "results.json").read_text(encoding="utf-8")) for folder in folders]
    taken = {content["what"]: {**content, "machine": machine} for content in contents}
    return {name: {**results, **taken}[name] for name in names if name in results or name in taken}


def take_runs(
    entry_of: Callable[[Mapping], str],
    entries: Collection[str],
    folders: Sequence[Path],
    machine: str,
    results: Mapping,
) -> dict:
    """``results`` with the runs in ``folders``. Histories of validation and paths of this machine stay behind.

    Args:
        entry_of: gives the name of the table for the content of a run's ``results.json``.
        entries: the names of all tables, in their order.

    Raises:
        ValueError: if there is no table for a run.
    """
    taken = dict(results)
    for folder in folders:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        name = entry_of(content)
        if name not in entries:
            raise ValueError(f"{folder}: there is a table for {', '.join(entries)}, got {name!r}")
        for part in (content, *content.get("variants", {}).values()):
            part.pop("validation", None)
        content.pop("data", None)  # a path may be in it, and in the command
        content["command"] = re.sub(r"--(root|path|features) \S+", r"--\1 DIR", content["command"])
        taken[name] = {**content, "machine": machine}
    return {name: taken[name] for name in entries if name in taken}


def images_of(taken: Mapping[str, Mapping[str, str]], content: Mapping) -> Mapping[str, str]:
    """The images of a run: their names in its folder, and in ``report/pictures``."""
    return taken[content["what"]]


def lines_of_code(source: str) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    tree, docstrings = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstrings |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in layout]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - docstrings)
