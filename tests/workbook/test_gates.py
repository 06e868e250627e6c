"""The gates of the exercises. ``make gates`` takes all exercises; ``make test`` takes one of each paper.

1. Blank: its tests fail. 2. The real function: they pass. 3. Each known mistake: they fail, and the verdict names it.
4. Hints are there, and none has the solution's line. 5. Blanking one leaves the others passing, unless they need it.
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
from workbook.verdict import explain, explain_all

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


@each
def test_a_blank_fails_and_the_others_pass(exercise: Exercise, copied) -> None:
    """Gates 1 and 5."""
    others = exercises_of(exercise.paper) if ALL else [exercise]
    outcomes = judge(copied(exercise.paper, work.blanked(exercise.paper, only=exercise)), others)
    failed = {name for name, outcome in outcomes.items() if not outcome.passed}
    expected = {other.name for other in others if other == exercise or exercise.name in other.needs}
    assert failed == expected, {name: outcomes[name] for name in failed ^ expected}
    assert outcomes[exercise.name].kind == ("wrong" if exercise.plant else "blank")
    assert {outcomes[name].kind for name in failed - {exercise.name}} <= ({"wrong"} if exercise.plant else {"needs"})


@pytest.mark.parametrize("paper", PAPERS)
def test_the_real_functions_pass(paper: str, copied) -> None:
    """Gate 2."""
    judged = [e for e in exercises_of(paper) if e in CHOSEN]
    outcomes = judge(copied(paper, {}), judged)
    assert all(outcome.passed for outcome in outcomes.values()), outcomes


@pytest.mark.parametrize("paper", PAPERS)
def test_mistakes_fail_and_are_named(paper: str, copied) -> None:
    """Gate 3."""
    jobs = [(e, name) for e, name in MISTAKES if e.paper == paper]
    judged = judge_jobs(copied(paper, {}), jobs)
    assert [job for job, outcome in judged if outcome.kind != "wrong"] == []
    explained = explain_all([(exercise, outcome) for (exercise, _), outcome in judged])
    named = [each.get("mistake", "") for each in explained]
    assert named == [mistake for _, mistake in jobs]
    assert all(each["came"] != each["expected"] for each in explained)


@pytest.mark.parametrize("exercise", [e for e in EVERY.values() if e.plant and (ALL or e in CHOSEN)], ids=named)
def test_a_planted_mistake_is_named(exercise: Exercise, copied) -> None:
    """Gates 1 and 3, for the mistake that the reader has to find."""
    outcome = judge(copied(exercise.paper, work.blanked(exercise.paper, only=exercise)), [exercise])[exercise.name]
    assert outcome.kind == "wrong", outcome
    assert explain(exercise, outcome).get("mistake") == exercise.plant[2], explain(exercise, outcome)


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


@pytest.mark.parametrize("name", [name for paper in PAPERS for name in solutions(paper)][:: 1 if ALL else 4])
def test_another_solution_passes(name: str, copied) -> None:
    """Gate 6: its body in the place of the real one."""
    exercise = EVERY[name]
    other = solutions(exercise.paper)[name]
    module = inspect.getsource(inspect.getmodule(other))
    imports = [line for line in module.splitlines() if line.startswith(("import ", "from "))]
    text = (ROOT / exercise.file).read_text(encoding="utf-8")
    inner = source.find(text, place(name)[1]).col_offset + 4
    own = source.body(module, other.__name__).splitlines()
    needed = [
        f"{' ' * inner}{line}" for line in imports if f"from {place(name)[0][:-3].replace('/', '.')} " not in line
    ]
    body = "\n".join([*needed, *(f"{' ' * (inner - 4)}{line}" for line in own)])
    work_folder = copied(exercise.paper, {exercise.file: source.with_body(text, place(name)[1], body)})
    assert judge(work_folder, [exercise])[name].passed, judge(work_folder, [exercise])[name]
