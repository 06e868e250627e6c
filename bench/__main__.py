"""``python -m bench NAME`` prints one bench's table; see ``NAMES``."""

from collections.abc import Sequence
from pathlib import Path

import tyro

from bench import toyworld
from lab import command_line
from stft.report import bench as stft
from word2vec.report import bench as word2vec
from word2vec.report import memory

NAMES = ("stft", "toyworld", "word2vec", "bound", "memory")


def bench(name: tyro.conf.Positional[str], repetitions: int | None = None, folder: Path | None = None) -> None:
    """Measure how fast it is here, and how much memory it needs.

    Args:
        name: what is measured: stft, toyworld, word2vec, bound or memory.
        repetitions: how often each candidate runs, in turn; by default 25 times, for word2vec with 5 seeds.
        folder: with the texts that word2vec and bound read.
    """
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)}, got {name!r}")
    if folder is not None and name not in ("word2vec", "bound"):
        raise ValueError(f"--folder is for word2vec and bound alone, got it with {name}")
    if repetitions is not None and name in ("bound", "memory"):
        raise ValueError(f"--repetitions is not for {name}, which is measured once, got {repetitions}")
    match name:
        case "stft":
            print(stft.measure(25 if repetitions is None else repetitions))
        case "toyworld":
            print(toyworld.measure(25 if repetitions is None else repetitions))
        case "word2vec":
            print(word2vec.measure(5 if repetitions is None else repetitions, folder))
        case "bound":
            print(word2vec.measure_bound(folder))
        case "memory":
            print(memory.measure())


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        tyro.cli(bench, prog="python -m bench", args=arguments)


if __name__ == "__main__":
    main()
