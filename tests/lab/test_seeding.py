"""The same seed, the same numbers; and states that go through a file that may hold no code."""

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab import checkpoint
from lab.seeding import random_states, restore_random_states, seed_everything

GENERATORS = {"python": random.random, "numpy": np.random.rand, "torch": lambda: torch.rand(1).item()}


def draw() -> dict[str, list[float]]:
    return {name: [generator() for _ in range(3)] for name, generator in GENERATORS.items()}


@given(seed=st.integers(0, 2**32 - 1))
def test_a_seed_decides_all_three(seed) -> None:
    seed_everything(seed)
    first = draw()
    seed_everything(seed)
    assert draw() == first
    seed_everything((seed + 1) % 2**32)
    other = draw()
    assert all(other[name] != first[name] for name in GENERATORS)


def test_threads_add_in_a_fixed_order() -> None:
    """A row that many threads add to, as in the gradient of an embedding or of ``rows[which]``."""
    seed_everything(0)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        which, addends = torch.randint(0, 50, (20_000,)), torch.randn(20_000, 64)
        sums = [torch.zeros(50, 64).index_put((which,), addends, accumulate=True) for _ in range(10)]
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(sums[0], other) for other in sums[1:])


@given(before=st.integers(0, 700), gauss=st.booleans())
def test_states_come_back_out_of_a_file(before, gauss, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("states") / "states.pt"
    seed_everything(before)
    for _ in range(before):
        draw()
    if gauss:  # both keep the second number of a pair
        random.gauss(0, 1)
        np.random.randn()  # noqa: NPY002
    checkpoint.save(path, random_states())
    expected = draw(), random.gauss(0, 1), np.random.randn()  # noqa: NPY002
    seed_everything(1)
    restore_random_states(checkpoint.load(path))
    assert (draw(), random.gauss(0, 1), np.random.randn()) == expected  # noqa: NPY002


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_wrong_seed_is_named(seed) -> None:
    with pytest.raises(ValueError, match=f"seed must lie between 0 and .*, got {seed}"):
        seed_everything(seed)
