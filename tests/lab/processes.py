"""Several processes in a test: forks with the environment that torchrun gives. They import nothing again.

As under torchrun, the parent keeps the store in which they find each other.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch.distributed import TCPStore

from lab import distributed
from tests.lab import tiny


def ended_in_processes(count: int, work: Callable[[int], None]) -> list[tiny.Ended]:
    """How each process has ended; ``work(rank)`` runs in all of them at once, before they find each other."""
    store = TCPStore("localhost", 0, is_master=True, wait_for_workers=False)
    job = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    job |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": "0"}
    job |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(store.port)}

    def worker(rank: int) -> None:
        os.environ.update(job, RANK=str(rank), LOCAL_RANK=str(rank))
        work(rank)

    return [wait() for wait in [tiny.fork(partial(worker, rank)) for rank in range(count)]]


def in_processes(count: int, work: Callable[[int], Any], folder: Path) -> list[Any]:
    """What ``work(rank)`` returns in each of ``count`` connected processes: tensors, lists, numbers and names."""

    def connected(rank: int) -> None:
        distributed.start(torch.device("cpu"))
        torch.save(work(rank), folder / f"{count}-{rank}.pt")
        distributed.leave()

    for ended in ended_in_processes(count, connected):
        assert ended.returncode == 0, ended.stderr
    return [torch.load(folder / f"{count}-{rank}.pt") for rank in range(count)]
