"""``python -m clip_mini compare`` from end to end: a run for each objective, one figure, one table."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from clip_mini import figures
from clip_mini.__main__ import main
from clip_mini.commands import compare, task
from clip_mini.datasets import sources
from clip_mini.extensions.objectives import OBJECTIVES, with_objective
from clip_mini.figures import draw_comparison
from clip_mini.train import Config
from lab.seeding import seed_everything
from tests.pictures import blank_figures, check_texts, keep_figures
from tests.refusals import check_refused

TINY = [
    "compare", "--device", "cpu", "--pairs", "4", "--image-size", "16", "--channels", "4", "8", "--heads", "2",
    "--text-width", "8", "--text-layers", "1", "--text-heads", "2", "--common", "8", "--warmup", "1",
]  # fmt: skip
FOLDER = Path("runs/clip_mini/compare/toy")


@pytest.fixture
def work(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for module, name in ((sources, "TOY_TEST"), (sources, "TOY_VALIDATION"), (task, "ZERO_SHOT")):
        monkeypatch.setattr(module, name, 6)  # scenes
    monkeypatch.setattr("lab.training.advise_on_threads", lambda: None)
    blank_figures(monkeypatch)


def test_compare_trains_every_objective_and_shows_them_side_by_side(work, monkeypatch, capsys) -> None:
    main([*TINY, "--steps", "2"])
    out = capsys.readouterr().out
    assert out.splitlines()[-1] == str(FOLDER / "comparison.png")
    Image.open(FOLDER / "comparison.png").verify()
    results = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    assert (results["what"], results["steps"]) == ("comparison", 2)
    assert list(results["variants"]) == list(OBJECTIVES)
    for name, variant in results["variants"].items():
        assert {"test", "compositional"} < set(variant["splits"])
        assert variant["splits"]["test"]["chance"]["image→text R@1"] == 1 / 6
        own = json.loads((FOLDER / name / "results.json").read_text(encoding="utf-8"))
        assert own["config"]["objective"] == name
        assert own["splits"] == variant["splits"]
        recall = variant["splits"]["test"]["reached"]["image→text R@1"]
        assert f"{recall:.2%}" in next(line for line in out.splitlines() if line.startswith(f"{name} "))
    monkeypatch.setattr(compare, "train_relative", lambda *arguments: pytest.fail("a step was taken"))
    main([*TINY, "--steps", "2", "--resume"])  # all are finished: nothing is trained again
    assert capsys.readouterr().out == out
    refused = "compare/toy/contrastive holds a finished run of another configuration (steps was 2 and is 3 now)"
    check_refused(main, [*TINY, "--steps", "3"], refused, capsys)


def test_wrong_input_is_one_line(work, capsys) -> None:
    check_refused(main, [*TINY, "--pairs", "1"], "pairs must be greater than or equal to 2, got 1", capsys)
    check_refused(main, [*TINY, "--run", "../elsewhere"], "--run must be a name", capsys)


def test_all_objectives_begin_with_the_same_encoders(work) -> None:
    weights = []
    for name in ("contrastive", "recipe"):
        seed_everything(0)
        model = compare.RelativeTask(with_objective(Config(image_size=16), name)).build()["model"]
        weights.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    assert torch.equal(*weights)


def test_figure_takes_any_number_of_objectives_and_splits(tmp_path, monkeypatch) -> None:
    reached = {"image→text R@1": 0.5, "text→image R@1": 1.0}
    one = {"splits": {"test": {"reached": reached}}, "validation": [{"steps": 5, **reached}]}
    for names in (["a"], [f"objective {k}" for k in range(8)]):
        kept = keep_figures(monkeypatch, figures)
        draw_comparison(tmp_path / "figure.png", dict.fromkeys(names, one), 1 / 256)
        check_texts(kept[0])
        (panel,) = kept[0].subfigs[0].axes
        assert [label.get_text() for label in panel.get_yticklabels()] == names
        assert [round(bar.get_width()) for bar in panel.patches] == [50] * len(names) + [100] * len(names)
