"""The memory that word2vec needs for a text of 1 GB, beside the tables of its vocabulary.

The text is artificial: names whose frequencies follow Zipf's law. A process of its own counts it and trains one epoch;
the operating system reports the peak memory of that process.
"""

import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from lab import training
from lab.checkpoint import write_text
from lab.cli import TrainingOptions
from lab.timing import table
from word2vec.commands.tasks import TextTask
from word2vec.extensions.text import TextConfig

NAMES, WORDS_A_LINE, LINES = 1_000_000, 20, 20_000  # LINES: written at once
RESULTS = Path("runs/bench/memory/results.json")
MUST = 1000  # MB


def measure(size: float | int = 1.0, results: Path = RESULTS) -> str:
    """The table for a text of ``size`` GB; its numbers are written to ``results``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "names.txt"
        write_names(path, round(size * 1e9))
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            found = pool.apply(train_once, (path,))
        found = {"bytes": path.stat().st_size, **found}
    found["beside"] = found["peak"] - found["tables"]
    content = {"paper": "word2vec", "what": "memory", "command": "python -m bench memory", "must": MUST, **found}
    write_text(results, json.dumps(content, indent=2) + "\n")
    rows = [("what", "MB")]
    for name in ("bytes", "peak", "tables", "beside"):
        rows.append((name, f"{found[name] / 1e6:,.0f}"))
    summary = f"{found['words']:,} words, {found['vocabulary']:,} in the vocabulary, {found['seconds']:.0f} s"
    return f"{table(rows)}\n\n{summary}; must be below {MUST:,} MB beside the tables.\n{results}"


def write_names(path: Path, size: int) -> None:
    """A text of at least ``size`` bytes: independent words, f(r) ~ 1/(r + 2.7)."""
    random = np.random.default_rng(0)
    ends = np.cumsum(1 / (np.arange(NAMES) + 3.7))
    names = np.array([f"name{number:x}" for number in range(NAMES)])
    with path.open("w", encoding="utf-8") as file:
        while file.tell() < size:
            drawn = names[np.searchsorted(ends, random.random((LINES, WORDS_A_LINE)) * ends[-1])]
            file.writelines(" ".join(line) + "\n" for line in drawn.tolist())


def train_once(path: Path) -> dict[str, float | int]:
    """In a process of its own: counts and trains one epoch; peak memory and tables in bytes."""
    os.chdir(path.parent)  # the run goes there
    begun = time.monotonic()
    task = TextTask(TextConfig(epochs=1), path)
    trained = training.train(task, TrainingOptions(device="cpu"), "python -m bench memory")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    tables = sum(tensor.numel() * tensor.element_size() for tensor in trained.model.parameters())
    names = sum(len(word.encode()) + 8 for word in task.vocabulary.words)
    return {
        "peak": peak,
        "tables": tables + names,
        "words": trained.results["words"],
        "vocabulary": len(task.vocabulary),
        "seconds": round(time.monotonic() - begun, 1),
    }
