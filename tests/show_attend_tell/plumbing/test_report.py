"""The chapter of the tour, the bench's files, and the tables that are made from results."""

import json
from pathlib import Path

import pytest
import tables as of_all
from torch import nn

from lab.tables import ROOT
from lab.training import Trained
from show_attend_tell.evaluate import PROMISES
from show_attend_tell.report import bench, tables
from show_attend_tell.report.chapter import CHAPTERS, caption_chapter
from show_attend_tell.train import CONFIGS

SHARES = {"readable": 1.0, "true": 0.75, "complete": 0.5, "right": 0.5}
COLUMNS = {
    "reached": {**SHARES, "pointing": 0.875},
    **{name: dict.fromkeys(SHARES, 0.125) for name in ("exchanged images", "blank images", "most frequent")},
    "chance": {"pointing": 0.0625},
}
SPLITS = {"test": COLUMNS, "compositional": COLUMNS}
RUN = {
    "paper": "show_attend_tell",
    "what": "toy",
    "data": {"data": "toy", "language": "english"},
    "command": "python -m show_attend_tell",
    "config": {"seed": 0, "encoder": "grid"},
    "steps": 1234,
    "seconds": 56.7,
    "splits": SPLITS,
    "validation": [{"steps": 1, "score": 0.5}],
}
METRICS = {**{tables.BLEU.format(n): 60.0 - n for n in range(1, 5)}, "CIDEr-D": 50.25}
PHOTOGRAPHS = {
    **RUN,
    "what": "flickr8k",
    "data": {"data": "flickr8k", "root": "/secret"},
    "command": "python -m show_attend_tell --data flickr8k --root /secret/place",
    "splits": {"dev": {"exchanged images": METRICS, "reached": METRICS}},
}
OTHER = {"reached": {**SHARES, "right": 0.25, "pointing": 0.9}}  # of another seed
SEEDS = [
    {**RUN, "config": {**RUN["config"], "seed": seed}, "splits": {"test": OTHER, "compositional": OTHER}}
    for seed in (1, 2)
]
VARIANTS = {name: {"splits": SPLITS, "seconds": 7.4, "validation": []} for name in ("soft", "none")}
SPREAD = {"low": 1.0, "median": 2.0, "high": 3.0}
DECODE = {
    "Captioner": {
        "images_per_second": {"together": SPREAD, "one at a time": SPREAD}, "ratio": SPREAD, "ratio_to_core": SPREAD
    }
}  # fmt: skip
STEP = {"milliseconds": {"Captioner": SPREAD, "plainest loop": SPREAD}, "ratio": {"Captioner": SPREAD}}


def write(folder: Path, content: dict) -> Path:
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


@pytest.fixture
def results(tmp_path) -> dict:
    """Every entry, taken from run folders."""
    contents = [
        RUN, *SEEDS, {**RUN, "data": {"data": "toy", "language": "korean"}},
        {**RUN, "config": {"seed": 0, "encoder": "cnn"}}, PHOTOGRAPHS,
        {**RUN, "what": "comparison", "variants": VARIANTS},
        {**RUN, "what": "decode", "repetitions": 5, "rows": DECODE},
        {**RUN, "what": "step", "repetitions": 5, "rows": STEP},
    ]  # fmt: skip
    folders = [write(tmp_path / str(k), content) for k, content in enumerate(contents)]
    return tables.take(folders, "a machine", {})


def test_the_chapter_compares_every_promise() -> None:
    promises = {("toy", "test", "right"): 0.6, ("toy", "test", "pointing"): 0.8, ("toy-korean", "test", "right"): 0.9}
    chapter = caption_chapter("toy", CONFIGS["toy"], promises)
    drawn = [Path("attention.png"), Path("example.png")]
    page = chapter.tell(Trained(Path("run"), nn.Module(), {"splits": SPLITS, "seconds": 9.0}, drawn))
    assert [(row.measured, row.chance, row.reached, row.promised, row.kept) for row in page.rows] == [
        ("test: right", 0.125, 0.5, 0.6, False),
        ("test: pointing", 0.0625, 0.875, 0.8, True),
    ]
    assert (page.seconds, [one.path for one in page.exhibits]) == (9.0, [Path("attention.png")])
    assert {chapter.name for chapter in CHAPTERS} <= {data for data, _, _ in PROMISES}


def test_runs_are_taken_under_their_names(results) -> None:
    assert list(results) == list(tables.TAKEN)
    assert results["korean"]["machine"] == "a machine"
    assert "validation" not in json.dumps(results)  # the history stays behind
    assert "secret" not in json.dumps(results)  # and so does the path of the user's data
    assert tables.images(RUN).keys() == tables.TAKEN["toy"].keys()


def test_a_run_without_a_table_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"there is a table for toy, .*, got 'coco'"):
        tables.take([write(tmp_path / "run", {**PHOTOGRAPHS, "what": "coco"})], "a machine", {})


def test_tables_show_what_was_measured(results) -> None:
    blocks = {name: block(results) for name, block in tables.BLOCKS.items()}
    assert "| test: right | 12.50 | 12.50 | 12.50 |  | 50.00 |" in blocks["toy"], "chance comes before what was reached"
    assert "| test: pointing |  |  |  | 6.25 | 87.50 |" in blocks["korean"]
    assert "readable" not in blocks["printed"]
    assert "1,234 steps in 57 s of training (a machine; seed 0)" in blocks["printed"]
    assert "| 0 | 50.00 | 87.50 | 50.00 | 87.50 |\n| 1 | 25.00 | 90.00 | 25.00 | 90.00 |" in blocks["seeds"]
    assert "| lowest to highest | 25.00 to 50.00 | 87.50 to 90.00 |" in blocks["seeds"]
    assert "| toy, test: pointing | 90.00 | 87.50 |" in blocks["promises"]
    assert "| soft | 50.00 | 50.00 | 87.50 | 7 |" in blocks["comparison"]
    assert "| CIDEr-D | 50.2 | 50.2 |" in blocks["flickr8k"]
    assert "| here, reached, dev | 59.0 | 58.0 | 57.0 | 56.0 |" in blocks["beside-the-paper"]
    assert "| hard attention (Xu et al.), test | 67.0 | 45.7 | 31.4 | 21.3 |" in blocks["beside-the-paper"]
    assert "| Captioner | 2.0 | 2.0 | 2.00 (1.00 to 3.00) | 2.00 (1.00 to 3.00) |" in blocks["decode"]
    assert "| plainest loop | 2 | 1 |" in blocks["step"]
    assert "not measured yet" in tables.BLOCKS["promises"]({})


def test_the_readme_has_room_for_what_will_be_measured(results) -> None:
    text = (ROOT / "show_attend_tell" / "README.md").read_text(encoding="utf-8")
    assert len(of_all.filled(text, tables, results).split()) <= 2000


def test_bench_writes_a_part_and_refuses_no_repetition(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(bench.PARTS, "step", lambda repetitions: ("the table", {"repeated": repetitions}))
    assert bench.measure("step", 4, tmp_path) == f"the table\n{tmp_path / 'step' / 'results.json'}"
    written = json.loads((tmp_path / "step" / "results.json").read_text())
    assert written["what"] == "step"
    assert written["rows"] == {"repeated": 4}
    with pytest.raises(ValueError, match="--repetitions must be at least 1, got 0"):
        bench.measure("step", 0, tmp_path)
