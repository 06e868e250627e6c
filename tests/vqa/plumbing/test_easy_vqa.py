"""The official split of easy-VQA, counted; and what a wrong file or a missing package says."""

import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from vqa.datasets.easy_vqa import kind_of_question, read_easy_vqa
from vqa.datasets.images import load_image
from vqa.metric import vqa_accuracy

COLORS = {"red", "green", "gray", "teal", "black", "yellow", "brown", "blue"}
SHAPES = {"circle", "rectangle", "triangle"}


@pytest.fixture(scope="module")
def splits():
    return {split: read_easy_vqa(split) for split in ("train", "test")}


def test_counts_of_the_official_split(splits) -> None:
    train, test = splits["train"], splits["test"]
    assert (len(train), len(test)) == (38_575, 9_673)
    assert len(train) + len(test) == 48_248
    images = {split: {record.image for record in records} for split, records in splits.items()}
    assert {split: len(paths) for split, paths in images.items()} == {"train": 4_000, "test": 1_000}
    assert not images["train"] & images["test"]
    for records in splits.values():
        assert {record.answers[0] for record in records} == COLORS | SHAPES | {"yes", "no"}  # 13 answers
        assert all(len(record.answers) == 1 for record in records)


def test_always_yes_is_right_in_three_of_eight(splits) -> None:
    test = splits["test"]
    accuracy = sum(vqa_accuracy("yes", record.answers) for record in test) / len(test)
    assert accuracy == pytest.approx(0.373, abs=0.0005)


def test_a_kind_fits_its_answers(splits) -> None:
    for records in splits.values():
        answers = {kind: Counter() for kind in ("color", "shape", "presence", "absence")}
        for record in records:
            answers[record.kind][record.answers[0]] += 1
        assert set(answers["color"]) == COLORS
        assert set(answers["shape"]) == SHAPES
        assert set(answers["presence"]) == set(answers["absence"]) == {"yes", "no"}
        for kind, frequent in (("presence", "no"), ("absence", "yes")):
            assert answers[kind][frequent] / answers[kind].total() == pytest.approx(0.82, abs=0.02)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what color is the triangle?", "color"),
        ("what is the color of the shape?", "color"),
        ("what is the blue shape?", "shape"),
        ("what shape does the image contain?", "shape"),
        ("does the image contain a circle?", "presence"),
        ("is a brown shape present?", "presence"),
        ("does the image not contain a circle?", "absence"),
        ("is no brown shape present?", "absence"),
    ],
)
def test_kind_of_question(question: str, kind: str) -> None:
    assert kind_of_question(question) == kind


def test_a_question_is_about_its_picture(splits) -> None:
    """The shape that "what color is the shape?" is about covers the picture's darkest or most coloured pixels."""
    named = {"red": (255, 0, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}
    asked = [r for r in splits["test"] if r.question == "what color is the shape?" and r.answers[0] in named][:30]
    pictures = [load_image(record.image, 64) for record in asked]
    for record, picture in zip(asked, pictures, strict=True):
        color = torch.tensor(named[record.answers[0]]).view(3, 1, 1)
        near = (picture.int() - color).abs().amax(0) < 90
        assert near.sum() > 30, f"{record.image.name} shows no {record.answers[0]} shape"


def test_missing_package_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "easy_vqa", None)  # what makes an import fail
    with pytest.raises(ValueError, match=r'pip install "multimodal-from-scratch\[real\]"'):
        read_easy_vqa("train")


def test_unknown_split() -> None:
    function = getattr(read_easy_vqa, "__wrapped__", read_easy_vqa)  # without the check of its annotations
    with pytest.raises(ValueError, match="split must be 'train' or 'test', got 'val'"):
        function("val")


def picture(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels.astype(np.uint8)).save(path)
    return path


def test_images_of_the_right_size_keep_their_pixels_in_the_given_order(tmp_path) -> None:
    rng = np.random.default_rng(0)
    arrays = rng.integers(0, 256, (5, 8, 8, 3))
    paths = [picture(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate(arrays)][::-1]
    images = torch.stack([load_image(path, 8) for path in paths])
    assert images.dtype == torch.uint8
    assert torch.equal(images, torch.from_numpy(arrays[::-1].copy()).permute(0, 3, 1, 2).byte())


def test_other_sizes_and_modes_become_rgb_squares(tmp_path) -> None:
    wide = np.zeros((4, 12, 3))
    wide[:, 6:, 0] = 200  # right half: red
    gray, clear = np.full((9, 6), 77), np.full((6, 6, 4), 50)
    paths = [picture(tmp_path / f"{i}.png", pixels) for i, pixels in enumerate((wide, gray, clear))]
    red, same, dark = (load_image(path, 6) for path in paths)
    assert red[0, :, 0].tolist() == [0] * 6
    assert red[0, :, -1].tolist() == [200] * 6
    assert not red[1:].any()
    assert (same == 77).all()
    assert (dark == 50).all()


def test_files_that_are_no_pictures_are_named(tmp_path) -> None:
    good = picture(tmp_path / "good.png", np.random.default_rng(0).integers(0, 256, (40, 40, 3)))
    cases = {"text.png": b"not a picture", "empty.png": b"", "cut.png": good.read_bytes()[: good.stat().st_size // 2]}
    Image.open(good).save(tmp_path / "good.jpg")
    cases["cut.jpg"] = (tmp_path / "good.jpg").read_bytes()[:800]
    for name, byte in (("length.png", 36), ("pixels.png", 60)):  # the length of the pixels' chunk, and a pixel
        damaged = bytearray(good.read_bytes())
        damaged[byte] ^= 255
        cases[name] = bytes(damaged)
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: not a picture, or damaged") as caught:
            load_image(tmp_path / name, 40)
        assert "\n" not in str(caught.value)
    with pytest.raises(ValueError, match=r"gone\.png: there is no such file"):
        load_image(tmp_path / "gone.png", 40)
    with pytest.raises(ValueError, match="not a picture, or damaged"):
        load_image(tmp_path, 40)
    with pytest.raises(ValueError, match="size must be at least 1 pixel, got 0"):
        load_image(good, 0)
