"""The bench's loops do the same work; the chapter's rows stand beside the promises."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from cgan.extensions.gradient_penalty import PICTURE_CONFIGS
from cgan.report import bench
from cgan.report.chapter import CHAPTERS, gan_chapter
from cgan.train import CONFIGS
from lab.training import Trained

SMALL = {
    "ring": replace(CONFIGS["ring"], batch=8, hidden=6),
    "digits": replace(PICTURE_CONFIGS["digits"], batch=4, hidden=4, channels=4),
}


@pytest.mark.parametrize("data", SMALL)
def test_the_plainest_loop_ends_with_the_same_weights(data: str) -> None:
    found = bench.candidates(SMALL[data])
    before = [weight.clone() for weight in found[bench.OURS][0].parameters()]
    bench.check_same(found)
    after = list(found[bench.OURS][0].parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True)), "some weights do not learn"


def test_another_loop_is_noticed(monkeypatch) -> None:
    monkeypatch.setattr(bench, "value", lambda real, fake: 2 * (real.mean() - fake.mean()))
    with pytest.raises(RuntimeError, match="the same weights"):
        bench.check_same(bench.candidates(SMALL["ring"]))


def test_bench_table(monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "CONFIGS", {"ring": SMALL["ring"]})
    monkeypatch.setattr(bench, "PICTURE_CONFIGS", {"digits": SMALL["digits"]})
    bench.Cgan(repetitions=2).execute("python -m bench cgan")
    said = capsys.readouterr().out
    assert "ring" in said
    assert "digits" in said
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
    assert page.images == (Path("ring.png"),)
    assert [(chapter.paper, chapter.name) for chapter in CHAPTERS] == [("cgan", "ring"), ("cgan", "digits")]
