"""Picture files → tensors."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor


def load_image(path: Path, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
    """One picture in RGB, 0 to 255. Resized only if it is not ``size`` by ``size`` pixels; squeezed if it is oblong.

    Raises:
        ValueError: if ``size`` is not positive, or the file is missing, is no picture, or is damaged.
    """
    if size < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    # What Pillow raises depends on the format and on the place of the damage.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: not a picture, or damaged ({' '.join(str(error).split())})") from error
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)  # antialiased
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)  # (3, size, size)
