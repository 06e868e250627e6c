"""The last number of vectors that is searched exactly, and validation on scenes that no training sees."""

import pytest
import torch

from clip_mini.datasets import sources
from clip_mini.extensions import search
from clip_mini.train import Config


def test_codes_are_learned_from_the_fewest_vectors_on(tmp_path, monkeypatch) -> None:
    pytest.importorskip("faiss")
    monkeypatch.setattr(search, "FEWEST", 64)
    index = search.FaissIndex(tmp_path, 4, "key")
    vectors = torch.nn.functional.normalize(torch.randn(64, 4, generator=torch.Generator().manual_seed(0)))
    index.add(vectors[:63])
    index.search(vectors[:1], 3)
    assert index.index is None, "63 vectors are searched exactly"
    index.add(vectors[63:])
    index.search(vectors[:1], 3)
    assert index.index.ntotal == 64


@pytest.mark.parametrize("seed", [0, 7])
def test_no_training_sees_the_scenes_of_the_validation(monkeypatch, seed: int) -> None:
    """Training has the seeds that people give; a run with seed 1 must not learn what one with seed 0 is chosen by."""
    asked, original = [], sources.toy_examples

    def few(*given):
        asked.append(given[2:5])
        return original(*given[:4], 2, *given[5:])

    monkeypatch.setattr(sources, "toy_examples", few)
    source = sources.ToySource(Config(seed=seed))
    source.validation()
    source.test("compositional")
    assert asked == [("train", seed + 1_000_000, 256), ("compositional", 0, 256)]
