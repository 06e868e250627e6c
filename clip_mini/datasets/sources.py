"""The data sets behind one interface: the toy world, emoji, a folder of captioned images, tar shards."""

from typing import Protocol, runtime_checkable

from torch import nn

from clip_mini.data import Batch
from clip_mini.evaluate import Examples


@runtime_checkable
class Source(Protocol):
    """A data set; ``splits`` are those to be tested on."""

    words: int  # token ids
    end: int  # the id that ends a text
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
