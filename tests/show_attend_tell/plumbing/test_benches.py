"""The two benches, on small sizes: both sides do the same work, and the tables say what was measured."""

import pytest
import torch

from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.report import bench_decode, bench_step

SMALL = {"images": 3, "hidden": 8, "words": 12}


def test_decode() -> None:
    text, rows = bench_decode.measure(1, **SMALL)
    assert rows.keys() == {"Captioner", "FastDecoder"}
    assert all(row["ratio"]["median"] > 0 for row in rows.values())
    assert "3 images, 49 annotations of 512, LSTM 8, 12 words" in text


def test_step() -> None:
    text, rows = bench_step.measure(1, **SMALL)
    assert rows["milliseconds"].keys() == {"Captioner", "FastCaptioner", "plainest loop"}
    assert "captions of 12 words" in text


def test_other_captions_are_noticed() -> None:
    model = bench_decode.build(8, 12)
    images = torch.randn(4, 3, bench_decode.ANNOTATION, generator=torch.Generator().manual_seed(0))
    found = beam_search(model, images, 2, 4)
    bench_decode.check_same(found, found)
    other = [[one[0]._replace(ids=[5, 5, 5])] for one in found]
    with pytest.raises(RuntimeError, match="both must find the same captions, 4 of 4 differ"):
        bench_decode.check_same(other, found)


def test_another_loss_is_noticed() -> None:
    model = bench_decode.build(8, 12)
    images, captions = torch.randn(2, 3, bench_decode.ANNOTATION), torch.randint(1, 12, (2, 4))
    plain = bench_step.Plain(model)
    bench_step.check_same({"ours": model, bench_step.PLAIN: plain}, images, captions)
    with torch.no_grad():
        plain.cell.bias_hh += 1
    with pytest.raises(RuntimeError, match="ours and plainest loop must have the same loss and gradient"):
        bench_step.check_same({"ours": model, bench_step.PLAIN: plain}, images, captions)
