"""Random number generators with names. The same name gives the same numbers, on every platform, in every process.

Python promises that the sequence of ``random.Random(text).random()`` never changes. The promise does not cover
``choice``, ``sample`` and ``shuffle``. Therefore this file computes them from ``random()`` alone.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


class Rng:
    """A generator whose seed is the text ``name``, for example ``train/0/17/scene``."""

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
        """``count`` different options in random order (Fisher–Yates shuffle, from the front)."""
        pool = list(options)
        for i in range(count):
            j = self.integer(i, len(pool) - 1)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:count]

    def shuffle(self, options: Sequence[T]) -> list[T]:
        return self.sample(options, len(options))
