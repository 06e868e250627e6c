"""COCO, Flickr8k and Flickr30k in Karpathy's splits (Karpathy & Fei-Fei 2015): one JSON file with captions and splits.

    DIR/dataset_coco.json   {"images": [{"filepath": "train2014", "filename": "COCO_….jpg", "split": "train",
                                         "sentences": [{"tokens": ["a", "dog"], …}, …], …}, …], …}
    DIR/train2014/COCO_….jpg, DIR/images/NAME or DIR/NAME: the images

The JSON of Flickr has no "filepath". Other keys are not read. "val" is called dev here, and "restval" (images of COCO's
validation set that others add to the training set) belongs to train.
"""

import json
from pathlib import Path
from typing import Any

from show_attend_tell.datasets.captioned import CaptionedImages, checked
from show_attend_tell.extensions.metrics.words import caption_words

FILES = ("dataset_coco.json", "dataset_flickr8k.json", "dataset_flickr30k.json")
SPLITS = {"train": "train", "restval": "train", "val": "dev", "test": "test"}


def read_coco(root: Path) -> CaptionedImages:
    """All images and captions. A caption is its tokens with spaces between them.

    Raises:
        ValueError: if the file is missing or wrong. It names the entry, and what is wrong with it.
    """
    file = next((root / name for name in FILES if (root / name).exists()), None)
    if file is None:
        raise ValueError(f"{root}: there is no {', '.join(FILES[:-1])} or {FILES[-1]}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError as error:  # wrong JSON, or bytes that are not UTF-8
        raise ValueError(f"{file}: not JSON ({error})") from None
    folder = root / "images" if (root / "images").is_dir() else root
    paths: dict[str, Path] = {}
    captions: dict[str, list[str]] = {}
    splits: dict[str, list[str]] = {"train": [], "dev": []}
    for i, image in enumerate(value_of(content, "images", list, f"{file}")):
        where = f"{file}: images[{i}]"
        name, split = value_of(image, "filename", str, where), value_of(image, "split", str, where)
        if split not in SPLITS:
            raise ValueError(f"{where}: 'split' must be {', '.join(SPLITS)}, got {split!r}")
        if name in paths:
            raise ValueError(f"{where}: {name} comes twice")
        parent = root / value_of(image, "filepath", str, where) if "filepath" in image else folder
        paths[name], captions[name] = parent / name, []
        for j, sentence in enumerate(value_of(image, "sentences", list, where)):
            tokens = value_of(sentence, "tokens", list, f"{where}.sentences[{j}]")
            caption = " ".join(map(str, tokens))
            if not caption_words(caption):
                raise ValueError(f"{where}.sentences[{j}]: the caption of {name!r} has no word, got {tokens}")
            captions[name].append(caption)
        splits.setdefault(SPLITS[split], []).append(name)
    for split, names in splits.items():
        if not names:
            raise ValueError(f"{file}: no image is in the split {split}")
    return checked(paths, captions, splits, file)


def value_of(entry: Any, key: str, kind: type, where: str) -> Any:
    """``entry[key]``. Raises ValueError unless it is there and of this type."""
    if not isinstance(entry, dict) or key not in entry:
        raise ValueError(f"{where}: the key '{key}' is missing")
    if not isinstance(entry[key], kind):
        raise ValueError(f"{where}: '{key}' must be of type {kind.__name__}, got {type(entry[key]).__name__}")
    return entry[key]
