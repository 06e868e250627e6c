"""Flickr8k (Hodosh et al. 2013): photographs with five captions each, and any folder of the same layout.

DIR/captions.csv        image,caption: a line for each caption
DIR/images/NAME         the images
DIR/train.txt, dev.txt  the names of the images of each split, one a line; test.txt if there is one
"""

from pathlib import Path

from lab.captions import caption_lines
from show_attend_tell.datasets.captioned import CaptionedImages, checked
from show_attend_tell.extensions.metrics.words import caption_words

SPLITS = {"train": True, "dev": True, "test": False}  # whether the file must be there


def read_flickr8k(root: Path) -> CaptionedImages:
    """All images and captions.

    Raises:
        ValueError: if a file is missing, or a line is wrong. It names the file and the line.
    """
    folder = root / "images"
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    captions = read_captions(root / "captions.csv")
    splits = {
        split: read_names(root / f"{split}.txt", split)
        for split, needed in SPLITS.items()
        if needed or (root / f"{split}.txt").exists()
    }
    names = {*captions, *(name for listed in splits.values() for name in listed)}
    return checked({name: folder / name for name in names}, captions, splits, root / "captions.csv")


def read_unseen(folder: Path, file: Path) -> CaptionedImages:
    """Other images to judge a model on: ``file`` is a captions.csv, ``folder`` has the images. They are the split test.

    Raises:
        ValueError: as ``read_flickr8k``.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    captions = read_captions(file)
    return checked({name: folder / name for name in captions}, captions, {"test": list(captions)}, file)


def read_captions(path: Path) -> dict[str, list[str]]:
    """The captions of each image, in the order of the file.

    Raises:
        ValueError: if the file cannot be read, or a line has other columns or a caption without a word.
    """
    captions: dict[str, list[str]] = {}
    for _, name, caption in caption_lines(path, caption_words):
        captions.setdefault(name, []).append(caption)
    return captions


def read_names(path: Path, split: str) -> list[str]:
    """The names in a split's file, each once, in its order.

    Raises:
        ValueError: if the file cannot be read, or there is no name.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file; it must name the images of {split}, one a line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    names = list(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if not names:
        raise ValueError(f"{path}: there is no name")
    return names
