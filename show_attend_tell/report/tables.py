"""The tables of ``show_attend_tell/README.md`` and ``show_attend_tell/report/measured.md``.

They are made from ``report/results.json``, from the promises in ``show_attend_tell/evaluate.py`` and from the core
files.
"""

from collections.abc import Callable, Mapping
from functools import partial

from lab.tables import NOT_YET, markdown, percent, reading_order, take_runs
from show_attend_tell.commands import result_table
from show_attend_tell.evaluate import PROMISES
from show_attend_tell.figures import BARS

TAKEN = {  # entry of report/results.json: the figures taken with it, by their names in the run's folder
    "toy": {name: name for name in ("captions.png", "attention.png", "training.png", "forcing.png")},
    "toy-seed-1": {},
    "toy-seed-2": {},
    "korean": {},
    "cnn": {},
    "flickr8k": {},  # photographs are not ours to publish
    "comparison": {"comparison.png": "comparison.png", "attention.png": "side-by-side.png"},
    "decode": {},
    "step": {},
}
SEEDS = ("toy", "toy-seed-1", "toy-seed-2")  # the same configuration
CORE = {  # file of the core: what is in it, in the order to read them
    "model": "equations 1 to 7 and 13: the LSTM, the attention, the words",
    "loss": "equation 14: the loss of the words, the penalty on the attention",
    "encoders": "from an image to annotation vectors",
    "data": "scenes and captions of the toy world",
    "train": "the configurations and the loop",
    "decode": "greedy decoding and beam search",
}
PRINTED = ("most frequent", "blank images", "exchanged images", "chance", "reached")
BLEU = "BLEU-{} without brevity penalty"
PUBLISHED = {  # of the paper's table 1: Flickr8k, test split, VGG features, BLEU-1 to 4
    "soft attention (Xu et al.), test": (67.0, 44.8, 29.9, 19.5),
    "hard attention (Xu et al.), test": (67.0, 45.7, 31.4, 21.3),
}


def measured_by(entry: Mapping) -> str:
    return (
        f"`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:,.0f} s of training "
        f"({entry['machine']}; seed {entry['config']['seed']})."
    )


def shares(name: str, results: Mapping) -> str:
    """Of a run on the toy world, in %: a row for each split and measure; the baselines, then the model."""
    entry = results[name]
    names = list(dict.fromkeys(column for columns in entry["splits"].values() for column in columns))
    names = sorted(names, key=lambda column: PRINTED.index(column) if column in PRINTED else -1)
    rows = [
        [f"{split}: {measure}", *(cell(columns.get(column, {}).get(measure)) for column in names)]
        for split, columns in entry["splits"].items()
        for measure in columns["reached"]
    ]
    return f"{markdown(['in %', *names], rows)}\n\n{measured_by(entry)}"


def cell(value: float | None) -> str:
    return "" if value is None else percent(value)


def printed(results: Mapping) -> str:
    """What ``python -m show_attend_tell`` prints about the toy world, without the parts of "right"."""
    entry = results["toy"]
    splits = {
        split: {who: {m: row[m] for m in ("right", "pointing") if m in row} for who, row in columns.items()}
        for split, columns in entry["splits"].items()
    }
    lines = result_table({"what": "toy", "data": {"language": "english"}, "splits": splits}).splitlines()
    return "\n".join(["```text", *(line.rstrip() for line in lines), "```", "", measured_by(entry)])


def promises(results: Mapping) -> str:
    entries = {"toy": "toy", "toy-korean": "korean"}
    rows = []
    for (data, split, measure), promised in PROMISES.items():
        reached = NOT_YET
        if entries[data] in results:
            reached = percent(results[entries[data]]["splits"][split]["reached"][measure])
        rows.append([f"{data}, {split}: {measure}", percent(promised), reached])
    return markdown(["in %", "promised", "reached"], rows)


def seeds(results: Mapping) -> str:
    """What is promised, in %, for each seed, and the lowest and the highest."""
    columns = [(split, measure) for split in ("test", "compositional") for measure in ("right", "pointing")]
    entries = [results[name] for name in SEEDS if name in results]
    reached = [[entry["splits"][split]["reached"][measure] for split, measure in columns] for entry in entries]
    rows = [[str(e["config"]["seed"]), *map(percent, row)] for e, row in zip(entries, reached, strict=True)]
    rows.append(["lowest to highest", *(f"{percent(min(c))} to {percent(max(c))}" for c in zip(*reached, strict=True))])
    return markdown(["seed", *(f"{split}: {measure}" for split, measure in columns)], rows)


def scores(results: Mapping) -> str:
    """Of the photographs: a row for each metric; the baselines, then the model."""
    entry, parts = results["flickr8k"], []
    for split, columns in entry["splits"].items():
        rows = [
            [metric, *(f"{column[metric]:.1f}" for column in columns.values())]
            for metric in next(iter(columns.values()))
        ]
        parts.append(markdown([f"flickr8k, {split}", *columns], rows))
    return "\n\n".join([*parts, measured_by(entry)])


def beside_the_paper(results: Mapping) -> str:
    """BLEU without brevity penalty, ours and the paper's."""
    entry = results["flickr8k"]
    rows = [[name, *(f"{value:.1f}" for value in values)] for name, values in PUBLISHED.items()]
    for split, columns in entry["splits"].items():
        for who in ("exchanged images", "reached"):
            values = (f"{columns[who][BLEU.format(n)]:.1f}" for n in range(1, 5))
            rows.append([f"here, {who}, {split}", *values])
    return f"{markdown(['without brevity penalty', *(f'BLEU-{n}' for n in range(1, 5))], rows)}\n\n{measured_by(entry)}"


def variants(results: Mapping) -> str:
    """Soft, hard and no attention, and the penalty, in %."""
    entry = results["comparison"]
    rows = [
        [name, *(cell(one["splits"][split]["reached"].get(what)) for split, what in BARS), f"{one['seconds']:.0f}"]
        for name, one in entry["variants"].items()
    ]
    return f"{markdown(['in %', *(f'{s}: {w}' for s, w in BARS), 'seconds'], rows)}\n\n{measured_by(entry)}"


def decode(results: Mapping) -> str:
    entry, rows = results["decode"], []
    for name, row in entry["rows"].items():
        rates = (f"{row['images_per_second'][how]['median']:.1f}" for how in ("together", "one at a time"))
        rows.append([name, *rates, spread(row["ratio"]), spread(row["ratio_to_core"])])
    head = [
        "beam search",
        "together, images/s",
        "one at a time, images/s",
        "together / one at a time",
        "together / Captioner, one at a time",
    ]
    return f"{markdown(head, rows)}\n\n{repeated(entry)}"


def step(results: Mapping) -> str:
    entry = results["step"]
    ratios, times = entry["rows"]["ratio"], entry["rows"]["milliseconds"]
    rows = [
        [name, f"{one['median']:,.0f}", spread(ratios[name]) if name in ratios else "1"] for name, one in times.items()
    ]
    return f"{markdown(['training step', 'ms', 'times as fast'], rows)}\n\n{repeated(entry)}"


def spread(values: Mapping[str, float]) -> str:
    return "{median:.2f} ({low:.2f} to {high:.2f})".format(**values)


def repeated(entry: Mapping) -> str:
    return f"`{entry['command']}`: {entry['repetitions']} repetitions in turn ({entry['machine']})."


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "toy": partial(shares, "toy"),
    "korean": partial(shares, "korean"),
    "cnn": partial(shares, "cnn"),
    "seeds": lambda results: seeds(results) if "toy" in results else NOT_YET,
    "printed": lambda results: printed(results) if "toy" in results else NOT_YET,
    "promises": promises,
    "flickr8k": scores,
    "beside-the-paper": lambda results: beside_the_paper(results) if "flickr8k" in results else NOT_YET,
    "comparison": variants,
    "decode": decode,
    "step": step,
    "lines": lambda results: reading_order("show_attend_tell", CORE),
}


def entry_of(content: Mapping) -> str:
    """The name of a run's entry: its data set; or its language, encoder and seed, on the toy world."""
    if content["what"] != "toy":
        return content["what"]
    config = content["config"]
    name = "korean" if content["data"]["language"] == "korean" else "cnn" if config["encoder"] == "cnn" else "toy"
    return f"{name}-seed-{config['seed']}" if config["seed"] else name


take = partial(take_runs, entry_of, TAKEN)


def images(content: Mapping) -> Mapping[str, str]:
    """The figures of a run, by their names in its folder, and their names in ``report/pictures``."""
    return TAKEN[entry_of(content)]
