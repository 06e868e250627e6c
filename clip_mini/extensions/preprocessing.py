"""An image → the pixels that a published CLIP model was trained on: resized, cropped in the centre, normalised.

The reference is ``CLIPImageProcessor`` of transformers 5 with Pillow. A folder says in ``preprocessor_config.json``, or
in ``processor_config.json``, how its images are prepared. Fields that it lacks have the defaults of the reference.

What differs, and why: an image is turned as its orientation tag says, transparency is put on white, and 16 bits are
scaled to 8. So the model sees what a person sees. The reference ignores the orientation, drops the transparency, and
clips 16 bits.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor

from clip_mini.extensions.pretrained import read_config, read_json
from lab.images import in_rgb

PREPROCESSOR, PROCESSOR = "preprocessor_config.json", "processor_config.json"
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # of the paper's training images
DEFAULT_SIZE = 224  # pixels


@dataclass(frozen=True)
class Preprocessing:
    """The steps in their order; None leaves a step out."""

    size: int | tuple[int, int] | None = DEFAULT_SIZE  # pixels: the shorter side, or height and width
    crop: tuple[int, int] | None = (DEFAULT_SIZE, DEFAULT_SIZE)  # pixels: height and width
    resample: Image.Resampling = Image.Resampling.BICUBIC
    scale: float = 1 / 255  # of a pixel's value, 0 to 255
    mean: tuple[float, float, float] = MEAN  # red, green, blue; it is subtracted
    std: tuple[float, float, float] = STD  # the result is divided by it


def preprocess(image: Image.Image, preprocessing: Preprocessing) -> Float[Tensor, "3 h w"]:
    """What ``encode_image`` of a published model reads; black pixels fill what the crop lacks."""
    image = in_rgb(ImageOps.exif_transpose(image))
    width, height = image.size
    if isinstance(preprocessing.size, int):
        short, long = preprocessing.size, int(preprocessing.size * max(height, width) / min(height, width))
        image = image.resize((short, long) if width <= height else (long, short), preprocessing.resample)
    elif preprocessing.size is not None:
        image = image.resize(preprocessing.size[::-1], preprocessing.resample)
    width, height = image.size
    if preprocessing.crop is not None:
        top, left = ((side - kept) // 2 for side, kept in zip((height, width), preprocessing.crop, strict=True))
        image = image.crop((left, top, left + preprocessing.crop[1], top + preprocessing.crop[0]))
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1) * preprocessing.scale  # (3, h, w)
    mean, std = (torch.tensor(rgb)[:, None, None] for rgb in (preprocessing.mean, preprocessing.std))
    return (pixels - mean) / std


def read_preprocessing(folder: Path) -> Preprocessing:
    """How the images of a Hugging Face CLIP folder are prepared; without a file, the paper's way for the model's size.

    Raises:
        ValueError: if a file is damaged, or a value is not allowed; the message names the file and the field.
    """
    if (folder / PROCESSOR).exists() and isinstance(read_json(folder / PROCESSOR).get("image_processor"), dict):
        return parse(folder / PROCESSOR, read_json(folder / PROCESSOR)["image_processor"])
    if (folder / PREPROCESSOR).exists():
        return parse(folder / PREPROCESSOR, read_json(folder / PREPROCESSOR))
    size = read_config(folder).vision.image_size
    return Preprocessing(size, (size, size))


def parse(path: Path, content: Mapping[str, Any]) -> Preprocessing:
    def field(name: str, default: Any) -> Any:
        return default if content.get(name) is None else content[name]

    def does(step: str) -> bool:
        value = field(f"do_{step}", True)
        if not isinstance(value, bool):
            raise ValueError(f"{path}: do_{step} must be true or false, got {value!r}")
        return value

    def three(name: str, default: tuple[float, float, float], smallest: float) -> tuple[float, float, float]:
        values = field(name, default)
        right = isinstance(values, list | tuple) and len(values) == 3 and all(is_number(value) for value in values)
        if not right or min(values) <= smallest:
            allowed = "three positive numbers" if smallest == 0 else "three numbers"
            raise ValueError(f"{path}: {name} must be {allowed}, got {values!r}")
        return tuple(map(float, values))

    scale, resample = field("rescale_factor", 1 / 255), field("resample", Image.Resampling.BICUBIC)
    if not is_number(scale):
        raise ValueError(f"{path}: rescale_factor must be a number, got {scale!r}")
    if resample not in list(Image.Resampling):
        allowed = ", ".join(f"{kind.value} ({kind.name.lower()})" for kind in Image.Resampling)
        raise ValueError(f"{path}: resample must be one of {allowed}, got {resample!r}")
    size, crop = (field(name, DEFAULT_SIZE) for name in ("size", "crop_size"))
    return Preprocessing(
        shape(path, "size", size, square=False) if does("resize") else None,
        shape(path, "crop_size", crop, square=True) if does("center_crop") else None,
        Image.Resampling(resample),
        float(scale) if does("rescale") else 1.0,
        three("image_mean", MEAN, -math.inf) if does("normalize") else (0.0, 0.0, 0.0),
        three("image_std", STD, 0.0) if does("normalize") else (1.0, 1.0, 1.0),
    )


def shape(path: Path, name: str, value: Any, square: bool) -> Any:
    """``224``, ``{"shortest_edge": 224}`` or ``{"height": 224, "width": 224}``; all three are found in files.

    One number is the shorter side; where ``square`` is set, it is height and width.
    """
    entries = {"shortest_edge": value} if isinstance(value, int) else value
    pixels = None
    if isinstance(entries, dict) and entries.keys() == {"height", "width"}:
        pixels = (entries["height"], entries["width"])
    elif isinstance(entries, dict) and entries.keys() == {"shortest_edge"}:
        pixels = (entries["shortest_edge"],) * 2
    if pixels is None or not all(type(side) is int and side >= 1 for side in pixels):
        raise ValueError(f"{path}: {name} must be pixels, as N, shortest_edge, or height and width, got {value!r}")
    return pixels if square or "height" in entries else pixels[0]


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
