"""The memory and the time of loss and gradient at large batches: figure 3's loss, and the same in chunks of rows.

Each measurement has a process of its own. It makes random features, asks the operating system how much memory it has,
computes loss and gradient, and asks for the peak. The gradients of the features, which every loss must have, are
subtracted. At the paper's batch of 32,768 pairs, the core's loss needs 4 GB for each n × n matrix.
"""

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from clip_mini.extensions.chunked import chunked_contrastive_loss
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import FIRST_SCALE
from lab.timing import table

COMMON, CHUNK = 512, 128  # dimensions of the features, rows of the similarities at a time
MUST, MOONSHOT = 600, 200  # MB, at the paper's batch
LOSSES: Mapping[str, Callable] = {
    "core": lambda *inputs: contrastive_loss(pairwise_similarity(*inputs)),
    "chunks": lambda *inputs: chunked_contrastive_loss(*inputs, CHUNK),
}
SIZES = (("core", 8192), ("chunks", 8192), ("core", 16384), ("chunks", 16384), ("chunks", 32768))  # pairs


def measure(sizes: tuple[tuple[str, int], ...] = SIZES, common: int = COMMON) -> tuple[str, dict[str, Any]]:
    """The table, and its numbers: one row for each loss and size."""
    rows = []
    for name, pairs in sizes:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append({"loss": name, "pairs": pairs, **pool.apply(measure_once, (name, pairs, common))})
    found = {
        "dimensions": common, "chunk": CHUNK, "must": MUST, "moonshot": MOONSHOT, "threads": torch.get_num_threads(),
        "rows": rows,
    }  # fmt: skip
    cells = [("loss", "pairs", "MB beside", "features, MB", "seconds")]
    for row in rows:
        features = f"{row['features'] / 1e6:,.0f}"
        cells.append(
            (row["loss"], f"{row['pairs']:,}", f"{row['beside'] / 1e6:,.0f}", features, f"{row['seconds']:.1f}")
        )
    note = (
        f"float32, {common} dimensions, {CHUNK} rows in a chunk. MB beside: the peak, without features and gradients."
    )
    return f"{table(cells)}\n\n{note}\nAt 32,768 pairs it must be below {MUST} MB; moonshot {MOONSHOT} MB.", found


def measure_once(name: str, pairs: int, common: int) -> dict[str, float | int]:
    """In a process of its own: bytes of the features, bytes beside features and gradients, seconds, loss."""
    value_and_gradients(name, *random_features(64, common))  # what torch loads at the first call is no part of a loss
    inputs = random_features(pairs, common)
    features = sum(tensor.numel() * tensor.element_size() for tensor in inputs)
    before, _ = memory()
    begun = time.perf_counter()
    loss = value_and_gradients(name, *inputs)
    seconds = time.perf_counter() - begun
    _, peak = memory()
    return {"features": features, "beside": peak - before - features, "seconds": round(seconds, 2), "value": loss}


def random_features(pairs: int, common: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    image, text = (torch.randn(pairs, common, generator=generator).requires_grad_() for _ in range(2))
    return image, text, torch.tensor(FIRST_SCALE, requires_grad=True)


def value_and_gradients(name: str, *inputs: torch.Tensor) -> float:
    loss = LOSSES[name](*inputs)
    loss.backward()
    return loss.item()


def memory() -> tuple[int, int]:
    """Bytes of this process in memory: now, and at its peak. Where Linux's ``/proc`` is missing, twice the peak."""
    status = Path("/proc/self/status")
    if status.exists():  # not getrusage: its peak may be that of the process that started this one
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return tuple(1024 * int(fields[name].split()[0]) for name in ("VmRSS", "VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return peak, peak
