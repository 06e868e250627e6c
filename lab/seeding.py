"""Seeds, and the states of the three random generators that a training can draw from: python's, numpy's and torch's.

Equal seeds are not enough: threads add into one place in any order, and a float sum depends on the order. So torch is
asked for deterministic operations, where it has them.
"""

import random

import numpy as np
import torch


def seed_everything(seed: int) -> None:
    """Seeds python, numpy's global generator and torch, on every device; from here on, torch adds in a fixed order.

    On the CPU every operation that is used here is deterministic; torch warns where one is not.

    Raises:
        ValueError: if ``seed`` does not lie in 0 … 2³² − 1, which is what numpy takes.
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie between 0 and 2**32 - 1, got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  the global generator is what other people's code draws from
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # that is for finding bugs, and it takes time


def random_states() -> dict:
    """The states of all generators, in tensors, lists and numbers alone, as ``torch.load(weights_only=True)`` asks."""
    numpy_state = np.random.get_state(legacy=False)  # noqa: NPY002
    numpy_state["state"]["key"] = numpy_state["state"]["key"].tolist()
    states = {"python": random.getstate(), "numpy": numpy_state, "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()  # of this process's own device
    if torch.backends.mps.is_available():
        states["mps"] = torch.mps.get_rng_state()
    return states


def restore_random_states(states: dict) -> None:
    """Restores the states that ``random_states`` returned, so that the same random numbers follow."""
    random.setstate(states["python"])
    np.random.set_state(states["numpy"])  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state(states["cuda"])
    if "mps" in states and torch.backends.mps.is_available():
        torch.mps.set_rng_state(states["mps"])
