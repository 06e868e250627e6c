"""cuda before mps before cpu, and a clear word for what is not there."""

import pytest
import torch

from lab.device import choose_device


@pytest.fixture
def machine(monkeypatch):
    def has(gpus: int, mps: bool) -> None:
        monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)

    return has


@pytest.mark.parametrize(("gpus", "mps", "expected"), [(2, True, "cuda"), (0, True, "mps"), (0, False, "cpu")])
def test_the_fastest_that_is_there(machine, gpus, mps, expected) -> None:
    machine(gpus, mps)
    assert choose_device() == torch.device(expected)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1", "mps", "cpu"])
def test_the_named_one(machine, name) -> None:
    machine(2, True)
    assert choose_device(name) == torch.device(name)


@pytest.mark.parametrize(
    ("gpus", "mps", "name", "there"),
    [(0, False, "cuda", "cpu"), (2, False, "cuda:2", "cuda, cuda:0, cuda:1, cpu"), (0, True, "gpu", "mps, cpu")],
)
def test_what_is_not_there_is_named_beside_what_is(machine, gpus, mps, name, there) -> None:
    machine(gpus, mps)
    with pytest.raises(ValueError, match=f"one of {there} on this machine, got '{name}'"):
        choose_device(name)
