"""Image files → tensors: what Pillow opens, as an image viewer shows it."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image, ImageOps
from torch import Tensor

SIXTEEN_BITS = ("I", "I;16", "I;16B", "I;16L", "I;16N")
WHITE = (255, 255, 255)
ERRORS = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # which one depends on format and damage


def load_image(path: Path, size: int, data: bytes | None = None) -> UInt8[Tensor, "3 {size} {size}"]:
    """An image in RGB, 0 to 255: turned as its orientation tag says, transparency on white, 16 bits scaled to 8.

    It is resized if it is not ``size`` by ``size`` pixels; an oblong image is squeezed.

    Args:
        data: the file's bytes, if they are known already or lie in an archive; ``path`` is then only its name.

    Raises:
        ValueError: if ``size`` is not positive, or the file is missing, damaged, or not an image.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    with opened(path, data) as file, warnings.catch_warnings(action="ignore"):  # of damaged tags
        try:
            image = in_rgb(ImageOps.exif_transpose(file))
        except ERRORS as error:
            raise not_an_image(path, error) from error
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)  # antialiased
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)  # (3, size, size)


def check_image(path: Path, data: bytes | None = None) -> None:
    """Reads the header only: fast enough for every image of a data set, before a training begins.

    Raises:
        ValueError: as ``load_image``.
    """
    with opened(path, data):
        pass


def opened(path: Path, data: bytes | None = None) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore"):  # 100 megapixels are a photograph, not a bomb
            return Image.open(path if data is None else io.BytesIO(data))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except Image.UnidentifiedImageError as error:
        raise not_an_image(path, error if data is None else ValueError("cannot identify it")) from error
    except ERRORS as error:
        raise not_an_image(path, error) from error


def not_an_image(path: Path, error: Exception) -> ValueError:
    return ValueError(f"{path}: not an image, or damaged ({' '.join(str(error).split())})")


def in_rgb(image: Image.Image) -> Image.Image:
    """Any of Pillow's modes in RGB."""
    if image.mode in SIXTEEN_BITS:  # Pillow would clip at 255
        values = np.asarray(image).clip(0, 65_535)
        grey = (values / 257).round().astype(np.uint8)
        grey[values == image.info.get("transparency", -1)] = 255
        return Image.fromarray(grey).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, (*WHITE, 255)), image).convert("RGB")
    return image.convert("RGB")
