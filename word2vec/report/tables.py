"""The tables of word2vec/README.md, from report/results.json, the promises in word2vec/evaluate.py and the core."""

from collections.abc import Callable, Mapping
from functools import partial

from lab.tables import images_of, markdown, percent, reading_order, take_entries
from word2vec.evaluate import HELD_OUT, KNOWN, PROMISES
from word2vec.report.small_texts import morpheme_rows, rare_rows

TAKEN = {  # entry of report/results.json: its images, by their names in the run's folder
    "toy": {"relations.png": "relations.png", "training.png": "training.png"},
    "comparison": {"comparison.png": "comparison.png"},
    "bench": {},
    "bound": {},
    "memory": {},
    "morphemes": {},
    "rare": {},
}
CORE = {  # file of the core, in reading order: what it contains
    "model": "the two tables and their scores",
    "loss": "the full softmax, negative sampling",
    "pairs": "windows, subsampling, pairs",
    "vocabulary": "words and counts, what is dropped, noise",
    "data": "batches of the toy language",
    "train": "configurations and the loop",
    "similarity": "neighbours and analogies of trained vectors",
}


def toy(results: Mapping) -> str:
    """For each relation, the accuracy of the baselines on held-out pairs, and ours on known and held-out pairs."""
    entry = results["toy"]
    held, known = entry["pairs"][HELD_OUT], entry["pairs"][KNOWN]
    baselines = [name for name in held if name != "reached"]
    rows = []
    for relation, reached in held["reached"].items():
        promised = PROMISES.get(("toy", HELD_OUT, relation))
        rows.append([
            relation, *(percent(held[name][relation]) for name in baselines), percent(known["reached"][relation]),
            "" if promised is None else percent(promised), percent(reached),
        ])  # fmt: skip
    head = ["analogies, in %", *baselines, KNOWN, "promised", HELD_OUT]
    return (
        f"{markdown(head, rows)}\n\n`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:.0f} s of "
        f"training ({entry['machine']}; seed {entry['config']['seed']}). The baselines are those of the held-out pairs."
    )


def comparison(results: Mapping) -> str:
    entry = results["comparison"]
    rows = [
        [name, percent(row[KNOWN]), percent(row[HELD_OUT]), f"{row['seconds']:.0f}"]
        for name, row in entry["objectives"].items()
    ]
    table = markdown(["analogies, in %", KNOWN, HELD_OUT, "seconds"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['steps']:,} steps each ({entry['machine']}; seed {entry['seed']})."


def bench(results: Mapping) -> str:
    """A table for each text: words per second and quality of all candidates."""
    entry, parts = results["bench"], []
    for name, text in entry["texts"].items():
        names = list(text["speed"])
        speeds = [text["speed"][one]["median"] for one in names]
        rows = [["words per second, training only", *(f"{speed:,.0f}" for speed in speeds)]]
        for kind, row in text["quality"].items():
            rows.append([kind, *(f"{row[one]['mean']:.4f} ± {row[one]['error']:.4f}" for one in names)])
        ratio = "{median:.2f} ({low:.2f} to {high:.2f})".format(**text["ratio"])
        parts.append(
            f"{name}.txt, {text['words']:,} words in all epochs, {text['vocabulary']:,} in the vocabulary:\n\n"
            f"{markdown(['', *names], rows)}\n\n"
            f"Ours reads {ratio} times as many words per second as gensim ({text['mode']})."
        )
    return "\n\n".join([*parts, f"`{entry['command']}`: {entry['repetitions']} seeds ({entry['machine']})."])


def bound(results: Mapping) -> str:
    entry = results["bound"]
    kinds = list(entry["rows"][0]["scores"])
    rows = [
        [f"{row['bound']}", *("not finite" if (x := row["scores"][kind]) is None else f"{x:.4f}" for kind in kinds)]
        for row in entry["rows"]
    ]
    scaled = ", ".join(f"{100 * share:.0f}% at the rate {rate}" for rate, share in entry["scaled"].items())
    return (
        f"{markdown(['bound', *kinds], rows)}\n\nOf a block's words the bound scales in W {scaled}.\n\n"
        f"`{entry['command']}`: english.txt, seed 0 ({entry['machine']})."
    )


def memory(results: Mapping) -> str:
    entry = results["memory"]
    names = {
        "bytes": "the text",
        "peak": "the process, at most",
        "tables": "tables of the vocabulary",
        "beside": "the rest",
    }
    rows = [[label, f"{entry[name] / 1e6:,.0f}"] for name, label in names.items()]
    return (
        f"{markdown(['memory', 'MB'], rows)}\n\n`{entry['command']}`: {entry['words']:,} words, "
        f"{entry['vocabulary']:,} in the vocabulary, counted and read once "
        f"({entry['machine']}). The rest must stay below {entry['must']:,} MB."
    )


def morphemes(results: Mapping) -> str:
    entry = results["morphemes"]
    head, *rows = morpheme_rows(entry)
    return (
        f"{markdown(head, rows)}\n\n`{entry['command']}`: the first {entry['reviews']:,} reviews of korean.txt; mean, "
        f"lowest and highest of {entry['repetitions']} seeds ({entry['machine']})."
    )


def rare(results: Mapping) -> str:
    entry = results["rare"]
    head, *rows = rare_rows(entry)
    return (
        f"{markdown(head, rows)}\n\n`{entry['command']}`: english.txt, {entry['words']:,} words, read five times; "
        f"seeds 0 and 1; up to {entry['asked']} words asked in each row ({entry['machine']})."
    )


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "toy": toy,
    "comparison": comparison,
    "bench": bench,
    "bound": bound,
    "memory": memory,
    "morphemes": morphemes,
    "rare": rare,
    "lines": lambda results: reading_order("word2vec", CORE),
}


take = partial(take_entries, TAKEN)
images = partial(images_of, TAKEN)
