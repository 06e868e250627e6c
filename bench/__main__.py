"""``python -m bench stft`` or ``… toyworld``: prints one bench's table."""

from collections.abc import Sequence

import tyro

from bench import stft, toyworld
from lab import command_line

BENCHES = {"stft": stft.measure, "toyworld": toyworld.measure}


def bench(name: tyro.conf.Positional[str], repetitions: int = 25) -> None:
    """Measure how fast it is here.

    Args:
        name: what is measured: stft or toyworld.
        repetitions: how often each candidate runs, in turn.
    """
    if name not in BENCHES:
        raise ValueError(f"name must be one of {', '.join(BENCHES)}, got {name!r}")
    print(BENCHES[name](repetitions))


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        tyro.cli(bench, prog="python -m bench", args=arguments)


if __name__ == "__main__":
    main()
