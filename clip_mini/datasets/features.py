"""Features of photographs from a frozen network, computed once for each image and kept on disk.

The network is EfficientNet-Lite0 (Tan & Le 2019), trained on ImageNet; its weights lie in a package. What is trained on
top of it is small: ``Features``.

On disk, a chunk of images is one file. It holds their features and, for each image, the SHA-256 of the file's bytes. So
an image that has changed is computed again, a copy under another name is not, and Ctrl-C loses one chunk at most.
"""

import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import safetensors
import safetensors.torch
import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn
from tqdm import tqdm

from clip_mini.model import CLIP
from lab.checkpoint import write_bytes
from lab.efficientnet import EfficientNetLite
from lab.images import load_image

REGIONS = 2  # rows and columns of regions whose features the model reads
WHITENING = 0.75  # 0 keeps the spread of principal components, 1 makes all equal
DROPOUT = 0.4  # the part of the features that training leaves out
CHUNK = 100  # images in a file, a few seconds of work
CACHE = Path("runs/features")


@runtime_checkable
class FrozenEncoder(Protocol):
    """A network that is not trained. ``name`` says which weights and which preprocessing: it names the cache."""

    name: str
    size: int  # pixels, height and width
    regions: int
    channels: int  # numbers for each region

    def __call__(self, image: UInt8[Tensor, "3 {self.size} {self.size}"]) -> Float[Tensor, "regions channels"]:
        """The features of one image."""


class EfficientNetLite0(EfficientNetLite):
    """1,280 channels on a grid of 7 by 7, averaged over each of ``rows`` by ``rows`` regions of a 224×224 image."""

    def __init__(self, rows: int = REGIONS) -> None:
        super().__init__(0)
        self.regions, self.name = rows * rows, f"{self.name}-{rows}x{rows}"
        self.mean_over = nn.AdaptiveAvgPool2d(rows)

    def __call__(self, image: UInt8[Tensor, "3 224 224"]) -> Float[Tensor, "regions 1280"]:
        return self.mean_over(self.grid(image)).flatten(1).mT  # (rows * rows, 1280)


def frozen_features(
    paths: Sequence[Path], encoder: FrozenEncoder, cache: Path = CACHE
) -> tuple[list[int], Float[Tensor, "n regions channels"]]:
    """Features of image files, and the places in ``paths`` of those that could be read.

    An image that cannot be read is named on stderr and left out.

    Raises:
        ValueError: if none can be read.
        OSError: if the cache cannot be written.
    """
    folder = cache / encoder.name
    known = read_chunks(folder)
    keys = [key_of(path) for path in paths]
    todo = [(key, path) for key, path in zip(keys, paths, strict=True) if key is not None and key not in known]
    chunk: dict[str, Tensor] = {}
    bar = tqdm(todo, "features", unit="image", dynamic_ncols=True, disable=None if todo else True)
    try:
        for key, path in bar:
            if key in known or key in chunk:  # a copy
                continue
            try:
                image = load_image(path, encoder.size)
            except ValueError as error:
                bar.write(f"left out: {error}", file=sys.stderr)
                continue
            chunk[key] = encoder(image).half()  # as ``features_of`` gives them
            if len(chunk) == CHUNK:
                write_chunk(folder, chunk)
                known |= chunk
                chunk = {}
    finally:
        bar.close()
        if chunk:  # also after Ctrl-C
            write_chunk(folder, chunk)
    known |= chunk
    kept = [k for k, key in enumerate(keys) if key in known]
    if not kept:
        raise ValueError(f"none of the {len(paths)} images can be read, the first is {paths[0]}")
    return kept, torch.stack([known[keys[k]] for k in kept])


def features_of(images: Float[Tensor, "n 3 h w"], encoder: FrozenEncoder) -> Float[Tensor, "n regions channels"]:
    """Features of images with values from 0 to 1, rounded as those on disk are."""
    pixels = (255 * images).round().to(torch.uint8)
    return torch.stack([encoder(image).half() for image in pixels]).float()


def key_of(path: Path) -> str | None:
    """The SHA-256 of a file; None, and a line on stderr, if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        print(f"left out: {path}: cannot be read ({error.strerror})", file=sys.stderr)
        return None


def write_chunk(folder: Path, chunk: dict[str, Float[Tensor, "regions channels"]]) -> None:
    """Whole or not at all, under a name that no other chunk has."""
    keys = json.dumps(list(chunk))
    data = safetensors.torch.save({"features": torch.stack(list(chunk.values()))}, {"keys": keys})
    write_bytes(folder / f"{hashlib.sha256(keys.encode()).hexdigest()[:16]}.safetensors", data)


def read_chunks(folder: Path) -> dict[str, Float[Tensor, "regions channels"]]:
    """All features in a cache, by key. A damaged file is named on stderr and deleted: it will be computed again."""
    known: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safetensors.safe_open(path, "pt") as file:
                known |= zip(json.loads(file.metadata()["keys"]), file.get_tensor("features"), strict=True)
        except (safetensors.SafetensorError, TypeError, KeyError, ValueError):
            print(f"computed again: {path} is damaged", file=sys.stderr)
            path.unlink()
    return known


class Features(nn.Module):
    """The image encoder on frozen features: each channel is standardised, some are dropped, regions lie side by side.

    CLIP's projection behind it is then a linear map of all of them.

    Args:
        mean, spread: of each channel, over the training images; saved with the weights.
        regions: how many.
        dropout: the part of the features that training leaves out.
    """

    def __init__(
        self, mean: Float[Tensor, " channels"], spread: Float[Tensor, " channels"], regions: int, dropout: float
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)
        self.dropout = nn.Dropout(dropout)
        self.features = regions * len(mean)

    @classmethod
    def of(cls, features: Float[Tensor, "n regions channels"], dropout: float = DROPOUT) -> "Features":
        """With the mean and the spread of the features of training images."""
        n, regions, channels = features.shape
        rows = features.reshape(n * regions, channels)
        return cls(rows.mean(dim=0), rows.std(dim=0, correction=0) + 1e-6, regions, dropout)

    @classmethod
    def empty(cls, encoder: FrozenEncoder) -> "Features":
        """For the features of this network, to be filled with saved weights; until then they pass as they are."""
        return cls(torch.zeros(encoder.channels), torch.ones(encoder.channels), encoder.regions, DROPOUT)

    def forward(self, features: Float[Tensor, "n regions channels"]) -> Float[Tensor, "n {self.features}"]:
        return self.dropout((features - self.mean) / self.spread).flatten(1)


class LockedFeatures(nn.Module):
    """An image encoder that is not trained at all (LiT, Zhai et al. 2022): the first principal components of features.

    Each component is divided by the power ``WHITENING`` of its spread, so that small differences between images count
    more. ``lock`` keeps the projection behind it from changing it. Only the text encoder learns.

    Args:
        mean: of the features of training images, all regions side by side.
        directions: from centred features to ``components`` numbers.
    """

    def __init__(self, mean: Float[Tensor, " inputs"], directions: Float[Tensor, "inputs components"]) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("directions", directions)
        self.features = directions.shape[1]

    @classmethod
    def of(cls, features: Float[Tensor, "n regions channels"], components: int) -> "LockedFeatures":
        """The components of training images.

        Raises:
            ValueError: if there are not more images than components.
        """
        rows = features.flatten(1)  # (n, inputs)
        if min(rows.shape) <= components:
            raise ValueError(f"--common must be below {min(rows.shape)} with these images, got {components}")
        mean = rows.mean(dim=0)
        _, spread, directions = torch.pca_lowrank(rows - mean, min(components + 64, *rows.shape), center=False, niter=3)
        return cls(mean, directions[:, :components] / spread[:components] ** WHITENING)

    @classmethod
    def empty(cls, encoder: FrozenEncoder, components: int) -> "LockedFeatures":
        """For the features of this network, to be filled with saved weights."""
        inputs = encoder.regions * encoder.channels
        return cls(torch.zeros(inputs), torch.zeros(inputs, components))

    def forward(self, features: Float[Tensor, "n regions channels"]) -> Float[Tensor, "n components"]:
        return (features.flatten(1) - self.mean) @ self.directions


def lock(model: CLIP) -> CLIP:
    """The image projection becomes the identity, and stays it. The common space has as many dimensions as features."""
    with torch.no_grad():
        model.image_projection.weight.copy_(torch.eye(model.image_encoder.features))
    model.image_projection.requires_grad_(False)
    return model
