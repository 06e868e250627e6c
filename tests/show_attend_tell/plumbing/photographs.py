"""A tiny data set of photographs in both layouts, and a stand-in for the frozen network."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

SPLITS = {"train": range(12), "dev": range(12, 16)}


class Corners:
    """Stands in for EfficientNet-Lite: the mean colour of each of 2 by 2 regions. It counts its calls."""

    name, size, rows, channels = "corners", 8, 2, 3

    def __init__(self) -> None:
        self.calls = 0

    def grid(self, image: UInt8[Tensor, "3 8 8"]) -> Float[Tensor, "3 2 2"]:
        self.calls += 1
        return torch.nn.functional.adaptive_avg_pool2d(image.float(), 2)


def name_of(k: int) -> str:
    return f"{k:02}.png"


def captions_of(k: int) -> list[str]:
    """Two captions of different lengths; their first word says which image it is."""
    return [f"Image{k} shows a dog .", f"Image{k} shows a dog on the{' green' * (k % 3)} grass ."]


def write_images(folder: Path, count: int = 16) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        image = Image.new("RGB", (8, 8), (10 * k, 0, 200))
        image.paste((0, 10 * k, 0), (0, 0, 4, 4))
        image.save(folder / name_of(k))
    return folder


def write_flickr8k(root: Path, splits: Mapping[str, Sequence[int]] = SPLITS) -> Path:
    write_images(root / "images")
    with (root / "captions.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["image", "caption"], *([name_of(k), text] for k in range(16) for text in captions_of(k))]
        )
    for split, numbers in splits.items():
        (root / f"{split}.txt").write_text("".join(f"{name_of(k)}\n" for k in numbers))
    return root


def write_coco(root: Path, filepath: bool = True) -> Path:
    """Karpathy's JSON. Image 3 is of restval; image 15 is of test."""
    write_images(root / ("val2014" if filepath else "images"))
    split_of = {k: "train" if k < 12 else "val" for k in range(16)} | {3: "restval", 15: "test"}
    images = [
        {
            "filename": name_of(k),
            "split": split_of[k],
            "sentences": [
                {"tokens": text.lower().replace(" .", "").split(), "raw": text, "sentid": k} for text in captions_of(k)
            ],
            "imgid": k,
        }
        | ({"filepath": "val2014"} if filepath else {})
        for k in range(16)
    ]
    name = "dataset_coco.json" if filepath else "dataset_flickr8k.json"
    (root / name).write_text(json.dumps({"images": images, "dataset": "coco"}))
    return root
