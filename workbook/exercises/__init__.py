"""An exercise is data: which function of a paper is written anew, what judges it, hints, and known mistakes.

Each paper has a file ``workbook/exercises/PAPER.py`` with ``EXERCISES``, in the order in which to solve them. Nothing
of the papers or of their tests is copied: an exercise names a function by its dotted path, and its tests by file.
"""

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.papers import PAPERS

ROOT = Path(__file__).parent.parent.parent  # of the repository: the papers and their tests
LANGUAGES = ("en", "ko")
Words = tuple[str, str]  # the same in English and in Korean


@dataclass(frozen=True, eq=False)
class Exercise:
    """One function of a paper."""

    name: str  # its dotted path, for example clip_mini.model.MultiHeadAttention.forward
    tests: tuple[str, ...]  # "test_loss.py::test_by_hand", or a call in the test file: "test_loss.py::check(function)"
    write: Words  # what the function has to do
    hints: tuple[Words, ...]  # from gentle to plain
    mistakes: Mapping[str, str] = field(
        default_factory=dict
    )  # in tests/PAPER/misconceptions: "file.name", why in Korean
    hides: tuple[str, ...] = ()  # functions that give the answer away: their bodies are taken out too
    needs: tuple[str, ...] = ()  # exercises whose functions these tests use: solve them first
    plant: tuple[str, str, str] | None = None  # spot the mistake: this text, becomes that one, its name in ``mistakes``

    @property
    def paper(self) -> str:
        return self.name.partition(".")[0]

    @property
    def file(self) -> str:
        """Its file, from the root of the repository."""
        return place(self.name)[0]


def place(name: str) -> tuple[str, str]:
    """A dotted path as a file and the name in it: "stft.mel.decibels" gives ("stft/mel.py", "decibels")."""
    words = name.split(".")
    for count in range(len(words) - 1, 0, -1):
        file = Path(*words[:count]).with_suffix(".py")
        if (ROOT / file).is_file():
            return file.as_posix(), ".".join(words[count:])
    raise ValueError(f"{name} is no function of a paper")


def mistake_of(paper: str, name: str) -> Callable:
    """A wrong version in tests/PAPER/misconceptions, as "file.name"; also one that only a list of the file holds."""
    file, _, function = name.partition(".")
    module = importlib.import_module(f"tests.{paper}.misconceptions.{file}")
    lists = (each for value in vars(module).values() if isinstance(value, tuple) for each in value)
    found = [each for each in (getattr(module, function, None), *lists) if getattr(each, "__name__", "") == function]
    if not found:
        raise ValueError(f"tests/{paper}/misconceptions/{file}.py has no {function}")
    return found[0]


def papers_with_exercises() -> tuple[str, ...]:
    return tuple(paper for paper in PAPERS if importlib.util.find_spec(f"workbook.exercises.{paper}"))


def exercises_of(paper: str) -> tuple[Exercise, ...]:
    """The exercises of a paper, in order.

    Raises:
        ValueError: if the paper has none.
    """
    known = papers_with_exercises()
    if paper not in known:
        raise ValueError(f"the paper must be one of {', '.join(known)}, got {paper!r}")
    return importlib.import_module(f"workbook.exercises.{paper}").EXERCISES


def find_exercise(name: str) -> Exercise:
    """An exercise by its dotted path.

    Raises:
        ValueError: if there is none with this name.
    """
    for exercise in exercises_of(name.partition(".")[0]):
        if exercise.name == name:
            return exercise
    names = ", ".join(exercise.name for exercise in exercises_of(name.partition(".")[0]))
    raise ValueError(f"the exercise must be one of {names}, got {name!r}")
