"""The tables of ``cgan/README.md`` and ``cgan/report/measured.md``.

They are made from ``report/results.json``, from the promises in ``cgan/evaluate.py`` and from the core files.
"""

from collections.abc import Callable, Mapping
from functools import partial

from cgan.commands import result_table
from cgan.evaluate import PROMISES
from cgan.report.bench import MOONSHOT, MUST
from lab.tables import NOT_YET, markdown, percent, reading_order, take_runs

SEEDS = {"ring": 10, "digits": 3, "toy-close": 3, "toy-anywhere": 3, "toy-two": 1}  # how many, from 0 on
SHORT = {"close": 1000, "anywhere": 500, "two": 500}  # steps of the ablations on pictures of sentences
COMMON = {  # what is left out or added there
    "plain": ("without wrong pairs (GAN-CLS)", {"game": "plain"}),
    "no-penalty": ("without the penalty", {"penalty": 0.0}),
}
VARIANTS = {  # by the kind of scenes
    "close": {
        "paper": ("the paper's discriminator", {"discriminator": "paper"}),
        **COMMON,
        "no-seeking": ("without mode seeking", {"mode_seeking": 0.0}),
        "interpolation": ("with interpolated sentences (GAN-INT)", {"interpolation": 1.0}),
    },
    "anywhere": {
        "whole": ("the generator draws the whole picture", {"generator": "whole"}),
        "untrained": ("the discriminator begins untrained", {"discriminator": "untrained"}),
        **COMMON,
    },
    "two": {
        "whole": ("the generator draws the whole picture", {"generator": "whole"}),
        "untrained": ("the discriminator begins untrained", {"discriminator": "untrained"}),
        **COMMON,
    },
}
ABLATION = {"close": "toy-ablation", "anywhere": "toy-anywhere-ablation", "two": "toy-two-ablation"}
TAKEN = {  # entry of report/results.json: the figures taken with it, by their names in the run's folder
    "ring": {name: name for name in ("ring.png", "ring.gif", "losses.png", "vanishing.png")},
    **{f"ring-seed-{seed}": {} for seed in range(1, SEEDS["ring"])},
    "digits": {
        "digits.png": "digits.png",
        "interpolation.png": "interpolation.png",
        "nearest.png": "nearest.png",
        "losses.png": "losses-digits.png",
    },
    **{f"digits-seed-{seed}": {} for seed in range(1, SEEDS["digits"])},
    "toy-close": {
        "sentences.png": "sentences.png",
        "interpolation.png": "interpolation-sentences.png",
        "nearest.png": "nearest-sentences.png",
    },
    **{f"toy-close-seed-{seed}": {} for seed in range(1, SEEDS["toy-close"])},
    "toy-close-korean": {},
    "toy-anywhere": {"sentences.png": "sentences-anywhere.png", "nearest.png": "nearest-anywhere.png"},
    **{f"toy-anywhere-seed-{seed}": {} for seed in range(1, SEEDS["toy-anywhere"])},
    "toy-two": {
        "sentences.png": "sentences-two.png",
        "interpolation.png": "interpolation-two.png",
        "nearest.png": "nearest-two.png",
    },
    **{
        f"{ABLATION[kind]}{name}": {}
        for kind, names in VARIANTS.items()
        for name in ("", *(f"-{one}" for one in names))
    },
    "toy-ablation-plain": {"sentences.png": "sentences-plain.png"},
    "step": {},
}
CORE = {  # file of the core: what is in it, in the order to read them
    "loss": "the value of the game, the generator's losses, GAN-CLS, GAN-INT",
    "theory": "the best discriminator, the divergence",
    "model": "two pairs of players",
    "data": "the ring, batches of pictures",
    "train": "the configurations and the loop",
    "text_encoder": "a sentence as a vector",
    "text_to_image": "two players that see a sentence",
    "train_text_to_image": "their loop",
}
DATA = ("ring",)  # what README shows as it is printed
SENTENCES = ("toy-close", "toy-close-korean", "toy-anywhere", "toy-two")
MEASURES = ("colour and shape", "both as named", "all named", "diversity", "FID", "true preferred", "unseen pairs")
HEADLINE = ("all named", "diversity", "true preferred", "unseen pairs")  # those in README


def measured_by(entry: Mapping) -> str:
    return (
        f"`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:.0f} s of training "
        f"({entry['machine']}; seed {entry['config']['seed']})."
    )


def printed(results: Mapping) -> str:
    """What ``python -m cgan`` prints about each data set."""
    entries = [results[data] for data in DATA if data in results]
    if not entries:
        return NOT_YET
    parts = [["```text", *result_table(entry).splitlines(), "```", "", measured_by(entry)] for entry in entries]
    return "\n\n".join("\n".join(part) for part in parts)


def sentences(results: Mapping) -> str:
    """Pictures of sentences, on each kind of scenes."""
    rows = []
    for name in SENTENCES:
        if entry := results.get(name):
            reached = entry["splits"]["test"]["reached"]
            numbers = (f"{reached[measure]:.3f}" for measure in HEADLINE)
            rows.append([name, *numbers, f"{entry['judge']:.3f}", f"{entry['seconds']:.0f}"])
    return markdown(["test", *HEADLINE, "judge", "seconds"], rows) if rows else NOT_YET


def promises(results: Mapping) -> str:
    rows = []
    for (data, split, measure), promised in PROMISES.items():
        reached = f"{results[data]['splits'][split]['reached'][measure]:.3f}" if data in results else NOT_YET
        rows.append([f"{data}, {split}: {measure}", f"{promised:.3f}", reached])
    return markdown(["", "promised", "reached"], rows)


def seeds(data: str, results: Mapping) -> str:
    """Every measure for each seed, and the lowest and the highest."""
    entries = [results[name] for name in names_of(data) if name in results]
    if not entries:
        return NOT_YET
    columns = list(entries[0]["splits"]["test"]["reached"])
    reached = [[entry["splits"]["test"]["reached"][measure] for measure in columns] for entry in entries]
    rows = [
        [str(entry["config"]["seed"]), *(f"{value:.3f}" for value in row), f"{entry['seconds']:.0f}"]
        for entry, row in zip(entries, reached, strict=True)
    ]
    if len(entries) > 1:
        between = (f"{min(column):.3f} to {max(column):.3f}" for column in zip(*reached, strict=True))
        rows.append(["lowest to highest", *between, ""])
    return markdown([f"{data}, seed", *columns, "seconds"], rows)


def names_of(data: str) -> list[str]:
    """The entries of a data set's seeds."""
    return [data, *(f"{data}-seed-{seed}" for seed in range(1, SEEDS[data]))]


def step(results: Mapping) -> str:
    entry, rows = results["step"], []
    for data, row in entry["rows"].items():
        part, times = "{median:.2f} ({low:.2f} to {high:.2f})".format(**row["part"]), row["milliseconds"]
        rows.append([data, part, *(f"{time['median']:.1f}" for time in times.values()), f"≤ {MUST}", f"≤ {MOONSHOT}"])
    names = (f"{name}, ms" for name in times)
    table = markdown(["training step", "part of its time", *names, "must", "moonshot"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['repetitions']} repetitions in turn ({entry['machine']})."


def variants(kind: str, results: Mapping) -> str:
    """What each part does for pictures of sentences: the same configuration with one change."""
    rows, columns = [], []
    for name, (told, _) in {"": ("everything", {}), **VARIANTS[kind]}.items():
        entry = results.get(f"{ABLATION[kind]}-{name}".rstrip("-"))
        if entry:
            reached = entry["splits"]["test"]["reached"]
            columns = [column for column in MEASURES if column in reached]
            rows.append([told, *(f"{reached[column]:.3f}" for column in columns), f"{entry['steps']:,}"])
    return markdown([{"close": "close up"}.get(kind, kind), *columns, "steps"], rows) if rows else NOT_YET


def judge(results: Mapping) -> str:
    """How good the judge of digits is itself."""
    if "digits" not in results:
        return NOT_YET
    return f"The judge gives {percent(results['digits']['judge'])}% of the real test digits their own label."


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "printed": printed,
    "sentences": sentences,
    "promises": promises,
    "ring-seeds": partial(seeds, "ring"),
    "digits-seeds": partial(seeds, "digits"),
    "judge": judge,
    "toy-close-seeds": partial(seeds, "toy-close"),
    "toy-anywhere-seeds": partial(seeds, "toy-anywhere"),
    "toy-two-seeds": partial(seeds, "toy-two"),
    **{f"{ABLATION[kind]}s": partial(variants, kind) for kind in VARIANTS},
    "step": step,
    "lines": lambda results: reading_order("cgan", CORE),
}


def entry_of(content: Mapping) -> str:
    """The name of a run's entry: its data set, or the variant of the ablation; its seed if that is not 0."""
    config, name = content.get("config", {}), content["what"]
    if content.get("data", {}).get("language", "english") != "english":
        name += f"-{content['data']['language']}"
    kind = name.removeprefix("toy-")
    if content["steps"] == SHORT.get(kind):
        name = ABLATION[kind]
        for variant, (_, changes) in VARIANTS[kind].items():
            name += f"-{variant}" if all(config[field] == value for field, value in changes.items()) else ""
    return f"{name}-seed-{config['seed']}" if config.get("seed", 0) else name


take = partial(take_runs, entry_of, TAKEN)


def images(content: Mapping) -> Mapping[str, str]:
    """The figures of a run, by their names in its folder, and their names in ``report/pictures``."""
    return TAKEN[entry_of(content)]
