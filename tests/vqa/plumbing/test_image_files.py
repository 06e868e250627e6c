"""Image files become RGB squares; a damaged file is named in one line."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from lab.images import load_image


def save(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def test_images_of_the_right_size_keep_their_pixels_in_the_given_order(tmp_path) -> None:
    rng = np.random.default_rng(0)
    arrays = rng.integers(0, 256, (5, 8, 8, 3))
    paths = [save(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate(arrays)][::-1]
    images = torch.stack([load_image(path, 8) for path in paths])
    assert images.dtype == torch.uint8
    assert torch.equal(images, torch.from_numpy(arrays[::-1].copy()).permute(0, 3, 1, 2).byte())


def test_other_sizes_and_modes_become_rgb_squares(tmp_path) -> None:
    wide = np.zeros((4, 12, 3))
    wide[:, 6:, 0] = 200  # right half: red
    gray, clear = np.full((9, 6), 77), np.full((6, 6, 4), 50)  # clear: its alpha is 50 of 255
    paths = [save(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate((wide, gray, clear))]
    red, same, over_white = (load_image(path, 6) for path in paths)
    assert red[0, :, 0].tolist() == [0] * 6
    assert red[0, :, -1].tolist() == [200] * 6
    assert not red[1:].any()
    assert (same == 77).all()
    assert (over_white == round((50 * 50 + (255 - 50) * 255) / 255)).all()


def test_files_that_are_not_images_are_named(tmp_path) -> None:
    good = save(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (40, 40, 3)))
    cases = {"text.png": b"not an image", "empty.png": b"", "cut.png": good.read_bytes()[: good.stat().st_size // 2]}
    Image.open(good).save(tmp_path / "good.jpg")
    cases["cut.jpg"] = (tmp_path / "good.jpg").read_bytes()[:800]
    for name, byte in (("length.png", 36), ("pixels.png", 60)):  # the length of the chunk of pixels, and a pixel
        damaged = bytearray(good.read_bytes())
        damaged[byte] ^= 255
        cases[name] = bytes(damaged)
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: not an image, or damaged") as caught:
            load_image(tmp_path / name, 40)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"gone\.png: there is no such file"):
        load_image(tmp_path / "gone.png", 40)
    with pytest.raises(ValueError, match="not an image, or damaged"):
        load_image(tmp_path, 40)
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        load_image(good, 0)
