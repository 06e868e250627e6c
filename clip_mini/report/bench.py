"""What is fast and what is small here, beside peers: a training step, the loss of a large batch, search."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from clip_mini.report import bench_memory, bench_search, bench_step
from lab import cli
from lab.checkpoint import write_text

RESULTS = Path("runs/bench/clip_mini")
Part = Literal["step", "memory", "search"]
PARTS: tuple[Part, ...] = ("step", "memory", "search")


def measure(part: Part, repetitions: int, results: Path = RESULTS) -> str:
    """The table of a part; its numbers are written to ``results``, where ``docs/tables.py --take`` finds them.

    Raises:
        ValueError: if ``repetitions`` is below 1.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1, got {repetitions}")
    found: tuple[str, dict[str, Any]]
    if part == "step":
        found = bench_step.measure(repetitions)
    elif part == "memory":
        found = bench_memory.measure()
    else:
        found = bench_search.measure()
    path = results / part / "results.json"
    command = f"python -m bench clip_mini --parts {part}"
    content = {"paper": "clip_mini", "what": part, "command": command, "repetitions": repetitions, "rows": found[1]}
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return f"{found[0]}\n{path}"


@dataclass(frozen=True, kw_only=True)
class Clip_mini(cli.Threads):
    """A training step beside transformers, the memory of the loss at 32,768 pairs, and search in a million vectors."""

    parts: tyro.conf.UseAppendAction[tuple[Part, ...]] = ()  # step, memory or search; by default all three
    repetitions: int = 9  # how often each candidate of the training step runs, in turn

    def execute(self, command: str) -> None:
        for part in self.parts or PARTS:
            print(f"{measure(part, self.repetitions)}\n")


VERBS = (Clip_mini,)
