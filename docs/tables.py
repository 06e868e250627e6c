"""``python docs/tables.py`` writes the tables of vqa/README.md; ``--check`` only compares; ``--take`` takes runs over.

The tables stand between ``<!-- results:NAME -->`` and ``<!-- end -->`` and are made from ``results/vqa.json``, from the
promises in ``vqa/evaluate.py`` and, for the reading order, from the core files themselves.

``--take FOLDER …`` copies what ``python -m vqa`` (``runs/vqa/DATA``) or ``python -m vqa compare``
(``runs/vqa/compare/DATA``) left in its folder into ``results/vqa.json``, and its pictures into ``docs/pictures``.
Several folders of one data set, which may differ in their seed only, become the first one's values, each with the
lowest and the highest of all beside it.
"""

import argparse
import ast
import io
import json
import re
import shutil
import tokenize
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from vqa.beyond.commands import VARIANTS
from vqa.evaluate import PROMISES
from vqa.train import CONFIGS

ROOT = Path(__file__).resolve().parent.parent
README, RESULTS, PICTURES = ROOT / "vqa" / "README.md", ROOT / "results" / "vqa.json", ROOT / "docs" / "pictures"
NOT_YET = "not measured yet"
BLOCK = re.compile(r"(<!-- results:([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
TAKEN = {  # entry of results/vqa.json: the pictures taken with it, by their names in the run's folder
    "toy": {"answers.png": "vqa-answers.png", "training.png": "vqa-training.png"},
    "easy-vqa": {},
    "ablations": {"comparison.png": "vqa-comparison.png"},
}
CORE = {  # file of the core: what stands in it, in the order to read them
    "model": "the LSTM, the two streams, the fusion",
    "data": "words and numbers; batches out of the toy world",
    "train": "the configurations and the loop",
    "metric": "the accuracy of VQA, string by string",
}


def percent(accuracy: float) -> str:
    return f"{100 * accuracy:.2f}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column stands at the left, all others at the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def how(entry: Mapping) -> str:
    """The line under a table: what was run, for how long, and where."""
    first, *others = map(str, entry["seeds"])
    spread = f" In brackets: lowest to highest with the seeds {', '.join([first, *others])}." if others else ""
    return (
        f"`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:.0f} s of training "
        f"({entry['machine']}; seed {first}). Accuracies in %.{spread}"
    )


def judged(name: str, results: Mapping) -> str:
    """A table for each split of a data set: kinds of question down, baselines and the model across."""
    entry, parts = results[name], []
    for split, reached in entry["accuracy"].items():
        columns, spread = entry["baselines"][split], entry.get("spread", {}).get(split, {})
        rows = []
        for kind, value in reached.items():
            between = " ({} to {})".format(*map(percent, spread[kind])) if kind in spread else ""
            rows.append([kind, *(percent(column[kind]) for column in columns.values()), percent(value) + between])
        parts.append(f"{name}, `{split}` split:\n\n{markdown(['kind', *columns, 'reached'], rows)}")
    return "\n\n".join([*parts, how(entry)])


def ablations(results: Mapping) -> str:
    entry = results["ablations"]
    columns = {"chance": entry["baselines"]["chance"], **entry["accuracy"]}
    rows = [[kind, *(percent(column[kind]) for column in columns.values())] for kind in columns["chance"]]
    return f"{markdown(['kind', *columns], rows)}\n\n{how(entry)}"


def promises(results: Mapping) -> str:
    rows = []
    for (data, split, kind), promised in PROMISES.items():
        reached = percent(results[data]["accuracy"][split][kind]) if data in results else NOT_YET
        rows.append([f"{data}, {split}: {kind}", percent(promised), reached])
    return markdown(["accuracy in %", "promised", "reached"], rows)


def reading_order(results: Mapping) -> str:
    counts = {name: lines_of_code((ROOT / "vqa" / f"{name}.py").read_text(encoding="utf-8")) for name in CORE}
    rows = [[f"[`{name}.py`]({name}.py): {said}", str(counts[name])] for name, said in CORE.items()]
    return markdown(["file", "lines of code"], [*rows, ["all", str(sum(counts.values()))]])


def lines_of_code(source: str) -> int:
    """Lines that hold code: no blanks, comments or docstrings."""
    tree, said = ast.parse(source), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            said |= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(source).readline) if token.type not in layout]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - said)


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "toy": lambda results: judged("toy", results),
    "easy-vqa": lambda results: judged("easy-vqa", results),
    "ablations": ablations,
    "promises": promises,
    "lines": reading_order,
}


def filled(text: str, results: Mapping) -> str:
    """The README with every block written anew.

    Raises:
        ValueError: if a block has a name that there is no table for.
    """

    def block(match: re.Match) -> str:
        opening, name, closing = match.groups()
        if name not in BLOCKS:
            raise ValueError(f"results: must be one of {', '.join(BLOCKS)}, got {name!r}")
        measured = name not in TAKEN or name in results
        return f"{opening}\n{BLOCKS[name](results) if measured else NOT_YET}\n\n{closing}"

    return BLOCK.sub(block, text)


def take(folders: Sequence[Path], machine: str, results: Mapping) -> dict:
    """``results`` with the runs in ``folders``; runs of one data set are taken together, as its seeds.

    Raises:
        ValueError: if a folder holds no results, or runs of one data set differ in more than their seed.
    """
    results, groups = dict(results), {}
    for folder in folders:
        path = folder / "results.json"
        if not path.is_file():
            raise ValueError(f"{path}: there is no such file")
        content = json.loads(path.read_text(encoding="utf-8"))
        if "variants" in content:
            results["ablations"] = entry_of_comparison(content, folder, machine)
        else:
            groups.setdefault(content["data"], []).append(content)
    for data, runs in groups.items():
        if data not in TAKEN:
            raise ValueError(f"data must be toy or easy-vqa, got {data!r}: the README has no table for it")
        results[data] = entry_of_runs(data, runs, machine)
    return {name: results[name] for name in TAKEN if name in results}


def entry_of_runs(data: str, runs: Sequence[Mapping], machine: str) -> dict:
    if any({**run["config"], "seed": 0} != {**runs[0]["config"], "seed": 0} for run in runs):
        raise ValueError(f"the runs of {data} must have one configuration, but for the seed")
    splits = runs[0]["splits"]
    values = {
        split: {kind: [run["splits"][split]["reached"][kind] for run in runs] for kind in measures["reached"]}
        for split, measures in splits.items()
    }
    entry = {
        "command": command("python -m vqa", data, runs[0]["config"]),
        "steps": runs[0]["steps"],
        "seconds": round(runs[0]["seconds"], 1),
        "machine": machine,
        "seeds": [run["config"]["seed"] for run in runs],
        "accuracy": {split: measures["reached"] for split, measures in splits.items()},
        "baselines": {
            split: {name: column for name, column in measures.items() if name != "reached"}
            for split, measures in splits.items()
        },
    }
    if len(runs) > 1:
        entry["spread"] = {
            split: {kind: [min(all_), max(all_)] for kind, all_ in kinds.items()} for split, kinds in values.items()
        }
    return entry


def entry_of_comparison(content: Mapping, folder: Path, machine: str) -> dict:
    """Steps and seconds are those of all models together; they stand in the folders of the single models."""
    runs = {
        name: json.loads((folder / name.replace(" ", "-") / "results.json").read_text(encoding="utf-8"))
        for name in content["variants"]
    }
    config = runs["product"]["config"]
    return {
        "command": command("python -m vqa compare", content["data"], config),
        "steps": sum(run["steps"] for run in runs.values()),
        "seconds": round(sum(run["seconds"] for run in runs.values()), 1),
        "machine": machine,
        "seeds": [config["seed"]],
        "accuracy": {
            "{fusion}/{streams}".format(**VARIANTS[name]): measures["reached"]
            for name, measures in content["variants"].items()
        },
        "baselines": {"chance": content["variants"]["product"]["chance"]},
    }


def command(start: str, data: str, config: Mapping) -> str:
    """The command that gives such a run: every field that is not the data set's default is a flag."""
    words = [start] + (["--data", data] if data != "toy" else [])
    default = json.loads(json.dumps(asdict(CONFIGS[data])))
    for name, value in config.items():
        if value != default[name]:
            words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    return " ".join(words)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python docs/tables.py", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only; status 1 if a table is out of date")
    parser.add_argument("--take", nargs="+", type=Path, default=[], metavar="FOLDER", help="run folders to take over")
    parser.add_argument("--machine", default="two cores, CPU", help="where the runs were made")
    chosen = parser.parse_args(arguments)
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    text = README.read_text(encoding="utf-8")
    if chosen.take:
        try:
            results = take(chosen.take, chosen.machine, results)
        except ValueError as error:
            parser.error(str(error))
        RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for folder in reversed(chosen.take):  # of several seeds, the first one's pictures stay, as its numbers do
            copy_pictures(folder)
    if chosen.check:
        stale = filled(text, results) != text
        print(f"{README.relative_to(ROOT)}: {'out of date, run python docs/tables.py' if stale else 'up to date'}")
        return int(stale)
    README.write_text(filled(text, results), encoding="utf-8")
    return 0


def copy_pictures(folder: Path) -> None:
    """The pictures of a run, under their names in ``docs/pictures``; what stands there is replaced."""
    content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    for source, name in TAKEN["ablations" if "variants" in content else content["data"]].items():
        shutil.copyfile(folder / source, PICTURES / name)


if __name__ == "__main__":
    raise SystemExit(main())
