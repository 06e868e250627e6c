"""Photographs with captions as batches of (annotations, captions).

Section 4.3 of the paper: a batch holds captions of about the same length, so that hardly any step is spent on padding.
The paper draws a length, then captions of this length. Here an epoch is a permutation: all captions are sorted by
length, those of one length in random order, and cut into batches, which come in random order. So each caption comes
once in an epoch.

Each time an image comes, one of its views is drawn (``features.image_in_view``).
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lab.efficientnet import EfficientNetLite
from show_attend_tell.data import Batch
from show_attend_tell.datasets.cache import grid_features
from show_attend_tell.datasets.captioned import CaptionedImages
from show_attend_tell.datasets.coco import read_coco
from show_attend_tell.datasets.features import FeatureFolder, Vectors
from show_attend_tell.datasets.flickr8k import read_flickr8k
from show_attend_tell.datasets.views import MIRRORED, WithMirrorImages
from show_attend_tell.extensions.metrics.words import caption_words
from toyworld.tokenizer import END, START, UNKNOWN, Tokenizer, padded

READERS = {"flickr8k": read_flickr8k, "coco": read_coco}
VALIDATED = 400  # images of dev that a training is validated on
CHUNK = 64  # images whose captions are searched at once


class Examples(NamedTuple):
    """Images to be judged on; ``references`` are each image's captions, each a list of words."""

    names: tuple[str, ...]
    references: tuple[tuple[tuple[str, ...], ...], ...]


def examples_of(images: CaptionedImages, split: str, count: int | None = None) -> Examples:
    """The images of a split, or ``count`` of them, spread evenly."""
    names = images.splits[split]
    if count is not None and count < len(names):
        names = [names[k * len(names) // count] for k in range(count)]
    captions = (images.captions[name] for name in names)
    return Examples(tuple(names), tuple(tuple(tuple(caption_words(text)) for text in texts) for texts in captions))


def in_chunks(vectors: Vectors, names: Sequence[str]) -> Iterator[Float[Tensor, "n L D"]]:
    """The annotation vectors of many images, in chunks."""
    for start in range(0, len(names), CHUNK):
        yield vectors(names[start : start + CHUNK])


class PhotoSource:
    """A data set of photographs.

    Args:
        images: without those that ``vectors`` lacks.
        vectors: the annotations.
        seed: of the order of the captions.
        size: captions in a batch.
        least: a word that comes less often in the training captions is <unknown>.
        views: further annotations of the training images.
        judged: what the model sees of the other images; ``vectors``, if None.

    Raises:
        ValueError: if no word is left, or there are fewer captions than a batch has.
    """

    def __init__(
        self,
        images: CaptionedImages,
        vectors: Vectors,
        seed: int,
        size: int,
        least: int,
        views: Sequence[Vectors] = (),
        judged: Vectors | None = None,
    ) -> None:
        used = [name for listed in images.splits.values() for name in listed]
        self.images = images.without(name for name in used if name not in vectors)
        self.vectors, self.views, self.judged = vectors, (vectors, *views), judged or vectors
        self.seed, self.size = seed, size
        self.splits = tuple(split for split in self.images.splits if split != "train")
        training = [
            (name, caption_words(text)) for name in self.images.splits["train"] for text in images.captions[name]
        ]
        self.tokenizer = tokenizer_of((words for _, words in training), least)
        self.training = [(name, self.ids(words)) for name, words in training]
        if len(self.training) < size:
            raise ValueError(f"a batch must have at most {len(self.training)} captions, all there are, got {size}")
        self.batches = -(-len(self.training) // size)  # in an epoch; the last one of the longest captions is smaller
        self.order = lru_cache(2)(self.order_of_epoch)

    def ids(self, words: Sequence[str]) -> list[int]:
        """<start>, the words and <end>."""
        return [START, *(self.tokenizer.id_of.get(word, UNKNOWN) for word in words), END]

    def order_of_epoch(self, epoch: int) -> list[list[int]]:
        """Batches of places in ``training``; a pure function of the seed and the epoch."""
        rng = random.Random(f"show_attend_tell/{self.seed}/{epoch}")
        places = list(range(len(self.training)))
        rng.shuffle(places)
        places.sort(key=lambda place: len(self.training[place][1]))  # stable: random among captions of one length
        batches = [places[start : start + self.size] for start in range(0, len(places), self.size)]
        rng.shuffle(batches)
        return batches

    def batch_at(self, step: int) -> Batch:
        """Training batch ``step``, a pure function of the seed and the step."""
        epoch, batch = divmod(step, self.batches)
        names, captions = zip(*(self.training[place] for place in self.order(epoch)[batch]), strict=True)
        return Batch(self.in_views(names, step), padded(captions))

    def in_views(self, names: Sequence[str], step: int) -> Float[Tensor, "n L D"]:
        """The annotations of training images, each in a view that is drawn for this step."""
        rng = random.Random(f"show_attend_tell/{self.seed}/views/{step}")
        return torch.cat([rng.choice(self.views)([name]) for name in names])

    def images_at(self, step: int, count: int) -> tuple[list[str], Float[Tensor, "n L D"]]:
        """``count`` training images, each at most once in an epoch; a pure function of the seed and the step.

        Raises:
            ValueError: if there are fewer.
        """
        names = list(self.images.splits["train"])
        if len(names) < count:
            raise ValueError(f"--self-critical-images must be at most {len(names)}, all training images, got {count}")
        epoch, batch = divmod(step, len(names) // count)  # a few images of an epoch are left out
        random.Random(f"show_attend_tell/{self.seed}/images/{epoch}").shuffle(names)
        chosen = names[batch * count : (batch + 1) * count]
        return chosen, self.in_views(chosen, step)

    def examples(self, split: str) -> Examples:
        """All images of a split."""
        return examples_of(self.images, split)

    def references(self) -> dict[str, list[list[str]]]:
        """The words of all captions of each training image."""
        images = self.images
        return {name: [caption_words(text) for text in images.captions[name]] for name in images.splits["train"]}

    def validation(self) -> Examples:
        """A part of dev."""
        return examples_of(self.images, "dev", VALIDATED)

    def most_frequent_caption(self) -> list[str]:
        """Of the training captions; the same for all images, as a baseline."""
        captions = (
            tuple(caption_words(text)) for name in self.images.splits["train"] for text in self.images.captions[name]
        )
        return list(Counter(captions).most_common(1)[0][0])


def tokenizer_of(captions: Iterable[Sequence[str]], least: int) -> Tokenizer:
    """The words that come ``least`` times or more, in alphabetical order.

    Raises:
        ValueError: if there is no such word.
    """
    counts = Counter(word for words in captions for word in words)
    words = sorted(word for word, count in counts.items() if count >= least)
    if not words:
        raise ValueError(f"no word comes {least} times or more in the training captions: there are too few captions")
    return Tokenizer(words)


def open_source(
    data: str, root: Path | None, seed: int, size: int, least: int, features: Path | None = None, views: int = 1
) -> PhotoSource:
    """The data set ``data`` (flickr8k or coco) in the folder ``root``; slow when its features must be computed.

    Args:
        features: a folder of precomputed features, one .npy an image; EfficientNet-Lite otherwise.
        views: of each training image that EfficientNet-Lite sees.

    Raises:
        ValueError: if ``root`` is missing, or a file is missing or wrong.
    """
    if root is None:
        raise ValueError(f"--root is missing: --data {data} needs the folder with the images and captions")
    images = READERS[data](root)
    paths: Mapping[str, Path] = {name: images.paths[name] for listed in images.splits.values() for name in listed}
    if features is not None:
        return PhotoSource(images, FeatureFolder(features, paths), seed, size, least)
    encoder = EfficientNetLite()
    vectors = grid_features(paths, encoder)
    training = {name: images.paths[name] for name in images.splits["train"] if name in vectors}
    others = [grid_features(training, encoder, view=view) for view in range(1, views)]
    rest = {name: path for name, path in paths.items() if name in vectors and name not in training}
    judged = WithMirrorImages(vectors, grid_features(rest, encoder, view=MIRRORED))
    return PhotoSource(images, vectors, seed, size, least, others, judged)
