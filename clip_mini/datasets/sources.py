"""The data sets behind one interface: the toy world, emoji, a folder of images with captions, tar shards.

Each gives batches to train on, a validation part that is not trained on, and test splits.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from jaxtyping import Float
from torch import Tensor, nn

from clip_mini.data import Batch, toy_batches, toy_pair, toy_tokenizer
from clip_mini.evaluate import Examples, toy_baselines, toy_examples
from clip_mini.train import Config
from toyworld.tokenizer import Tokenizer

DATA = ("toy", "emoji", "folder", "shards")
TOY_TEST, TOY_VALIDATION, ZERO_SHOT = 256, 256, 500  # scenes
VALIDATION_SEED = 1_000_000  # added to the run's seed: scenes that no training with a usual seed sees


@runtime_checkable
class Source(Protocol):
    """A data set; ``splits`` are those to be tested on."""

    tokenizer: Tokenizer
    splits: tuple[str, ...]

    def check(self) -> None:
        """Looks at everything that training and judging will need, and raises ValueError if something is wrong."""

    def image_encoder(self) -> nn.Module | None:
        """An image encoder of its own, such as one that reads a frozen network's features; None for the config's."""

    def batch_at(self, step: int) -> Batch:
        """Training batch ``step``, a pure function of the seed and the step."""

    def validation(self) -> Examples:
        """A part of the training split that ``batch_at`` never shows."""

    def test(self, split: str) -> Examples:
        """All pairs of a split."""

    def pixels(self, examples: Examples, k: int) -> Float[Tensor, "3 h w"]:
        """Image k of ``examples`` to look at, with values from 0 to 1."""

    def baselines(self, split: str) -> Mapping[str, Mapping[str, float]]:
        """By name, recalls without training, such as ``"chance"``."""


@runtime_checkable
class PartedSource(Source, Protocol):
    """A data set of which each process reads only its own part."""

    def part_at(self, step: int) -> Batch:
        """This process's rows of ``batch_at``: as many as each other process has, in the order of the ranks."""


class ToySource:
    """The toy world: scenes are drawn when they are needed."""

    splits = ("test", "compositional")

    def __init__(self, config: Config) -> None:
        self.config, self.tokenizer = config, toy_tokenizer(config.language)
        self.batch_at = toy_batches(
            self.tokenizer, config.language, config.seed, config.pairs, config.image_size, config.context
        )

    def check(self) -> None:
        """Nothing can be missing. Says how many of the first training captions are cut."""
        config = self.config
        captions = [toy_pair("train", config.seed, index, config.language)[1] for index in range(TOY_VALIDATION)]
        if cut := sum(len(self.tokenizer.ids(text)) + 2 > config.context for text in captions):
            print(
                f"note: {cut} of the first {len(captions)} training captions are cut "
                f"to --context {config.context} token ids",
                file=sys.stderr,
            )

    def image_encoder(self) -> None:
        return None

    def validation(self) -> Examples:
        return self.examples("train", self.config.seed + VALIDATION_SEED, TOY_VALIDATION)

    def test(self, split: str) -> Examples:
        return self.examples(split, 0, TOY_TEST)

    def examples(self, split: str, seed: int, count: int) -> Examples:
        config = self.config
        return toy_examples(self.tokenizer, config.language, split, seed, count, config.image_size, config.context)

    def pixels(self, examples: Examples, k: int) -> Float[Tensor, "3 h w"]:
        return examples.images[k]

    def baselines(self, split: str) -> Mapping[str, Mapping[str, float]]:
        return toy_baselines(split, 0, TOY_TEST)


def open_source(data: str, config: Config, root: Path | None = None, path: str | None = None) -> Source:
    """The data set called ``data``, in the sizes of ``config``.

    Args:
        root: of ``folder``, where the captions and images are.
        path: of ``shards``, which files they are, such as ``DIR/*.tar``.

    Raises:
        ValueError: if ``root`` or ``path`` is missing or superfluous, or a file or package is missing or damaged.
    """
    for flag, value, needs in (("--root", root, "folder"), ("--path", path, "shards")):
        if value is None and data == needs:
            raise ValueError(f"{flag} is missing: --data {data} needs it")
        if value is not None and data != needs:
            raise ValueError(f"{flag} is for --data {needs} only, got --data {data}")
    if config.language != "english" and data in ("folder", "shards"):
        raise ValueError(f"--language is for --data toy or emoji only, got --data {data}")
    allowed = {"toy": ("cnn", "vit"), "emoji": ("features", "cnn", "vit"), "folder": ("features",)}
    if config.image_encoder not in (names := allowed.get(data, ("cnn", "vit"))):
        raise ValueError(f"--image-encoder must be {' or '.join(names)} for {data}, got {config.image_encoder}")
    if data == "emoji":
        from clip_mini.datasets.emoji import EmojiSource

        return EmojiSource(config)
    if data == "folder":
        from clip_mini.datasets.folder import FolderSource

        return FolderSource(config, root)
    if data == "shards":
        from clip_mini.datasets.shards import ShardsSource

        return ShardsSource(config, path)
    return ToySource(config)
