"""What a paper tells the tour when it has been trained."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One promise of a paper: what is measured, and three accuracies between 0 and 1."""

    measured: str
    chance: float
    reached: float
    promised: float

    @property
    def kept(self) -> bool:
        return self.reached >= self.promised


@dataclass(frozen=True)
class Chapter:
    """A paper's part of the report. ``seconds`` are those of training; ``pictures`` are PNG files."""

    paper: str
    data: str
    about: str  # one paragraph
    rows: tuple[Row, ...]
    seconds: float
    pictures: tuple[Path, ...]
