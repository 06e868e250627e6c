"""Flickr8k's layout: what is read, what is left out and counted, and what is wrong, in one line each."""

from pathlib import Path

import pytest

from show_attend_tell.datasets.captioned import NAMED
from show_attend_tell.datasets.flickr8k import read_flickr8k, read_unseen
from show_attend_tell.extensions.metrics.words import caption_words
from tests.show_attend_tell.plumbing.photographs import captions_of, name_of, write_flickr8k


@pytest.fixture
def root(tmp_path) -> Path:
    return write_flickr8k(tmp_path)


def test_words_are_those_that_bleu_counts() -> None:
    assert caption_words("A man 's T-shirt , 2 dogs .") == ["a", "man", "'s", "t", "shirt", "2", "dogs"]


def test_images_captions_and_splits(root, capsys) -> None:
    images = read_flickr8k(root)
    assert images.splits == {"train": [name_of(k) for k in range(12)], "dev": [name_of(k) for k in range(12, 16)]}
    assert images.captions[name_of(5)] == captions_of(5)
    assert images.paths[name_of(5)] == root / "images" / name_of(5)
    assert capsys.readouterr().err == ""


def test_captions_without_image_are_named_counted_and_left_out(root, capsys) -> None:
    for k in (2, 13):
        (root / "images" / name_of(k)).unlink()
    images = read_flickr8k(root)
    assert name_of(2) not in images.splits["train"]
    assert name_of(13) not in images.splits["dev"]
    *named, counted = capsys.readouterr().err.splitlines()
    assert named == [
        f"left out: {root / 'images' / name_of(k)}: there is no such file for its 2 captions" for k in (2, 13)
    ]
    assert counted == "left out in all: 2 of 16 images have no file"


def test_only_some_are_named_but_all_are_counted(root, capsys) -> None:
    for k in range(11):
        (root / "images" / name_of(k)).unlink()
    read_flickr8k(root)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == NAMED + 1
    assert lines[-1].startswith("left out in all: 11 of 16")


def test_an_image_without_caption_is_named_and_left_out(root, capsys) -> None:
    (root / "dev.txt").write_text("unknown.png\n" + name_of(14))
    assert read_flickr8k(root).splits["dev"] == [name_of(14)]
    assert f"left out: unknown.png has no caption in {root / 'captions.csv'}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("00.png, . !", r"captions.csv:34: the caption of '00.png' has no word, got ' . !'"),
        ("00.png,", r"captions.csv:34: the caption of '00.png' has no word, got ''"),
        ("00.png,a,b", r"captions.csv:34: must have 2 columns, image and caption, got 3"),
        ('00.png,"a', r"captions.csv: cannot be read \("),
    ],
)
def test_a_wrong_line_is_named(root, line: str, error: str) -> None:
    with (root / "captions.csv").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ValueError, match=error):
        read_flickr8k(root)


@pytest.mark.parametrize("name", ["captions.csv", "train.txt", "dev.txt", "images"])
def test_a_missing_file_is_named(root, name: str) -> None:
    (root / name).rename(root / "elsewhere")
    with pytest.raises(ValueError, match=f"{name}: there is no such f"):
        read_flickr8k(root)


def test_other_wrong_files(root) -> None:
    (root / "dev.txt").write_text(name_of(3))
    with pytest.raises(ValueError, match=r"03\.png is in two splits, train and dev"):
        read_flickr8k(root)
    (root / "dev.txt").write_text("\n")
    with pytest.raises(ValueError, match=r"dev\.txt: there is no name"):
        read_flickr8k(root)
    (root / "dev.txt").write_text("unknown.png")
    with pytest.raises(ValueError, match="no image of dev is left, of 1"):
        read_flickr8k(root)
    (root / "captions.csv").write_text("image;caption\n")
    with pytest.raises(ValueError, match="the first line must be 'image,caption'"):
        read_flickr8k(root)


def test_unseen_images(root, capsys) -> None:
    (root / "images" / name_of(9)).unlink()
    images = read_unseen(root / "images", root / "captions.csv")
    assert images.splits == {"test": [name_of(k) for k in range(16) if k != 9]}
    assert "left out in all: 1 of 16 images have no file" in capsys.readouterr().err
    with pytest.raises(ValueError, match="nowhere: there is no such folder"):
        read_unseen(root / "nowhere", root / "captions.csv")
