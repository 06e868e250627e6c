"""Where a training runs: the first of cuda, mps and cpu that is there, or the one that was asked for."""

import torch


def choose_device(name: str | None = None) -> torch.device:
    """The device called ``name`` (cuda, cuda:1, mps, cpu), or without a name the fastest kind that is there.

    Raises:
        ValueError: if the named device is not there; the message says which are.
    """
    there = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if there:
        there.insert(0, "cuda")  # without a number: the current one, which under torchrun is this process's own
    if torch.backends.mps.is_available():
        there.append("mps")
    there.append("cpu")
    if name is not None and name not in there:
        raise ValueError(f"device must be one of {', '.join(there)} on this machine, got {name!r}")
    return torch.device(name or there[0])
