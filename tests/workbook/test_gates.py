"""The gates of the exercises. ``make gates`` takes all exercises; ``make test`` takes one of each paper.

1. Blank: its tests fail. 2. The real function: they pass. 3. Each known mistake: they fail, and the verdict names it.
4. Hints are there, and none has the solution's line. 5. Blanks elsewhere change nothing, unless the listing says so.
6. Other correct solutions pass: the tests judge the mathematics, not our spelling.
"""

import importlib
import inspect
import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from workbook import source, work
from workbook.exercises import ROOT, Exercise, exercises_of, papers_with_exercises, place
from workbook.judge import judge, judge_jobs
from workbook.verdict import explain_all

PAPERS = papers_with_exercises()
EVERY = {exercise.name: exercise for paper in PAPERS for exercise in exercises_of(paper)}
FIRST = [next(e for e in exercises_of(paper) if e.mistakes and not e.needs) for paper in PAPERS]
ALL = "GATES" in os.environ
CHOSEN = list(EVERY.values()) if ALL else FIRST
MISTAKES = [(e, name) for e in CHOSEN for name in list(e.mistakes)[: None if ALL else 1]]


def named(value: object) -> str:
    return value.name if isinstance(value, Exercise) else str(value)


each = pytest.mark.parametrize("exercise", CHOSEN, ids=named)


@pytest.fixture
def copied(tmp_path: Path) -> Callable[[str, Mapping[str, str]], Path]:
    """Makes a copy of a paper in which some files have another text."""

    def make(paper: str, texts: Mapping[str, str]) -> Path:
        shutil.copytree(ROOT / paper, tmp_path / paper, ignore=shutil.ignore_patterns("pictures", "__pycache__"))
        for file, text in texts.items():
            (tmp_path / file).write_text(text, encoding="utf-8")
        return tmp_path

    return make


@pytest.mark.parametrize("paper", PAPERS if ALL else PAPERS[:1])
def test_what_start_writes_fails(paper: str, copied) -> None:
    """Gate 1: each exercise is blank or has its mistake, or uses one that is blank; the verdict names the mistake."""
    exercises = exercises_of(paper)
    outcomes = judge(copied(paper, work.blanked(paper)), exercises)
    kinds = {name: outcome.kind for name, outcome in outcomes.items()}
    assert kinds == {e.name: "wrong" if e.plant else "needs" if is_needy(e, kinds) else "blank" for e in exercises}
    planted = [e for e in exercises if e.plant]
    explained = explain_all([(e, outcomes[e.name]) for e in planted])
    assert [each.get("mistake") for each in explained] == [e.plant[2] for e in planted]


def is_needy(exercise: Exercise, kinds: Mapping[str, str]) -> bool:
    """Whether its tests meet another blank function first."""
    return bool(exercise.needs) and kinds[exercise.name] == "needs"


@each
def test_the_real_function_passes_beside_blanks(exercise: Exercise, copied) -> None:
    """Gates 2 and 5: it passes with those that the listing names as needed, and with blanks in all others."""
    texts = work.blanked(exercise.paper, kept={exercise.name, *exercise.needs})
    outcome = judge(copied(exercise.paper, texts), [exercise])[exercise.name]
    assert outcome.passed, outcome


@pytest.mark.parametrize("paper", PAPERS)
def test_mistakes_fail_and_are_named(paper: str, copied) -> None:
    """Gate 3."""
    jobs = [(e, name) for e, name in MISTAKES if e.paper == paper]
    judged = judge_jobs(copied(paper, {}), jobs)
    assert [job for job, outcome in judged if outcome.kind != "wrong"] == []
    explained = explain_all([(exercise, outcome) for (exercise, _), outcome in judged])
    named = [each.get("mistake", "") for each in explained]
    assert named == [mistake for _, mistake in jobs]
    alike = [name for (_, name), each in zip(jobs, explained, strict=True) if each["came"] == each["expected"]]
    assert alike == []


@pytest.mark.parametrize("exercise", EVERY.values(), ids=named)
def test_hints_help_and_do_not_tell(exercise: Exercise) -> None:
    """Gate 4. A solution's line is one of its statements; names of functions may be said."""
    file, name = place(exercise.name)
    text = source.body((ROOT / file).read_text(encoding="utf-8"), name)
    lines = [line.partition("  #")[0].strip().removeprefix("return ") for line in text.splitlines()]
    assert len(exercise.hints) >= 2
    for words in (exercise.write, *exercise.hints):
        english, korean = words
        assert any("가" <= letter <= "힣" for letter in korean), korean
        assert not any("가" <= letter <= "힣" for letter in english), english
        assert not [line for line in lines if len(line) > 12 and any(line in text for text in words)]
    assert all(any("가" <= letter <= "힣" for letter in why) for why in exercise.mistakes.values())


@pytest.mark.parametrize("paper", PAPERS)
def test_a_paper_has_enough(paper: str) -> None:
    """Six to ten exercises or a few more, at least one mistake to find, and what is needed comes first."""
    exercises = exercises_of(paper)
    assert 6 <= len(exercises) <= 12
    assert any(exercise.plant for exercise in exercises)
    names = [exercise.name for exercise in exercises]
    assert len(set(names)) == len(names)
    assert len(solutions(paper)) >= 2
    for k, exercise in enumerate(exercises):
        assert set(exercise.needs) <= set(names[:k]), exercise.name
        assert not exercise.plant or exercise.plant[2] in exercise.mistakes


def solutions(paper: str) -> dict[str, Callable]:
    """The other solutions, by the exercise's name."""
    module = importlib.import_module(f"tests.workbook.solutions.{paper}")
    by_name = {name.removeprefix(f"{paper}.").replace(".", "_"): name for name in EVERY if name.startswith(f"{paper}.")}
    return {by_name[name]: value for name, value in vars(module).items() if name in by_name}


@pytest.mark.parametrize("paper", PAPERS if ALL else PAPERS[:1])
def test_other_solutions_pass(paper: str, copied) -> None:
    """Gate 6: their bodies in the place of the real ones."""
    texts: dict[str, str] = {}
    for name, other in solutions(paper).items():
        file = EVERY[name].file
        text = texts.get(file) or (ROOT / file).read_text(encoding="utf-8")
        texts[file] = source.with_body(text, place(name)[1], body_of(other, text, name))
    outcomes = judge(copied(paper, texts), [EVERY[name] for name in solutions(paper)])
    assert all(outcome.passed for outcome in outcomes.values()), outcomes


def body_of(other: Callable, text: str, name: str) -> str:
    """The body of another solution, after the imports of its file; those from the exercise's own file are there."""
    module = inspect.getsource(inspect.getmodule(other))
    own_module = f"from {EVERY[name].file.removesuffix('.py').replace('/', '.')} "
    imports = [line for line in module.splitlines() if line.startswith(("import ", "from "))]
    lines = source.body(module, other.__name__).splitlines()
    inner = " " * source.find(text, place(name)[1]).col_offset
    needed = [f"    {line}" for line in imports if not line.startswith(own_module)]
    return "\n".join(f"{inner}{line}" for line in [*needed, *lines])
