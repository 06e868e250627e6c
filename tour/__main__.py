"""``python -m tour`` trains every paper and writes ``runs/tour/report.html``; status 1 if a promise is not kept."""

from pathlib import Path

import tyro

from lab import command_line
from tour.tour import take_tour


def main() -> None:
    """Train every paper anew, in short, and write one report with pictures."""
    with command_line():
        if not take_tour(Path("runs/tour")):
            raise SystemExit(1)


if __name__ == "__main__":
    tyro.cli(main, prog="python -m tour")
