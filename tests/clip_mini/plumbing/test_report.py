"""The chapter of the tour, and the tables that are made from results."""

import json
from pathlib import Path

import pytest
from torch import nn

from clip_mini.evaluate import ACCURACY, PROMISES, UNSEEN
from clip_mini.report import bench, tables
from clip_mini.report.chapter import CHAPTERS, clip_chapter
from clip_mini.train import CONFIGS
from lab.training import Trained

RECALL = {"image→text R@1": 0.25, "image→text R@5": 0.5, "text→image R@1": 0.75, "text→image R@5": 1.0}
SPLITS = {
    "test": {"chance": dict.fromkeys(RECALL, 0.1), "reached": RECALL},
    "compositional": {"chance": dict.fromkeys(RECALL, 0.1), "reached": RECALL},
    "zero-shot, unseen pairs": {"chance": {"accuracy": 0.02}, "reached": {"accuracy": 0.875}},
}
RUN = {
    "paper": "clip_mini",
    "what": "toy",
    "data": {"data": "toy", "root": "/secret"},
    "command": "python -m clip_mini --root /secret/place",
    "config": {"seed": 3, "image_encoder": "cnn", "language": "english"},
    "steps": 1234,
    "seconds": 56.7,
    "splits": SPLITS,
    "validation": [{"steps": 1, "score": 0.5}],
}


def write(folder: Path, content: dict) -> Path:
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_the_chapter_compares_every_promise() -> None:
    promises = {("toy", "test", "image→text R@1"): 0.3, ("toy", "zero-shot, unseen pairs", "accuracy"): 0.8}
    chapter = clip_chapter("toy", CONFIGS["toy"], {**promises, ("emoji", "openmoji", "image→text R@1"): 0.4})
    results = {"splits": SPLITS, "seconds": 9.0}
    page = chapter.tell(Trained(Path("run"), nn.Module(), results, [Path("example.png"), Path("retrieval.png")]))
    assert [(row.measured, row.chance, row.reached, row.promised, row.kept) for row in page.rows] == [
        ("test: image→text R@1", 0.1, 0.25, 0.3, False),
        ("zero-shot, unseen pairs: accuracy", 0.02, 0.875, 0.8, True),
    ]
    assert (page.seconds, [one.path for one in page.exhibits]) == (9.0, [Path("retrieval.png")])
    assert {data for data, _, _ in PROMISES} == {chapter.name for chapter in CHAPTERS}


@pytest.mark.parametrize(
    ("changes", "entry"),
    [
        ({}, "toy"),
        ({"seed": 2}, "toy-seed-2"),
        ({"language": "korean"}, "korean"),
        ({"image_encoder": "vit"}, "toy-vit"),
    ],
)
def test_a_run_is_taken_under_its_name(tmp_path, changes: dict, entry: str) -> None:
    folder = write(tmp_path / "run", {**RUN, "config": {**RUN["config"], "seed": 0, **changes}})
    taken = tables.take([folder], "a machine", {"emoji": {"kept": True}})
    assert set(taken) == {entry, "emoji"}
    assert taken[entry]["machine"] == "a machine"
    assert "validation" not in taken[entry]  # the history stays behind
    assert "secret" not in json.dumps(taken)  # and so does the path of the user's data


def test_a_run_without_a_table_is_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"there is a table for toy, .*, got 'shards'"):
        tables.take([write(tmp_path / "run", {**RUN, "what": "shards"})], "a machine", {})


def test_tables_show_what_was_measured() -> None:
    results = {"toy": {**RUN, "machine": "a machine"}}
    assert "| test: text→image R@5 | 10.00 | 100.00 |" in tables.BLOCKS["toy"](results)
    printed = tables.BLOCKS["printed"](results)
    assert "R@5" not in printed
    assert "zero-shot, unseen pairs: accuracy" in printed
    assert "1,234 steps in 57 s of training (a machine; seed 3)" in printed
    variants = {name: {"splits": SPLITS, "seconds": 7.4} for name in ("one", "two")}
    entry = {"variants": variants, "command": "c", "steps": 5, "machine": "m", "seed": 0}
    table = tables.BLOCKS["comparison"]({"comparison": entry})
    assert "| one | 25.00 | 75.00 | 25.00 | 75.00 | 7 |" in table
    assert "| chance | 10.00 | 10.00 | 10.00 | 10.00 |" in table


def test_each_seed_is_a_row() -> None:
    promised = {"image→text R@1": 0.5, "text→image R@1": 0.25}
    splits = {name: {"reached": promised} for name in ("test", "compositional")}
    splits[UNSEEN] = {"reached": {ACCURACY: 0.75}}
    results = {name: {"splits": splits, "config": {"seed": k}} for k, name in enumerate(("toy", "toy-seed-1"))}
    assert tables.BLOCKS["seeds"](results).splitlines()[2:] == [
        f"| {seed} | 50.00 | 25.00 | 50.00 | 25.00 | 75.00 |" for seed in (0, 1)
    ]


def test_bench_writes_a_part_and_refuses_no_repetition(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(bench.bench_step, "measure", lambda repetitions: ("the table", {"repeated": repetitions}))
    assert bench.measure("step", 4, tmp_path) == f"the table\n{tmp_path / 'step' / 'results.json'}"
    written = json.loads((tmp_path / "step" / "results.json").read_text())
    assert written["what"] == "step"
    assert written["rows"] == {"repeated": 4}
    with pytest.raises(ValueError, match="repetitions must be at least 1, got 0"):
        bench.measure("step", 0, tmp_path)
