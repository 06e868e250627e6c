"""Random numbers that belong to a name: the same name, the same numbers, on every platform and in any order of access.

Python promises that ``random.Random(text).random()`` keeps its sequence for ever; the promise does not cover
``choice``, ``sample`` and ``shuffle``, so those are made here, out of ``random()`` alone.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Rng:
    """The stream of random numbers called ``name``, for example ``train/0/17/scene``."""

    def __init__(self, name: str) -> None:
        self.random = random.Random(name).random

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.random()

    def coin(self) -> bool:
        return self.random() < 0.5

    def integer(self, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``, both included."""
        return low + int(self.random() * (high - low + 1))

    def choice(self, options: Sequence[T]) -> T:
        return options[int(self.random() * len(options))]

    def sample(self, options: Sequence[T], count: int) -> list[T]:
        """``count`` different options in random order (Fisher and Yates, from the front)."""
        pool = list(options)
        for i in range(count):
            j = self.integer(i, len(pool) - 1)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]

    def shuffle(self, options: Sequence[T]) -> list[T]:
        return self.sample(options, len(options))
