"""The tables of detector/README.md, from report/results.json, the promises in detector/evaluate.py and the core."""

from collections.abc import Callable, Mapping
from functools import partial

from detector.evaluate import PROMISES
from detector.extensions.unlike import CAUGHT, FALSE_ALARMS
from lab.tables import NOT_YET, images_of, markdown, percent, reading_order, take_entries

TAKEN = {"toy": {"detections.png": "detections.png"}}  # entry of report/results.json: its images in the run's folder
CORE = {  # file of the core, in the order to read them
    "model": "the network: heatmap, offset, attributes",
    "loss": "the focal loss, the loss of the offsets",
    "data": "scenes with the places and names of their objects",
    "train": "the configuration and the loop",
    "decode": "from the heatmap's peaks to objects",
}


def toy(results: Mapping) -> str:
    """A row for each split: precision, recall, and scenes without any error."""
    entry = results["toy"]
    names = list(next(iter(entry["splits"].values())))
    rows = []
    for split, row in entry["splits"].items():
        promised = PROMISES.get((split, "all_right"))
        rows.append([split, *(percent(row[name]) for name in names), "" if promised is None else percent(promised)])
    table = markdown(["in %", *(name.replace("_", " ") for name in names), "promised"], rows)
    return (
        f"{table}\n\n`{entry['command']}`: {entry['steps']:,} steps in {entry['seconds']:.0f} s "
        f"({entry['machine']}; seed {entry['config']['seed']})."
    )


def unlike(results: Mapping) -> str:
    """A row for each kind of image: the share that gets a warning."""
    promised = {"test": f"at most {percent(FALSE_ALARMS)}"}
    promised |= dict.fromkeys(("inverted", "noise"), f"at least {percent(CAUGHT)}")
    measured = results["toy"]["unlike"]
    rows = [[name, percent(share), promised.get(name, "")] for name, share in measured["warned"].items()]
    return f"{markdown(['images', 'warning, in %', 'promised'], rows)}\n\nThe limit is {measured['limit']:.3f}."


BLOCKS: dict[str, Callable[[Mapping], str]] = {
    "toy": toy,
    "unlike": lambda results: unlike(results) if "toy" in results else NOT_YET,
    "lines": lambda results: reading_order("detector", CORE),
}
take = partial(take_entries, TAKEN)
images = partial(images_of, TAKEN)
