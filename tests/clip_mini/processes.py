"""Several processes in a test: forks with the environment that torchrun gives. They import nothing again."""

import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from lab import distributed
from tests.lab import tiny


def ended_in_processes(count: int, work: Callable[[int], None]) -> list[tiny.Ended]:
    """How each process has ended; ``work(rank)`` runs in all of them at once, before they find each other."""
    with socket.create_server(("localhost", 0)) as server:
        port = server.getsockname()[1]  # free again at once
    job = {"TORCHELASTIC_RUN_ID": "test", "WORLD_SIZE": str(count), "LOCAL_WORLD_SIZE": str(count)}
    job |= {"MASTER_ADDR": "localhost", "MASTER_PORT": str(port)}

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
