"""Judges exercises in a copy of a paper: the outcome of each.

The tests run in a process of their own (``plugin``). If it dies, each exercise gets one, so the others are judged all
the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbook import source
from workbook.exercises import Exercise, place
from workbook.process import in_a_process

START_SECONDS, JOB_SECONDS = 120, 30  # on the clock: a function that sleeps uses no processor time
Job = tuple[Exercise, str]  # an exercise, and a misconception that is judged in its place; "" is the reader's function


@dataclass
class Outcome:
    """What came of the tests of one exercise."""

    exercise: str
    kind: str = "not judged"  # passed, blank, needs, wrong, raised, time, exit, import, syntax, died
    message: str = ""
    where: str = ""  # the reader's file and line
    test: str = ""
    equation: str = ""
    file: str = ""  # the file that was judged
    calls: list[bytes] = field(default_factory=list, repr=False)  # of each test from the failed one on: ``recorder``

    @property
    def passed(self) -> bool:
        return self.kind == "passed"


def judge(work: Path, exercises: Sequence[Exercise]) -> dict[str, Outcome]:
    """Judges the copy of a paper in the folder ``work``: the outcome of each of the exercises, by name."""
    return {job[0].name: outcome for job, outcome in judge_jobs(work, [(e, "") for e in exercises])}


def judge_jobs(work: Path, jobs: Sequence[Job]) -> list[tuple[Job, Outcome]]:
    """The outcome of each job; all jobs are of one paper. The gates judge misconceptions with it."""
    outcomes = [syntax_error(work, exercise) for exercise, _ in jobs]
    rest = [job for job, outcome in zip(jobs, outcomes, strict=True) if outcome is None]
    seconds = START_SECONDS + JOB_SECONDS * len(rest)
    judged = in_a_process("workbook.plugin.run_tests", work.resolve(), rest, seconds=seconds) if rest else []
    judged = iter(judge_one_by_one(work, rest) if judged is None else judged)
    results = [(job, outcome or next(judged)) for job, outcome in zip(jobs, outcomes, strict=True)]
    for (exercise, _), outcome in results:
        if outcome.file and Path(outcome.file) != (work / exercise.file).resolve():
            raise RuntimeError(f"{exercise.name}: judged was {outcome.file}, not the copy in {work}")
    return results


def judge_one_by_one(work: Path, jobs: Sequence[Job]) -> list[Outcome]:
    """After a process has died: each job in a process of its own."""
    if len(jobs) == 1:
        return [Outcome(jobs[0][0].name, "died")]
    return [judge_jobs(work, [job])[0][1] for job in jobs]


def syntax_error(work: Path, exercise: Exercise) -> Outcome | None:
    path = work / exercise.file
    if not path.is_file():
        raise ValueError(f"{path} is not there: python -m workbook start {exercise.paper}")
    try:
        source.find(path.read_text(encoding="utf-8"), place(exercise.name)[1])
    except SyntaxError as error:
        line = (error.text or "").strip()
        return Outcome(exercise.name, "syntax", f"{error.msg}: {line}", f"{path}, line {error.lineno}")
    except ValueError as error:
        return Outcome(exercise.name, "syntax", str(error), str(path))
    return None
