"""The tables of stft/README.md, out of report/results.json, the promises in stft/evaluate.py and the core files."""

from collections.abc import Callable, Mapping
from functools import partial

from lab.tables import images_of, markdown, percent, reading_order, take_entries
from stft.evaluate import PROMISES

TAKEN = {  # entry of report/results.json: the images taken with it, by their names in the run's folder
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
    """For each split and attribute, the accuracy: chance, promised and reached."""
    entry = results["hearing"]
    rows = [
        [f"{split}: {name}", percent(entry["chance"][name]), percent(promised), percent(entry["accuracy"][split][name])]
        for (_, split, name), promised in PROMISES.items()
    ]
    table = markdown(["named by ear, in %", "chance", "promised", "reached"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['sounds']} single objects per split, {entry['seconds']:.0f} s."


def speed(results: Mapping) -> str:
    """Our time divided by the peer's: the median, and the range from the lower to the upper quartile."""
    entry, rows = results["speed"], []
    for name, row in entry["rows"].items():
        ratio, (must, moonshot) = row["ratio"], (target or "" for target in row["targets"])
        cell = f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})"
        rows.append([name, cell, f"{row['milliseconds']['median']:.1f}", f"{must}", f"{moonshot}"])
    table = markdown(["peer", "time of ours / of the peer", "ours (ms)", "must be ≤", "hoped for ≤"], rows)
    return f"{table}\n\n`{entry['command']}`: {entry['repetitions']} repetitions ({entry['machine']})."


def inversion(results: Mapping) -> str:
    """The error of the magnitudes: its quantiles 0.1, 0.5 and 0.9 over the files."""
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
