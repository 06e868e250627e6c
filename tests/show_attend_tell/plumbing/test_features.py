"""A folder of features that another network made: read, and every other one is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from show_attend_tell.datasets.features import FeatureFolder, check_width


def write_features(folder: Path, shapes: dict[str, tuple[int, ...]], dtype=np.float32) -> Path:
    folder.mkdir()
    for k, (name, shape) in enumerate(shapes.items()):
        np.save(folder / f"{name}.npy", np.full(shape, k, dtype))
    return folder


def test_a_folder_of_features(tmp_path, capsys) -> None:
    folder = write_features(tmp_path / "features", {"a.jpg": (5, 3), "b": (5, 3), "other": (4, 4)})
    vectors = FeatureFolder(folder, ["a.jpg", "b.png", "c.jpg"])
    assert (vectors.places, vectors.channels) == (5, 3)
    assert ["a.jpg" in vectors, "b.png" in vectors, "c.jpg" in vectors] == [True, True, False]
    assert torch.equal(vectors(["b.png", "a.jpg"]), torch.tensor([1.0, 0.0])[:, None, None].expand(2, 5, 3))
    assert torch.equal(vectors.blank(), torch.full((5, 3), 0.5)), "the mean of all"
    assert capsys.readouterr().err.splitlines() == [
        f"left out: {folder / 'c.jpg'}.npy: there is no such file",
        "left out in all: 1 of 3 images have no features",
    ]


@pytest.mark.parametrize(
    ("shape", "dtype", "error"),
    [
        ((5, 4), np.float32, r"b\.npy: must be \(5, 3\) as a\.npy is, got \(5, 4\)"),
        ((6, 3), np.float16, r"b\.npy: must be \(5, 3\) as a\.npy is, got \(6, 3\)"),
        ((15,), np.float32, r"b\.npy: must have the shape \(L, D\) in floating point, got \(15,\)"),
        ((5, 3), np.int64, r"b\.npy: must have the shape \(L, D\) in floating point, .* int64"),
    ],
)
def test_features_of_another_shape_are_named(tmp_path, shape: tuple[int, ...], dtype: type, error: str) -> None:
    folder = write_features(tmp_path / "features", {"a": (5, 3)})
    np.save(folder / "b.npy", np.zeros(shape, dtype))
    with pytest.raises(ValueError, match=error):
        FeatureFolder(folder, ["a.jpg", "b.jpg"])


def test_other_wrong_features_are_named(tmp_path) -> None:
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        FeatureFolder(tmp_path / "nowhere", ["a.jpg"])
    folder = write_features(tmp_path / "features", {"a": (5, 3)})
    with pytest.raises(ValueError, match=r"there is no b\.jpg\.npy, nor one of any other image"):
        FeatureFolder(folder, ["b.jpg"])
    (folder / "b.npy").write_bytes(b"no array")
    with pytest.raises(ValueError, match=r"b\.npy: not a NumPy file, or damaged"):
        FeatureFolder(folder, ["a.jpg", "b.jpg"])
    with pytest.raises(ValueError, match=r"^run 'x' reads annotation vectors of 512 numbers, got features of 3$"):
        check_width(FeatureFolder(folder, ["a.jpg"]), 512, "run 'x'")
