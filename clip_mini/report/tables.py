"""The tables of ``clip_mini/README.md`` and ``clip_mini/report/measured.md``.

They are made from ``report/results.json``, from the promises in ``clip_mini/evaluate.py`` and from the core files.
"""

from collections.abc import Callable, Mapping
from functools import partial

from clip_mini.commands import result_table
from clip_mini.evaluate import IMAGE_TO_TEXT, PROMISES, TEXT_TO_IMAGE
from clip_mini.figures import DIRECTIONS
from lab.tables import NOT_YET, markdown, percent, reading_order, take_runs

TAKEN = {  # entry of report/results.json: the figures taken with it, by their names in the run's folder
    "toy": {"retrieval.png": "retrieval.png", "training.png": "training.png"},
    "toy-seed-1": {},
    "toy-seed-2": {},
    "toy-vit": {},
    "korean": {},
    "emoji": {},  # drawings under another licence
    "folder": {},  # photographs are not ours to publish
    "comparison": {"comparison.png": "comparison.png"},
    "ablations": {"ablations.png": "ablations.png"},
    "step": {},
    "memory": {},
    "search": {},
}
RUNS = ("toy", "toy-vit", "korean", "emoji", "folder")
SEEDS = ("toy", "toy-seed-1", "toy-seed-2")  # the same configuration
CORE = {  # file of the core: what is in it, in the order to read them
    "loss": "figure 3: similarities, the loss, its gradient",
    "model": "attention, the Transformer, the text encoder, the projections",
    "image_encoders": "the residual CNN, the Vision Transformer",
    "data": "pairs from the toy world",
    "train": "the configurations and the loop",
    "zero_shot": "prompts as a classifier",
}
FIRST = (f"{IMAGE_TO_TEXT} R@1", f"{TEXT_TO_IMAGE} R@1", "accuracy")  # what the README shows


def measured_by(entry: Mapping) -> str:
    return (
        f"`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:,.0f} s of training "
        f"({entry['machine']}; seed {entry['config']['seed']})."
    )


def recalls(name: str, results: Mapping) -> str:
    """Of a run, in %: a row for each split and measure; the baselines, then the model."""
    entry = results[name]
    names = list(dict.fromkeys(column for columns in entry["splits"].values() for column in columns))
    rows = [
        [f"{split}: {measure}", *(cell(columns.get(column, {}).get(measure)) for column in names)]
        for split, columns in entry["splits"].items()
        for measure in columns["reached"]
    ]
    return f"{markdown(['in %', *names], rows)}\n\n{measured_by(entry)}"


def short(name: str, results: Mapping) -> str:
    """The first split of a run, without recall at 10."""
    entry = results[name]
    split, columns = next(iter(entry["splits"].items()))
    kept = {who: {m: v for m, v in row.items() if not m.endswith("10")} for who, row in columns.items()}
    return recalls(name, {name: {**entry, "splits": {split: kept}}})


def cell(value: float | None) -> str:
    return "" if value is None else percent(value)


def printed(results: Mapping) -> str:
    """What ``python -m clip_mini`` prints about the toy world, without recall at 5 and at 10."""
    entry = results["toy"]
    splits = {
        split: {who: {m: v for m, v in row.items() if m in FIRST} for who, row in columns.items()}
        for split, columns in entry["splits"].items()
    }
    lines = result_table({"what": "toy", "splits": splits}).splitlines()
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```", "", measured_by(entry)])


def seeds(results: Mapping) -> str:
    """What is promised, in %, for each seed."""
    promised = [(split, measure) for data, split, measure in PROMISES if data == "toy"]
    rows = []
    for name in SEEDS:
        if name in results:
            entry = results[name]
            cells = [percent(entry["splits"][split]["reached"][measure]) for split, measure in promised]
            rows.append([str(entry["config"]["seed"]), *cells])
    return markdown(["seed", *(f"{split}: {measure}" for split, measure in promised)], rows)


def variants(name: str, results: Mapping) -> str:
    """Recall@1 of several objectives, in %, in both directions on both splits."""
    entry = results[name]
    first = next(iter(entry["variants"].values()))["splits"]
    columns = [(s, d) for s in first for d in DIRECTIONS if f"{d} R@1" in first[s]["reached"]]
    rows = [["chance", *(percent(first[s]["chance"][f"{d} R@1"]) for s, d in columns), ""]]
    for variant, found in entry["variants"].items():
        cells = [percent(found["splits"][s]["reached"][f"{d} R@1"]) for s, d in columns]
        rows.append([variant, *cells, f"{found['seconds']:.0f}"])
    head = ["recall@1 in %", *(f"{s}, {d}" for s, d in columns), "seconds"]
    by = f"`{entry['command']}`: {entry['steps']:,} steps each ({entry['machine']}; seed {entry['seed']})."
    return f"{markdown(head, rows)}\n\n{by}"


def step(results: Mapping) -> str:
    entry, rows = results["step"], []
    for texts, row in entry["rows"].items():
        peer = row["milliseconds"][row["peer"]]["median"]
        for ours, ratio in row["ratio"].items():
            shown = "{median:.2f} ({low:.2f} to {high:.2f})".format(**ratio)
            rows.append([texts, ours, shown, f"{row['milliseconds'][ours]['median']:,.0f}", f"{peer:,.0f}"])
    table = markdown(["texts", "ours", "time / peer's time", "ours, ms", "peer, ms"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['repetitions']} repetitions in turn ({entry['machine']})."


def memory(results: Mapping) -> str:
    entry = results["memory"]
    rows = [
        [
            row["loss"],
            f"{row['pairs']:,}",
            f"{row['beside'] / 1e6:,.0f}",
            f"{row['features'] / 1e6:,.0f}",
            f"{row['seconds']:.1f}",
        ]
        for row in entry["rows"]["rows"]
    ]
    table = markdown(["loss", "pairs", "MB beside features and gradients", "features, MB", "seconds"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['rows']['dimensions']} dimensions, float32 ({entry['machine']})."


def search(results: Mapping) -> str:
    entry, parts = results["search"], []
    for n, found in entry["rows"]["sizes"].items():
        rows = [
            [name, f"{row['recall']:.3f}", f"{row['queries_per_second']:,.0f}", f"{row['build_seconds']:.1f}"]
            for name, row in found.items()
        ]
        parts.append(f"{int(n):,} vectors:\n\n{markdown(['', 'recall@10', 'queries a second', 'built in s'], rows)}")
    return "\n\n".join([*parts, f"`{entry['command']}` ({entry['machine']})."])


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    **{name: partial(recalls, name) for name in RUNS},
    "emoji-short": lambda results: short("emoji", results) if "emoji" in results else NOT_YET,
    "folder-short": lambda results: short("folder", results) if "folder" in results else NOT_YET,
    "printed": lambda results: printed(results) if "toy" in results else NOT_YET,
    "seeds": lambda results: seeds(results) if "toy" in results else NOT_YET,
    "comparison": partial(variants, "comparison"),
    "ablations": partial(variants, "ablations"),
    "step": step,
    "memory": memory,
    "search": search,
    "lines": lambda results: reading_order("clip_mini", CORE),
}


def entry_of(content: Mapping) -> str:
    """The name of a run's entry: its data set, or what is special about it."""
    config = content.get("config", {})
    if content["what"] == "toy" and config.get("image_encoder") == "vit":
        return "toy-vit"
    if content["what"] == "toy" and config.get("language") == "korean":
        return "korean"
    if content["what"] == "toy" and config.get("seed", 0) > 0:
        return f"toy-seed-{config['seed']}"
    return content["what"]


take = partial(take_runs, entry_of, TAKEN)


def images(content: Mapping) -> Mapping[str, str]:
    """The figures of a run, by their names in its folder, and their names in ``report/pictures``."""
    return TAKEN[entry_of(content)]
