"""A folder of images with captions, in the layout of Flickr8k (Hodosh et al. 2013).

    DIR/captions.csv           image,caption: a line for each caption; an image may come several times
    DIR/images/NAME            the images, or DIR/NAME
    DIR/train.txt              optional: the names of the images to train on, one a line
    DIR/dev.txt, DIR/test.txt  optional: the names of those to test on

Without these lists, a hash of the name decides. Of the training images, one in twelve is for validation: ``batch_at``
never shows it, and the best weights are chosen on it. The model reads features of a frozen network.
"""

import hashlib
import random
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from clip_mini.data import Batch
from clip_mini.datasets.features import CACHE, EfficientNetLite0, Features, FrozenEncoder, frozen_features
from clip_mini.evaluate import Examples, chance_recall
from clip_mini.train import Config
from lab.captions import caption_lines
from lab.images import load_image
from toyworld.tokenizer import END, START, Tokenizer, padded, split_words

TESTS = ("dev", "test")
HELD_OUT = 12  # one training image in this many is for validation
TESTED = 10  # one image in this many is for testing, where no list says which
SHOWN = 160  # pixels, height and width of an image in a figure
LEAST = 3  # captions: a word of fewer is unknown
REMOVED = 0.2  # of the words of a training caption, at random: the model must not rely on a single one


class Captions:
    """Images with captions: what a folder and tar shards have in common.

    Args:
        config: its ``pairs``, ``context`` and ``seed`` are used.
        captions: of each image, by its name.
        parts: names of the images for ``"train"``, ``"validation"``, and for each split to be tested on.
    """

    end = END

    def __init__(
        self, config: Config, captions: Mapping[str, Sequence[str]], parts: Mapping[str, Sequence[str]]
    ) -> None:
        self.config, self.captions, self.parts = config, captions, parts
        self.splits = tuple(name for name in parts if name not in ("train", "validation"))
        self.tokenizer = tokenizer_of(text for name in parts["train"] for text in captions[name])
        self.words = len(self.tokenizer)

    def check_batches(self, images: int) -> None:
        """Says how many training captions are cut.

        Raises:
            ValueError: if a batch needs more than these ``images``.
        """
        if self.config.pairs > images:
            raise ValueError(
                f"--pairs must be at most {images}, the number of training images, got {self.config.pairs}"
            )
        lengths = [len(split_words(text)) + 2 for name in self.parts["train"] for text in self.captions[name]]
        if cut := sum(length > self.config.context for length in lengths):
            print(
                f"note: {cut} of {len(lengths)} training captions are cut to --context {self.config.context} token ids",
                file=sys.stderr,
            )

    def drawn(self, step: int, names: Sequence[str], count: int) -> list[str]:
        """Different images for a batch: two captions of one image would be false negatives of each other."""
        rng = random.Random(f"clip_mini/{self.config.seed}/{step}")
        return rng.sample(names, min(count, len(names)))

    def text_at(self, step: int, name: str) -> list[int]:
        """The token ids of one of an image's captions; some words are removed."""
        rng = random.Random(f"clip_mini/{self.config.seed}/{step}/{name}")
        return self.with_ends(some(rng, self.tokenizer.ids(rng.choice(self.captions[name]))))

    def with_ends(self, ids: Sequence[int]) -> list[int]:
        """Start, words and end: at most ``context`` token ids."""
        return [START, *ids[: self.config.context - 2], END]

    def examples(self, names: Sequence[str], images: Float[Tensor, "n ..."]) -> Examples:
        """All captions of these images."""
        rows = [(k, text) for k, name in enumerate(names) for text in self.captions[name]]
        texts = padded([self.with_ends(self.tokenizer.ids(text)) for _, text in rows])
        image_of = torch.tensor([k for k, _ in rows])
        return Examples(images, texts, image_of, tuple(text for _, text in rows), tuple(names))

    def pixels(self, examples: Examples, k: int) -> Float[Tensor, "3 h w"]:
        """Image k to look at, with values from 0 to 1."""
        return self.picture(examples.names[k], SHOWN).float() / 255

    def baselines(self, split: str) -> Mapping[str, Mapping[str, float]]:
        return {"chance": chance_recall(self.test(split).image_of)}


def some(rng: random.Random, ids: Sequence[int]) -> list[int]:
    """Without each with probability ``REMOVED``; never empty."""
    return [index for index in ids if rng.random() >= REMOVED] or [rng.choice(ids)]


def tokenizer_of(texts: Iterable[str]) -> Tokenizer:
    """The words that ``LEAST`` or more of the texts have, in alphabetical order.

    Raises:
        ValueError: if there is no such word.
    """
    counts = Counter(word for text in texts for word in set(split_words(text)))
    words = sorted(word for word, count in counts.items() if count >= LEAST)
    if not words:
        raise ValueError(f"no word comes in {LEAST} or more training captions: there are too few captions")
    return Tokenizer(words)


def by_hash(names: Iterable[str], one_in: int, salt: str) -> tuple[list[str], list[str]]:
    """The names in two parts: all others, and about one in ``one_in``, at least one.

    A name's part depends on the name alone, so that it stays where it is when other images come or go. Only if that
    leaves a part empty, the name with the smallest hash is chosen.

    Raises:
        ValueError: if there are fewer than two names.
    """
    hashes = {name: int.from_bytes(hashlib.sha256(f"{salt}/{name}".encode()).digest()[:8]) for name in names}
    if len(hashes) < 2:
        raise ValueError(f"at least 2 images are needed to hold one out for {salt}, got {len(hashes)}")
    chosen = {name for name, value in hashes.items() if value % one_in == 0}
    if len(chosen) in (0, len(hashes)):
        chosen = {min(hashes, key=hashes.get)}
    return [name for name in hashes if name not in chosen], [name for name in hashes if name in chosen]


class FolderSource(Captions):
    """A folder as a ``Source``: what the model reads of an image are features of a frozen network.

    Args:
        root: the folder.
        encoder: the frozen network; EfficientNet-Lite0 by default.
        cache: where its features are kept.

    Raises:
        ValueError: if a file is missing or wrong. One line names the file, its line, and what is wrong.
    """

    def __init__(self, config: Config, root: Path, encoder: FrozenEncoder | None = None, cache: Path = CACHE) -> None:
        self.root, self.encoder, self.cache = root, encoder or EfficientNetLite0(), cache
        captions = read_captions(root)
        super().__init__(config, captions, read_parts(root, list(captions)))

    @cached_property
    def features(self) -> dict[str, Float[Tensor, "regions channels"]]:
        """Of all images that can be read, by name; half precision. Slow when they are not in the cache yet."""
        names = [name for part in self.parts.values() for name in part]
        kept, features = frozen_features([self.path_of(name) for name in names], self.encoder, self.cache)
        return dict(zip([names[k] for k in kept], features, strict=True))

    def path_of(self, name: str) -> Path:
        return image_path(self.root, name)

    def picture(self, name: str, size: int) -> UInt8[Tensor, "3 {size} {size}"]:
        """An image's pixels, to look at."""
        return load_image(self.path_of(name), size)

    @cached_property
    def training(self) -> list[str]:
        """The images of ``batch_at``."""
        return self.readable("train")

    def readable(self, part: str) -> list[str]:
        """The names of a part without the damaged images.

        Raises:
            ValueError: if all are damaged.
        """
        names = [name for name in self.parts[part] if name in self.features]
        if not names:
            raise ValueError(f"{self.root}: no image for {part} can be read")
        return names

    def check(self) -> None:
        """Computes the features that are not in the cache, and looks at the captions' lengths."""
        for part in self.parts:
            self.readable(part)
        self.check_batches(len(self.training))

    def image_encoder(self) -> Features:
        """A small network on the features, with the mean and the spread of those it is trained on."""
        return Features.of(self.images(self.training))

    def images(self, names: Sequence[str]) -> Float[Tensor, "n regions channels"]:
        return torch.stack([self.features[name] for name in names]).float()

    def batch_at(self, step: int) -> Batch:
        names = self.drawn(step, self.training, self.config.pairs)
        return Batch(self.images(names), padded([self.text_at(step, name) for name in names]))

    def validation(self) -> Examples:
        return self.test("validation")

    def test(self, split: str) -> Examples:
        names = self.readable(split)
        return self.examples(names, self.images(names))


def image_path(root: Path, name: str) -> Path:
    return root / "images" / name if (root / "images").is_dir() else root / name


def read_captions(root: Path) -> dict[str, list[str]]:
    """The captions of each image, in the order of ``captions.csv``.

    Raises:
        ValueError: if the file is missing, or a line has other columns, no word, or an image that is not there.
    """
    path = root / "captions.csv"
    if not root.is_dir():
        raise ValueError(f"{root}: there is no such folder")
    captions: dict[str, list[str]] = {}
    there = {file.name for file in (image_path(root, "") if (root / "images").is_dir() else root).iterdir()}
    for where, name, caption in caption_lines(path, split_words):
        if name not in there and not image_path(root, name).is_file():
            raise ValueError(f"{where}: there is no image {image_path(root, name)}")
        captions.setdefault(name, []).append(caption)
    if not captions:
        raise ValueError(f"{path}: there is no caption")
    return captions


def read_parts(root: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """The names for training, for validation, and for each split to be tested on.

    Raises:
        ValueError: if a list names an image without a caption, or an image is in two lists.
    """
    lists = {
        part: read_list(root / f"{part}.txt", set(names))
        for part in ("train", *TESTS)
        if (root / f"{part}.txt").exists()
    }
    part_of: dict[str, str] = {}
    for part, listed in lists.items():
        for name in listed:
            if part_of.setdefault(name, part) != part:
                raise ValueError(f"{root}: {name} is in {part_of[name]}.txt and in {part}.txt")
    others = [name for name in names if name not in part_of]
    training = lists.pop("train", None) or others
    if not lists and training is not others and others:
        lists = {"test": others}
    elif not lists:
        training, lists["test"] = by_hash(training, TESTED, "test")
    training, validation = by_hash(training, HELD_OUT, "validation")
    return {"train": training, "validation": validation, **lists}


def read_list(path: Path, known: Collection[str]) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
    names = {name.strip(): number for number, name in enumerate(lines, 1) if name.strip()}
    for name, number in names.items():
        if name not in known:
            raise ValueError(f"{path}:{number}: {name} has no caption in captions.csv")
    if not names:
        raise ValueError(f"{path}: there is no name")
    return list(names)
