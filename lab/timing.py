"""Fair times, with their spread: candidates run in turn, so a machine that slows down slows all of them."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """The median, and the quartiles around it: half of the values lie between ``low`` and ``high``."""

    low: float
    median: float
    high: float


def alternately(
    candidates: Mapping[str, Callable[[], object]],
    repetitions: int = 25,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Seconds that each candidate took in each repetition.

    Each runs twice, and the second time counts: then the caches and the memory are as it left them itself, and not as
    another candidate did. In every second repetition the order is reversed.

    Raises:
        ValueError: if ``repetitions`` is below 1.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1, got {repetitions}")
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for repetition in range(repetitions):
        for name in list(candidates)[:: 1 if repetition % 2 == 0 else -1]:
            candidates[name]()
            start = clock()
            candidates[name]()
            seconds[name].append(clock() - start)
    return seconds


def spread(values: Sequence[float]) -> Spread:
    """The quartiles of one or more values, by linear interpolation between the sorted values.

    Raises:
        ValueError: if there is no value.
    """
    if not values:
        raise ValueError("values must be at least one, got none")
    if len(values) == 1:
        return Spread(*values * 3)
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


def ratios(above: Sequence[float], below: Sequence[float]) -> Spread:
    """The ratios of two candidates' seconds, repetition by repetition: both ran at nearly the same time.

    Raises:
        ValueError: if they have not the same number of repetitions, or none.
    """
    if len(above) != len(below):
        raise ValueError(f"above and below must have as many repetitions, got {len(above)} and {len(below)}")
    return spread([a / b for a, b in zip(above, below, strict=True)])


def shown(values: Spread, digits: int = 2) -> str:
    """ "2.31 (2.20 to 2.40)": the median and the quartiles."""
    low, median, high = (f"{value:,.{digits}f}" for value in values)
    return f"{median} ({low} to {high})"


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table for the terminal. The first row is the head; the first column is aligned left, all others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *(cell.rjust(n) for cell, n in zip(row[1:], widths[1:], strict=True))])
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in (lines[0], "  ".join("-" * n for n in widths), *lines[1:]))
