"""What is fast here, beside the plain way: beam search over a batch of images, and a training step."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import tyro

from lab import cli
from lab.checkpoint import write_text
from show_attend_tell.report import bench_decode, bench_step

RESULTS = Path("runs/bench/show_attend_tell")
Part = Literal["decode", "step"]
PARTS = {"decode": bench_decode.measure, "step": bench_step.measure}


def measure(part: Part, repetitions: int, results: Path = RESULTS) -> str:
    """The table of a part; its numbers are written to ``results``, where ``docs/tables.py --take`` finds them.

    Raises:
        ValueError: if ``repetitions`` is below 1.
    """
    if repetitions < 1:
        raise ValueError(f"--repetitions must be at least 1, got {repetitions}")
    text, rows = PARTS[part](repetitions)
    path = results / part / "results.json"
    command = f"python -m bench show_attend_tell --parts {part}"
    content = {"paper": "show_attend_tell", "what": part, "command": command, "repetitions": repetitions, "rows": rows}
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return f"{text}\n{path}"


@dataclass(frozen=True, kw_only=True)
class Show_attend_tell(cli.Threads):
    """Beam search over 64 images at once beside one image at a time; a training step beside the plainest loop."""

    parts: tyro.conf.UseAppendAction[tuple[Part, ...]] = ()  # decode or step; by default both
    repetitions: int = 5  # how often each candidate runs, in turn

    def execute(self, command: str) -> None:
        for part in self.parts or PARTS:
            print(f"{measure(part, self.repetitions)}\n")


VERBS = (Show_attend_tell,)
