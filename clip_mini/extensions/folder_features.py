"""The embeddings of all images in a folder, kept on the disk and computed again only for files that changed.

An image is recognised by its path inside the folder, its size in bytes, and the time of its last change; the model by
the SHA-256 of its weights.

An oblong image is squeezed to a square, as ``lab.images.load_image`` does in training. What matters is that a model
searches images in the form in which it was trained. Squeezing keeps everything that the image shows; the crop of the
middle that Radford et al. use loses both ends, and what a text names may be there. Its price: shapes are distorted, by
a third in photographs of 4:3, so a model that has seen undistorted squares only can take a circle for an ellipse.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from PIL import Image, ImageOps
from torch import Tensor
from tqdm import tqdm

from lab.checkpoint import CheckpointError, load, save
from lab.images import ERRORS, in_rgb, load_image, not_an_image, opened

SUFFIXES = (".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
CHUNK = 64  # images that are encoded together
SAVE_EVERY = 4096  # images: as many are lost at most if the process is killed

Stamp = tuple[str, int, int]  # path inside the folder, size in bytes, time of the last change in ns


class FolderFeatures(NamedTuple):
    """A unit vector for each image; ``names`` are paths inside the folder, in alphabetical order."""

    names: tuple[str, ...]
    vectors: Float[Tensor, "n d"]
    key: str  # another one whenever a file or the model is another one


def folder_features(
    folder: Path, encode: Callable[[Tensor], Tensor], image_size: int, fingerprint: str, cache: Path
) -> FolderFeatures:
    """The features of the images in a folder and its subfolders. Hidden files and folders are left out.

    A damaged image is named on stderr and left out. So is a damaged cache; it is written anew.

    Args:
        encode: from images (n, 3, image_size, image_size), values from 0 to 1, to unit vectors (n, d).
        fingerprint: of the model.
        cache: the file in which the features are kept.

    Raises:
        ValueError: if there is no such folder, or not one image in it that can be read.
    """
    stamps = images_in(folder)
    kept = read_cache(cache, f"{fingerprint} {image_size}")
    known = {stamp: kept[stamp] for stamp in stamps if stamp in kept}
    missing, unsaved = [stamp for stamp in stamps if stamp not in known], 0
    bar = tqdm(missing, desc=f"reading {folder}", unit="image", disable=None)
    for chunk in [missing[at : at + CHUNK] for at in range(0, len(missing), CHUNK)]:
        images = {}
        for stamp in chunk:
            try:
                images[stamp] = load_image(folder / stamp[0], image_size)
            except ValueError as error:
                tqdm.write(f"left out: {error}", file=sys.stderr)
        if images:
            vectors = encode(torch.stack(list(images.values())).float() / 255).detach().cpu()
            known |= dict(zip(images, vectors, strict=True))
        unsaved += len(images)
        if unsaved >= SAVE_EVERY:
            write_cache(cache, f"{fingerprint} {image_size}", known)
            unsaved = 0
        bar.update(len(chunk))
    bar.close()
    if unsaved or known.keys() != kept.keys():
        write_cache(cache, f"{fingerprint} {image_size}", known)
    good = [stamp for stamp in stamps if stamp in known]
    if not good:
        raise ValueError(f"{folder}: none of its {len(stamps)} images can be read")
    key = hashlib.sha256(repr((fingerprint, image_size, good)).encode()).hexdigest()
    return FolderFeatures(tuple(stamp[0] for stamp in good), torch.stack([known[stamp] for stamp in good]), key)


def images_in(folder: Path) -> list[Stamp]:
    """The image files of a folder and its subfolders, in alphabetical order of their paths.

    Raises:
        ValueError: if there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    stamps = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder)
        hidden = any(part.startswith(".") for part in inside.parts)
        if path.suffix.lower() in SUFFIXES and not hidden and path.is_file():
            status = path.stat()
            stamps.append((inside.as_posix(), status.st_size, status.st_mtime_ns))
    if not stamps:
        raise ValueError(f"{folder}: there is no image in it (looked for {', '.join(SUFFIXES)}, in subfolders too)")
    return sorted(stamps)


def read_cache(path: Path, model: str) -> dict[Stamp, Tensor]:
    """The features in a cache, by stamp; none if there is no cache, or it is another model's."""
    if not path.exists():
        return {}
    try:
        state = load(path)
        if state["model"] != model:
            return {}
        return dict(zip(map(tuple, state["stamps"]), state["vectors"], strict=True))
    except (CheckpointError, KeyError, TypeError, ValueError):
        print(f"{path} is damaged: its features are computed again", file=sys.stderr)
        return {}


def write_cache(path: Path, model: str, known: dict[Stamp, Tensor]) -> None:
    """Replaces the cache atomically. A search goes on without one if the disk is full."""
    stamps, vectors = list(known), list(known.values())
    try:
        save(path, {"model": model, "stamps": stamps, "vectors": torch.stack(vectors) if vectors else torch.empty(0)})
    except OSError as error:
        print(f"the features are not kept: {error}", file=sys.stderr)


def fingerprint_of(weights: Path) -> str:
    """The SHA-256 of a file of weights."""
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def thumbnail(path: Path, longest: int) -> Image.Image:
    """An image as a viewer shows it, not squeezed, ``longest`` pixels in its longer direction.

    Raises:
        ValueError: if the file is missing, damaged, or not an image.
    """
    with opened(path) as file:
        try:
            image = in_rgb(ImageOps.exif_transpose(file))
        except ERRORS as error:
            raise not_an_image(path, error) from error
    image.thumbnail((longest, longest))
    return image
