"""What a paper contributes to the tour: its ``report/chapter.py`` has ``CHAPTERS``, one for each data set."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lab import training
from lab.cli import TrainingOptions


@dataclass(frozen=True)
class Row:
    """One promise of a paper: what is measured, and three accuracies from 0 to 1."""

    measured: str
    chance: float
    reached: float
    promised: float

    @property
    def kept(self) -> bool:
        return self.reached >= self.promised


@dataclass(frozen=True)
class Exhibit:
    """A picture (.png) or a sound (.wav) in the report, with a sentence or two on what there is to see or to hear."""

    path: Path
    text: str


def exhibits(files: Iterable[Path], texts: Mapping[str, str]) -> tuple[Exhibit, ...]:
    """The pictures and sounds that have a text, found by their name without suffix, in the order of the texts."""
    named = {file.stem: file for file in files if file.suffix in (".png", ".wav")}
    return tuple(Exhibit(named[name], text) for name, text in texts.items() if name in named)


@dataclass(frozen=True)
class Page:
    """A paper's part of the report. ``seconds`` are those of training."""

    paper: str
    data: str
    about: str  # one paragraph
    rows: tuple[Row, ...]
    seconds: float
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True)
class Chapter:
    """A chapter without training; ``make(options)`` gives its page."""

    make: Callable[[TrainingOptions], Page]

    def check(self, options: TrainingOptions, command: str) -> None:
        """A chapter without training can always begin."""

    def page(self, options: TrainingOptions, command: str) -> Page:
        return self.make(options)


@dataclass(frozen=True)
class TrainedChapter:
    """A chapter about a trained model. Its run is the paper's own, so every verb can use the model afterwards.

    Attributes:
        paper, name: of the run, ``runs/PAPER/NAME``.
        config: what it is trained with.
        task: given the options and the command, what is trained.
        tell: gives the page about a trained and judged model.
        once: if true, a finished run is used again, because other models were built on its weights.
    """

    paper: str
    name: str
    config: Any
    task: Callable[[TrainingOptions, str], training.Task]
    tell: Callable[[training.Trained], Page]
    once: bool = False

    def chosen(self, options: TrainingOptions) -> TrainingOptions:
        return replace(options, resume=True) if self.once and not options.restart else options

    def check(self, options: TrainingOptions, command: str) -> None:
        """Raises ValueError if a run is in the way; called for all chapters before the first one begins."""
        training.check_start(self.paper, self.name, self.config, self.chosen(options), command)

    def page(self, options: TrainingOptions, command: str) -> Page:
        return self.tell(training.train_or_reuse(self.task(options, command), self.chosen(options), command))
