"""The bench of a training step: both sides compute the same, with less work than in the bench."""

import pytest
import torch

from clip_mini.report import bench_step
from clip_mini.report.bench_step import END, FAST, OURS, build_peer, inputs_of, loss_of, loss_of_peer, measure, same_as


def test_inputs_by_hand() -> None:
    inputs = inputs_of(torch.tensor([3, 1, 5]))
    assert inputs.mask.tolist() == [[1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 1, 1, 1, 1]]
    assert (inputs.texts == END).nonzero().tolist() == [[0, 2], [1, 0], [2, 4]]
    assert (inputs.texts[inputs.mask == 0] == 0).all()


def test_both_sides_have_the_same_loss_and_size() -> None:
    peer, inputs = build_peer(), inputs_of(torch.tensor([3, 32, 5]))
    model = same_as(peer)
    assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in peer.parameters())
    expected = loss_of_peer(peer, inputs, masked=True).item()
    assert loss_of(model, inputs).item() == pytest.approx(expected, abs=1e-5)
    assert loss_of_peer(peer, inputs, masked=False).item() == pytest.approx(expected, abs=1e-5)


def test_table() -> None:
    text, measured = measure(1, pairs=2)
    assert measured.keys() == {"captions", "full texts"}
    assert measured["full texts"]["texts"] == {"longest": 32, "mean": 32.0}
    assert all(row["ratio"].keys() == {OURS, FAST} for row in measured.values())
    assert text.count("\n") == 7


def test_different_work_is_not_timed(monkeypatch) -> None:
    monkeypatch.setattr(bench_step, "loss_of", lambda model, inputs: torch.tensor(0.0))
    with pytest.raises(RuntimeError, match="all candidates must have the same loss"):
        measure(1, pairs=2)
