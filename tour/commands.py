"""What ``python -m tour`` does."""

from dataclasses import dataclass
from pathlib import Path

from lab import cli
from tour.tour import chapters, take_tour


@dataclass(frozen=True, kw_only=True)
class Tour(cli.Machine):
    """Train every paper anew, and write a report, runs/tour/report.html. Exit status 1: a promise is broken."""

    resume: cli.Flag = False  # go on with a tour that was stopped; what is finished is not trained again
    restart: cli.Flag = False  # begin anew; stopped runs, and runs of another configuration, are replaced

    def execute(self, command: str) -> None:
        options = cli.TrainingOptions(
            threads=self.threads, device=self.device, resume=self.resume, restart=self.restart
        )
        if not take_tour(Path("runs/tour"), chapters(), options, command):
            raise SystemExit(1)


VERBS = (Tour,)
DEFAULT = Tour
