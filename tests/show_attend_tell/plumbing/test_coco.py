"""Karpathy's JSON: which split an image belongs to, where its file is, and what is wrong, in one line each."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from show_attend_tell.datasets.coco import read_coco
from tests.show_attend_tell.plumbing.photographs import captions_of, name_of, write_coco


@pytest.mark.parametrize("filepath", [True, False])
def test_images_captions_and_splits(tmp_path, capsys, filepath: bool) -> None:
    images = read_coco(write_coco(tmp_path, filepath))
    assert images.splits["train"] == [name_of(k) for k in range(12)], "restval belongs to train"
    assert images.splits["dev"] == [name_of(k) for k in (12, 13, 14)]
    assert images.splits["test"] == [name_of(15)]
    assert images.captions[name_of(4)] == [text.lower().replace(" .", "") for text in captions_of(4)]
    assert images.paths[name_of(4)] == tmp_path / ("val2014" if filepath else "images") / name_of(4)
    assert capsys.readouterr().err == ""


def test_captions_without_image_are_named_counted_and_left_out(tmp_path, capsys) -> None:
    root = write_coco(tmp_path)
    (root / "val2014" / name_of(2)).unlink()
    assert name_of(2) not in read_coco(root).splits["train"]
    named, counted = capsys.readouterr().err.splitlines()
    assert named == f"left out: {root / 'val2014' / name_of(2)}: there is no such file for its 2 captions"
    assert counted == "left out in all: 1 of 16 images have no file"


def edit(root: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    file = root / "dataset_coco.json"
    content = json.loads(file.read_text())
    change(content["images"])
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda images: images[2].pop("split"), r"images\[2\]: the key 'split' is missing"),
        (lambda images: images[2].update(split="dev"), r"images\[2\]: 'split' must be train, restval, val, test"),
        (lambda images: images[2].update(sentences="a dog"), r"images\[2\]: 'sentences' must be of type list, got str"),
        (lambda images: images[2]["sentences"][1].update(tokens=[]), r"images\[2\]\.sentences\[1\]: the caption of"),
        (lambda images: images[2].update(filename=name_of(1)), r"images\[2\]: 01\.png comes twice"),
        (lambda images: [image.update(split="train") for image in images], "no image is in the split dev"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path, change: Callable, error: str) -> None:
    root = write_coco(tmp_path)
    edit(root, change)
    with pytest.raises(ValueError, match=error):
        read_coco(root)


def test_a_wrong_file_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"there is no dataset_coco\.json, dataset_flickr8k\.json or"):
        read_coco(tmp_path)
    (tmp_path / "dataset_coco.json").write_text("[1,")
    with pytest.raises(ValueError, match=r"dataset_coco\.json: not JSON"):
        read_coco(tmp_path)
    (tmp_path / "dataset_coco.json").write_text("[]")
    with pytest.raises(ValueError, match=r"dataset_coco\.json: the key 'images' is missing"):
        read_coco(tmp_path)
