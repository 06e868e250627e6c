"""A small folder of images with captions, for tests: each image has one colour, its captions name it."""

import csv
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from clip_mini.train import Config

SMALL = Config(pairs=6, context=12, image_size=16, seed=3)


def colour(k: int) -> tuple[int, int, int]:
    return 10 * (k % 25), 10 * (k // 25), 40


def number(pixels: UInt8[Tensor, "3 h w"]) -> int:
    """Which image it is."""
    red, green, _ = pixels.float().mean(dim=(1, 2)).tolist()
    return round(red / 10) + 25 * round(green / 10)


def captions_of(k: int, count: int = 3) -> list[str]:
    return [f"A picture of red {k} and green {k // 25} , view {view} ." for view in range(count)]


def write_folder(root: Path, images: int, lists: dict[str, Sequence[int]] | None = None, sub: str = "images") -> Path:
    """``images`` images, three captions each; ``lists`` are the numbers in ``train.txt`` and so on."""
    (root / sub).mkdir(parents=True, exist_ok=True)
    with (root / "captions.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "caption"])
        for k in range(images):
            Image.new("RGB", (20, 16), colour(k)).save(root / sub / f"{k}.png")
            writer.writerows([f"{k}.png", text] for text in captions_of(k))
    for name, numbers in (lists or {}).items():
        (root / f"{name}.txt").write_text("".join(f"{k}.png\n" for k in numbers))
    return root


class Corners:
    """Stands in for a frozen network: the mean colour of each quarter of an image. It counts its calls."""

    name, size, regions, channels = "corners", 8, 4, 3

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: UInt8[Tensor, "3 8 8"]) -> Float[Tensor, "4 3"]:
        self.calls += 1
        return torch.nn.functional.adaptive_avg_pool2d(image.float(), 2).flatten(1).T
