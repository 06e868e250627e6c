"""The tables of ``vqa/README.md`` and ``vqa/report/measured.md``.

They are made from ``report/results.json``, from the promises in ``vqa/evaluate.py`` and from the core files.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from lab.tables import NOT_YET, markdown, percent, reading_order
from vqa.commands import VARIANTS, data_name, table
from vqa.evaluate import PROMISES
from vqa.train import CONFIGS

TAKEN = {  # entry of report/results.json: the figures taken with it, by their names in the run's folder
    "toy": {"answers.png": "answers.png", "training.png": "training.png"},
    "toy-korean": {},
    "easy-vqa": {},
    "ablations": {"comparison.png": "comparison.png"},
}
CORE = {  # file of the core: what is in it, in the order to read them
    "model": "the LSTM, norm I, the fusion, the classifier",
    "encoders": "from a grid or from pixels to an image's vector",
    "data": "batches from the toy world",
    "train": "the configurations and the loop",
    "metric": "min(n/3, 1)",
    "answer_text": "answers as the official evaluation compares them",
}
PRINTED = ("chance", "by text", "reached")  # columns of the terminal's table that the README shows


def measured_by(entry: Mapping) -> str:
    """The line under a table: the command, the steps, the seconds and the machine."""
    first, *others = map(str, entry["seeds"])
    spread = f" In brackets: lowest to highest with the seeds {', '.join([first, *others])}." if others else ""
    return (
        f"`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:,.0f} s of training "
        f"({entry['machine']}; seed {first}).{spread}"
    )


def accuracies(name: str, results: Mapping) -> str:
    """A table for each split of a data set: a row for each kind of question; the baselines, then the model."""
    entry, parts = results[name], []
    for split, reached in entry["accuracy"].items():
        columns, spread = entry["baselines"][split], entry.get("spread", {}).get(split, {})
        rows = []
        for kind, value in reached.items():
            between = " ({} to {})".format(*map(percent, spread[kind])) if kind in spread else ""
            rows.append([kind, *(percent(column[kind]) for column in columns.values()), percent(value) + between])
        parts.append(f"{name}, `{split}` split:\n\n{markdown(['kind', *columns, 'reached'], rows)}")
    return "\n\n".join([*parts, measured_by(entry)])


def printed(results: Mapping) -> str:
    """What ``python -m vqa`` prints about the toy world's test split, with fewer baselines."""
    entry = results["toy"]
    columns = {**entry["baselines"]["test"], "reached": entry["accuracy"]["test"]}
    promised = {kind: PROMISES.get(("toy", "test", kind)) for kind in columns["reached"]}
    lines = table({name: columns[name] for name in PRINTED}, promised).splitlines()
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```", "", measured_by(entry)])


def ablations(results: Mapping) -> str:
    entry = results["ablations"]
    columns = {"chance": entry["baselines"]["chance"], **entry["accuracy"]}
    rows = [[kind, *(percent(column[kind]) for column in columns.values())] for kind in columns["chance"]]
    return f"{markdown(['kind', *columns], rows)}\n\n{measured_by(entry)}"


def promises(results: Mapping) -> str:
    """A row for each promise; those of the toy world are the same in Korean, once that is measured."""

    def value(data: str, split: str, kind: str) -> str:
        return percent(results[data]["accuracy"][split][kind]) if data in results else NOT_YET

    head, rows = ["accuracy in %", "promised", "reached", "chance"], []
    for (data, split, kind), promised in PROMISES.items():
        chance = percent(results[data]["baselines"][split]["chance"][kind]) if data in results else NOT_YET
        rows.append([f"{data}, {split}: {kind}", percent(promised), value(data, split, kind), chance])
        if "toy-korean" in results:
            rows[-1].append(value("toy-korean", split, kind) if data == "toy" else "")
    return markdown(head + (["in Korean"] if "toy-korean" in results else []), rows)


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "toy": lambda results: accuracies("toy", results),
    "toy-korean": lambda results: accuracies("toy-korean", results),
    "printed": lambda results: printed(results) if "toy" in results else NOT_YET,
    "easy-vqa": lambda results: accuracies("easy-vqa", results),
    "ablations": ablations,
    "promises": promises,
    "lines": lambda results: reading_order("vqa", CORE),
}


def take(folders: Sequence[Path], machine: str, results: Mapping) -> dict:
    """``results`` with the runs in ``folders``; runs of one data set are taken together, as its seeds.

    Raises:
        ValueError: if runs of one data set differ in more than their seed.
    """
    results, groups = dict(results), {}
    for folder in folders:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        if "variants" in content:
            results["ablations"] = entry_of_comparison(content, folder, machine)
        else:
            groups.setdefault(data_name(content["data"]), []).append(content)
    for data, runs in groups.items():
        if data not in TAKEN:
            raise ValueError(f"data must be toy, toy-korean or easy-vqa, got {data!r}: the README has no table for it")
        results[data] = entry_of_runs(data, runs, machine)
    return {name: results[name] for name in TAKEN if name in results}


def entry_of_runs(data: str, runs: Sequence[Mapping], machine: str) -> dict:
    """The first run's numbers; with several runs, the lowest and the highest of all beside them."""
    if any({**run["config"], "seed": 0} != {**runs[0]["config"], "seed": 0} for run in runs):
        raise ValueError(f"the runs of {data} must have one configuration; only the seed may differ")
    splits = runs[0]["splits"]
    entry = {
        "command": command("python -m vqa", runs[0]["data"], runs[0]["config"]),
        "steps": runs[0]["steps"],
        "seconds": round(runs[0]["seconds"], 1),
        "machine": machine,
        "seeds": [run["config"]["seed"] for run in runs],
        "accuracy": {split: columns["reached"] for split, columns in splits.items()},
        "baselines": {
            split: {name: column for name, column in columns.items() if name != "reached"}
            for split, columns in splits.items()
        },
    }
    if len(runs) > 1:
        entry["spread"] = {split: {} for split in splits}
        for split, columns in splits.items():
            for kind in columns["reached"]:
                values = [run["splits"][split]["reached"][kind] for run in runs]
                entry["spread"][split][kind] = [min(values), max(values)]
    return entry


def entry_of_comparison(content: Mapping, folder: Path, machine: str) -> dict:
    """Steps and seconds are those of all models together; each model's own folder has its part."""
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
            "{fusion}/{inputs}".format(**VARIANTS[name]): columns["reached"]
            for name, columns in content["variants"].items()
        },
        "baselines": {"chance": content["variants"]["product"]["chance"]},
    }


def command(start: str, data: Mapping, config: Mapping) -> str:
    """The command that gives such a run: every field that is not the data set's default is a flag."""
    words = [start] + (["--data", data["data"]] if data["data"] != "toy" else [])
    words += ["--language", data["language"]] if data.get("language", "english") != "english" else []
    default = json.loads(json.dumps(asdict(CONFIGS[data["data"]])))
    for name, value in config.items():
        if value != default[name]:
            words += [f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    return " ".join(words)


def images(content: Mapping) -> Mapping[str, str]:
    """The figures of a run, by their names in its folder, and their names in ``report/pictures``."""
    return TAKEN["ablations" if "variants" in content else data_name(content["data"])]
