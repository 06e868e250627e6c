"""What the tests of distributions share: counts are compared with "all outcomes equally often" by chi-square."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import jaxtyping


@contextmanager
def types_unchecked() -> Iterator[None]:
    """Checking the types of every call makes it ten times slower: too slow for thousands of samples."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def check_uniform(counts: Counter, outcomes: Sequence, what: str) -> None:
    """Pearson's chi-square stays below its mean plus six standard deviations (k - 1 degrees of freedom)."""
    impossible = set(counts) - set(outcomes)
    assert not impossible, f"{what}: impossible outcomes {impossible}"
    k, expected = len(outcomes), counts.total() / len(outcomes)
    statistic = sum((counts[outcome] - expected) ** 2 / expected for outcome in outcomes)
    limit = k - 1 + 6 * (2 * (k - 1)) ** 0.5
    worst = max(outcomes, key=lambda outcome: abs(counts[outcome] - expected))
    assert statistic <= limit, (
        f"{what}: each of {k} outcomes is expected {expected:.1f} times, but {worst!r} came {counts[worst]} times\n"
        f"(chi-square {statistic:.1f}, limit {limit:.1f})"
    )
