"""``python -m tour`` trains every paper and writes ``runs/tour/report.html``; status 1 if a promise is not kept."""

from functools import partial
from pathlib import Path

import tyro

from lab import command_line
from tour.tour import PAPERS, take_tour


def main(resume: bool = False) -> None:
    """Train every paper anew, in short, and write one report with pictures.

    Args:
        resume: go on with the training that was stopped; the others begin anew.
    """
    with command_line():
        papers = {name: partial(chapter, resume=resume) for name, chapter in PAPERS.items()}
        if not take_tour(Path("runs/tour"), papers):
            raise SystemExit(1)


if __name__ == "__main__":
    tyro.cli(main, prog="python -m tour", config=(tyro.conf.FlagCreatePairsOff,))
