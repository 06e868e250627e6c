"""STFT's promises and numbers in its texts are those of its results; its tables by hand."""

import json
import re
from pathlib import Path

import pytest

import stft
from stft.evaluate import PROMISES
from stft.report import tables
from stft.windows import WINDOWS, main_lobe_width, scalloping_loss, side_lobe_level

ROOM = Path(stft.__file__).parent
README = (ROOM / "README.md").read_text(encoding="utf-8")
RESULTS = json.loads((ROOM / "report" / "results.json").read_text(encoding="utf-8"))


def test_hearing_keeps_its_promises_in_the_results() -> None:
    for (_, split, name), promised in PROMISES.items():
        assert RESULTS["hearing"]["accuracy"][split][name] >= promised, (split, name)


def test_the_musts_of_speed_are_met_in_the_results() -> None:
    for name, row in RESULTS["speed"]["rows"].items():
        must, _ = row["targets"]
        assert must is None or row["ratio"]["median"] <= must, name


def test_the_windows_are_as_good_as_the_readme_says() -> None:
    rows = re.findall(r"^\| (\w+) \| (\d) \| −([\d.]+) \| ([\d.]+) \|$", README, flags=re.MULTILINE)
    assert [row[0].lower() for row in rows] == list(WINDOWS)
    for name, width, level, loss in rows:
        window = WINDOWS[name.lower()](4096)
        assert main_lobe_width(window) == pytest.approx(float(width), abs=0.04)
        assert side_lobe_level(window) == pytest.approx(-float(level), abs=0.051)
        assert scalloping_loss(window) == pytest.approx(float(loss), abs=0.0051)


def test_tables_by_hand() -> None:
    ratio = {"low": 0.4, "median": 0.5, "high": 0.75}
    rows = {"x": {"ratio": ratio, "milliseconds": {"median": 7.25}, "targets": [1.05, None]}}
    speed = {"command": "c", "repetitions": 3, "machine": "m", "rows": rows}
    told = tables.speed({"speed": speed})
    assert "| x | 0.50 (0.40 to 0.75) | 7.2 | 1.05 |  |" in told
    assert told.endswith("`c`: 3 repetitions (m).")
    accuracy = {
        split: dict.fromkeys(("colour", "shape", "size", "place"), 0.995) for split in ("test", "compositional")
    }
    chance = {"colour": 0.125, "shape": 0.25, "size": 0.5, "place": 0.02}
    entry = {"command": "c", "sounds": 9, "seconds": 3.6, "chance": chance, "accuracy": accuracy}
    told = tables.hearing({"hearing": entry})
    assert "| test: colour | 12.50 | 99.00 | 99.50 |" in told
    assert told.endswith("`c`: 9 single objects per split, 4 s.")
