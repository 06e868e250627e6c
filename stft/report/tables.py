"""The tables of stft/README.md, out of report/results.json, the promises in stft/evaluate.py and the core files."""

from collections.abc import Callable, Mapping
from functools import partial

from lab.tables import images_of, markdown, percent, reading_order, take_entries
from stft.evaluate import PROMISES

TAKEN = {  # entry of report/results.json: the pictures taken with it, by their names in the run's folder
    "hearing": {"heard.png": "heard.png", "windows.png": "windows.png"},
    "inversion": {},
    "speed": {},
}
CORE = {  # file of the core, in reading order: what it contains
    "fourier": "the DFT: its definition, its matrix, and a fast algorithm for any length",
    "windows": "windows, and what they do to a tone",
    "transform": "pad, frame, window, transform; and the inverse",
    "units": "power, amplitude, mean square, density",
    "mel": "mel bands, decibels, MFCC",
    "checks": "error messages",
}


def hearing(results: Mapping) -> str:
    """Promised, chance and reached, for each split and attribute."""
    entry = results["hearing"]
    rows = [
        [f"{split}: {name}", percent(entry["chance"][name]), percent(promised), percent(entry["accuracy"][split][name])]
        for (_, split, name), promised in PROMISES.items()
    ]
    table = markdown(["named by ear, in %", "chance", "promised", "reached"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['sounds']} single objects per split, {entry['seconds']:.0f} s."


def speed(results: Mapping) -> str:
    """Ours divided by the peer: medians, and the range that holds half of the repetitions."""
    entry, rows = results["speed"], []
    for name, row in entry["rows"].items():
        ratio, (must, moonshot) = row["ratio"], (target or "" for target in row["targets"])
        told = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
        rows.append([name, told, f"{row['milliseconds']['median']:.1f}", f"{must}", f"{moonshot}"])
    table = markdown(["peer", "time of ours / of the peer", "ours (ms)", "must be ≤", "moonshot ≤"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['repetitions']} repetitions ({entry['machine']})."


def inversion(results: Mapping) -> str:
    """How far off the magnitudes are: a tenth, a half and nine tenths of the files are at least that near."""
    entry = results["inversion"]
    rows = [[name, *(f"{x:.1f}".replace("-", "−") for x in values)] for name, values in entry["decibels"].items()]
    table = markdown(["magnitudes are off by (dB)", "best tenth", "median", "worst tenth"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['files']} files ({entry['machine']})."


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "hearing": hearing,
    "inversion": inversion,
    "speed": speed,
    "lines": lambda results: reading_order("stft", CORE),
}


take = partial(take_entries, TAKEN)
images = partial(images_of, TAKEN)
