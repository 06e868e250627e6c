"""A stub, for the work on ``compare`` only. The lead's version replaces it."""

from dataclasses import dataclass

from clip_mini.commands.compare import Compare
from clip_mini.commands.task import ClipTask
from clip_mini.train import CONFIGS
from lab import cli, training


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on the toy world."""

    def execute(self, command: str) -> None:
        print(training.train(ClipTask("toy", CONFIGS["toy"]), self, command).results["splits"])


VERBS = (Train, Compare)
DEFAULT = Train
