"""The bench's loops do the same work; the chapter's rows stand beside the promises; the tables by hand."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

from cgan.evaluate import PROMISES
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS
from cgan.extensions.projection import TEXT_CONFIGS
from cgan.report import bench, tables
from cgan.report.chapter import CHAPTERS, gan_chapter
from cgan.train import CONFIGS
from lab.tables import ROOT
from lab.training import Trained

SMALL = {
    "ring": replace(CONFIGS["ring"], batch=8, hidden=6),
    "digits": replace(PICTURE_CONFIGS["digits"], batch=4, hidden=4, channels=4),
    "toy": replace(
        TEXT_CONFIGS["close"], batch=4, joint=4, generator_channels=(4, 3, 2), discriminator_channels=(2, 3, 4)
    ),
}


@pytest.mark.parametrize("data", SMALL)
def test_the_plainest_loop_ends_with_the_same_weights(data: str) -> None:
    bench.check_same(SMALL[data])


@pytest.mark.parametrize("data", SMALL)
def test_all_weights_learn(data: str) -> None:
    for gan, loop in bench.candidates(SMALL[data]).values():
        before = [weight.clone() for weight in gan.parameters()]
        loop()
        assert all(not torch.equal(a, b) for a, b in zip(before, gan.parameters(), strict=True))


def test_another_loop_is_noticed(monkeypatch) -> None:
    monkeypatch.setattr(bench, "value", lambda real, fake: 2 * (real.mean() - fake.mean()))
    with pytest.raises(RuntimeError, match="the same weights"):
        bench.check_same(SMALL["ring"])


def test_bench_table(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "CONFIGS", {"ring": SMALL["ring"]})
    monkeypatch.setattr(bench, "PICTURE_CONFIGS", {"digits": SMALL["digits"]})
    monkeypatch.setattr(bench, "TEXT_CONFIGS", {"close": SMALL["toy"]})
    bench.Cgan(repetitions=2).execute("python -m bench cgan")
    said = capsys.readouterr().out
    assert all(data in said for data in SMALL)
    assert (bench.RESULTS / "step" / "results.json").is_file()
    with pytest.raises(ValueError, match="--repetitions must be at least 1, got 0"):
        bench.Cgan(repetitions=0).execute("")


def test_the_page_of_a_chapter() -> None:
    columns = {"chance": {"within 3σ": 0.12}, "reached": {"within 3σ": 0.94, "worst mode": 0.95}}
    figures = [Path("ring.png"), Path("ring.gif")]
    trained = Trained(Path(), nn.Identity(), {"splits": {"test": columns}, "seconds": 7.0}, figures)
    page = gan_chapter("ring", CONFIGS["ring"]).tell(trained)
    assert [(row.measured, row.chance, row.reached, row.kept) for row in page.rows] == [
        ("within 3σ", 0.12, 0.94, False), ("worst mode", 0.0, 0.95, True)
    ]  # fmt: skip
    assert [one.path for one in page.exhibits] == [Path("ring.png")]
    assert [(chapter.paper, chapter.name) for chapter in CHAPTERS] == [("cgan", "ring"), ("cgan", "digits")]


COLUMNS = [measure for measure in tables.MEASURES if measure != "both as named"]  # of one object
REACHED = {
    "ring": {"within 3σ": 0.98, "worst mode": 0.9},
    "digits": {"obedience": 0.975, "diversity": 0.85},
    **{f"toy-{kind}": {name: 0.9 + 0.01 * k for k, name in enumerate(COLUMNS)} for kind in TEXT_CONFIGS},
}


def run_of(folder: Path, data: str, seed: int, more: float = 0.0, steps: int = 1234, **changes) -> Path:
    """A folder as a training leaves it."""
    reached = {measure: value + more for measure, value in REACHED[data].items()}
    content = {
        "paper": "cgan", "what": data, "data": {"data": data}, "command": "c", "steps": steps,
        "config": {**(asdict(TEXT_CONFIGS[data[4:]]) if data.startswith("toy") else {}), "seed": seed, **changes},
        "seconds": 56.7, "splits": {"test": {"chance": {}, "real": reached, "reached": reached}}, "validation": [],
    }  # fmt: skip
    content |= {"judge": 0.9875} if data != "ring" else {}
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(content), encoding="utf-8")
    return folder


def test_runs_are_taken_over_by_data_and_seed(tmp_path) -> None:
    runs = [("digits", 0, 0.0), ("ring", 2, 0.01), ("ring", 0, 0.0)]
    folders = [run_of(tmp_path / str(k), *run) for k, run in enumerate(runs)]
    results = tables.take(folders, "a machine", {})
    assert list(results) == ["ring", "ring-seed-2", "digits"]
    assert [entry["config"]["seed"] for entry in results.values()] == [0, 2, 0]
    told = tables.BLOCKS["ring-seeds"](results).splitlines()
    assert told[0] == "| ring, seed | within 3σ | worst mode | seconds |"
    assert told[2:] == [
        "| 0 | 0.980 | 0.900 | 57 |",
        "| 2 | 0.990 | 0.910 | 57 |",
        "| lowest to highest | 0.980 to 0.990 | 0.900 to 0.910 |  |",
    ]
    printed = tables.BLOCKS["printed"](results)
    assert "within 3σ" in printed
    assert "`c`: 1,234 steps in 57 s of training (a machine; seed 0)." in printed
    assert "98.75% of the real test digits" in tables.BLOCKS["judge"](results)
    assert "| ring, test: within 3σ | 0.950 | 0.980 |" in tables.BLOCKS["promises"](results)
    with pytest.raises(ValueError, match=r"there is a table for ring, .* got 'ring-seed-99'"):
        tables.take([run_of(tmp_path / "other", "ring", 99)], "", {})
    assert "lowest" not in tables.BLOCKS["digits-seeds"](results), "there is one seed of the digits"
    korean = {"what": "toy-close", "data": {"language": "korean"}, "config": {"seed": 0}, "steps": 1}
    assert tables.entry_of(korean) == "toy-close-korean"
    assert "toy-close-korean" in tables.TAKEN


def test_variants_stand_beside_each_other(tmp_path) -> None:
    short = {"steps": tables.SHORT["close"]}
    runs = [{"penalty": 0.0, "more": -0.1, **short}, {"game": "plain", "more": -0.2, **short}, short, {}]
    folders = [run_of(tmp_path / str(k), "toy-close", 0, **run) for k, run in enumerate(runs)]
    results = tables.take(folders, "a machine", {})
    ablation = [f"toy-ablation{variant}" for variant in ("", "-plain", "-no-penalty")]
    assert list(results) == ["toy-close", *ablation]
    told = tables.BLOCKS["toy-ablations"](results).splitlines()
    assert told[0] == f"| close up | {' | '.join(COLUMNS)} | steps |"
    assert told[2:] == [
        "| everything | 0.900 | 0.910 | 0.920 | 0.930 | 0.940 | 0.950 | 1,000 |",
        "| without wrong pairs (GAN-CLS) | 0.700 | 0.710 | 0.720 | 0.730 | 0.740 | 0.750 | 1,000 |",
        "| without the penalty | 0.800 | 0.810 | 0.820 | 0.830 | 0.840 | 0.850 | 1,000 |",
    ]
    told = tables.BLOCKS["sentences"](results).splitlines()
    assert told[0] == "| test | all named | diversity | true preferred | unseen pairs | judge | seconds |"
    assert told[2:] == ["| toy-close | 0.910 | 0.920 | 0.940 | 0.950 | 0.988 | 57 |"]


def test_each_scene_has_its_own_variants(tmp_path) -> None:
    runs = [
        ("anywhere", {"generator": "whole", "more": -0.5}), ("anywhere", {"discriminator": "untrained"}),
        ("anywhere", {}), ("close", {"discriminator": "paper"}),
    ]  # fmt: skip
    folders = [
        run_of(tmp_path / str(k), f"toy-{kind}", 0, **one, steps=tables.SHORT[kind])
        for k, (kind, one) in enumerate(runs)
    ]
    results = tables.take(folders, "a machine", {})
    ablation = [f"toy-anywhere-ablation{variant}" for variant in ("", "-whole", "-untrained")]
    assert list(results) == ["toy-ablation-paper", *ablation]
    told = tables.BLOCKS["toy-anywhere-ablations"](results).splitlines()
    assert told[0] == f"| anywhere | {' | '.join(COLUMNS)} | steps |"
    assert [row.split(" | ")[0] for row in told[2:]] == [
        "| everything", "| the generator draws the whole picture", "| the discriminator begins untrained"
    ]  # fmt: skip
    assert told[3].endswith("| 0.400 | 0.410 | 0.420 | 0.430 | 0.440 | 0.450 | 500 |")


def test_the_table_of_the_bench() -> None:
    spread = {"low": 0.5, "median": 0.75, "high": 1.0}
    row = {"milliseconds": {bench.OURS: spread, bench.PLAIN: {**spread, "median": 7.0}}, "part": spread}
    entry = {"command": "c", "repetitions": 5, "machine": "m", "rows": {"ring": row}}
    told = tables.step({"step": entry})
    assert told.splitlines()[2] == "| ring | 0.75 (0.50 to 1.00) | 0.8 | 7.0 | ≤ 0.9 | ≤ 0.6 |"
    assert told.endswith("`c`: 5 repetitions in turn (m).")


def test_promises_are_kept_in_the_results() -> None:
    results = json.loads((ROOT / "cgan" / "report" / "results.json").read_text(encoding="utf-8"))
    for (data, split, measure), promised in PROMISES.items():
        for name in tables.names_of(data):
            assert name not in results or results[name]["splits"][split]["reached"][measure] >= promised, name
    for row in results["step"]["rows"].values():
        assert row["part"]["median"] <= bench.MUST
