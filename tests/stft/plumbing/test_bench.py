"""The bench of the transform: both sides of a row compute the same, and the numbers are those of the table."""

import json

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from stft.report.bench import SIZES, Row, fft_rows, measure, stft_rows

pytestmark = pytest.mark.usefixtures("float32")


def as_tensor(result) -> torch.Tensor:
    """A peer may give numpy's array, or (real, imaginary) in a last dimension of two."""
    result = torch.from_numpy(np.ascontiguousarray(result)) if isinstance(result, np.ndarray) else result
    return torch.view_as_complex(result.contiguous()) if result.shape[-1] == 2 else result


@pytest.mark.parametrize(("n_fft", "hop"), SIZES)
def test_both_sides_compute_the_same(n_fft: int, hop: int) -> None:
    """Also the gradients, where a row is about them; they are sums over many frames, hence the wider tolerance."""
    rows = stft_rows(n_fft, hop, 0.15)
    assert len(rows) == 9
    for row in rows:
        ours, peer = as_tensor(row.ours()), as_tensor(row.peer())
        assert ours.shape == peer.shape, row.name
        assert float((ours - peer).abs().max()) <= 5e-5 * float(peer.abs().max()), row.name


def test_both_ffts_compute_the_same() -> None:
    for row in [*fft_rows(1024, 5), *fft_rows(1000, 3)]:
        assert_close(row.ours(), row.peer(), rtol=1e-4, atol=1e-2)


def test_the_table_and_the_results(tmp_path, monkeypatch) -> None:
    few = [Row("a peer", lambda: None, lambda: None, (1e9, 0.0)), Row("another", lambda: None, lambda: None)]
    monkeypatch.setattr("stft.report.bench.stft_rows", lambda n_fft, hop, seconds: few if n_fft == 400 else [])
    monkeypatch.setattr("stft.report.bench.fft_rows", lambda n, batch: [])
    out = measure(3, 0.1, tmp_path / "results.json")
    head, rule, first, second = out.split("\n\n")[0].split("\n")
    assert head.split() == ["what", "ours", "/", "peer", "ours", "(ms)", "must", "moonshot"]
    assert set(rule) == {"-", " "}
    assert first.startswith("a peer")
    assert first.split()[-4:] == ["≤", "1000000000.0", "≤", "0.0"]
    assert second.startswith("another")
    assert "≤" not in second
    assert "3 repetitions" in out
    assert out.endswith(str(tmp_path / "results.json"))
    content = json.loads((tmp_path / "results.json").read_text())
    assert (content["paper"], content["what"], content["repetitions"]) == ("stft", "speed", 3)
    assert content["rows"].keys() == {"a peer", "another"}
    row = content["rows"]["a peer"]
    assert row["targets"] == [1e9, 0.0]
    assert row["ratio"].keys() == row["milliseconds"].keys() == {"low", "median", "high"}
    assert row["ratio"]["median"] > 0


def test_the_ratio_is_that_of_the_medians(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("stft.report.bench.stft_rows", lambda n_fft, hop, seconds: [Row(str(n_fft), print, print)])
    monkeypatch.setattr("stft.report.bench.fft_rows", lambda n, batch: [])
    monkeypatch.setattr(
        "stft.report.bench.alternately", lambda works, n: {"ours": [1.0, 2.0, 9.0], "peer": [2.0, 4.0, 3.0]}
    )
    measure(3, 0.1, tmp_path / "results.json")
    row = json.loads((tmp_path / "results.json").read_text())["rows"]["400"]
    assert row["ratio"] == {"low": 0.5, "median": pytest.approx(2 / 3), "high": 1.75}
    assert row["milliseconds"]["median"] == 2000
