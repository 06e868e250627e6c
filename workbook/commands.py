"""The verbs of ``python -m workbook``: list (the default), start, check, watch, hint, compare, reset."""

import ast
import difflib
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from lab import cli
from workbook import source, work
from workbook.exercises import LANGUAGES, ROOT, Exercise, exercises_of, find_exercise, papers_with_exercises, place
from workbook.judge import Outcome, judge
from workbook.verdict import verdict

Name = Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
Language = Annotated[Literal["en", "ko"] | None, tyro.conf.arg(metavar="{en,ko}", help_behavior_hint="")]
MARKS = {work.SOLVED: "✓", work.TRIED: "◐", "": "·"}
SAY = {
    "intro": (
        "Write the functions of a paper; its tests judge them. ✓ solved, ◐ tried, · not yet",
        "논문의 함수를 직접 작성하면 논문의 테스트가 채점합니다. ✓ 정답, ◐ 시도함, · 아직",
    ),
    "next": ("next: {}", "다음: {}"),
    "mistake": (" (find the mistake)", " (틀린 곳 찾기)"),
    "needs": (" (first: {})", " (먼저: {})"),
    "all solved": ("all exercises of {} are solved", "{}의 모든 문제를 풀었습니다"),
    "started": ("{} is ready: {} new files. Write in {}", "{} 준비 완료: 새 파일 {}개. 여기에 작성하십시오: {}"),
    "task": ("task: {}", "문제: {}"),
    "find": (
        "One thing in this function is wrong. Find it and correct it. ",
        "이 함수에는 틀린 곳이 하나 있습니다. 찾아서 고치십시오. ",
    ),
    "hint": ("hint {} of {}: {}", "힌트 {}/{}: {}"),
    "yours": ("yours", "내 코드"),
    "real": ("the real one", "원래 코드"),
    "ask": ("Make {} blank again? [y/N] ", "{} 함수를 다시 비우시겠습니까? [y/N] "),
    "kept": ("blank again; the old file is kept as {}", "다시 비웠습니다. 이전 파일: {}"),
    "unchanged": ("nothing was changed", "바뀐 것이 없습니다"),
    "watching": (
        "watching {}: save a file to check it; Ctrl-C ends",
        "{} 감시 중: 저장하면 채점합니다. 끝내려면 Ctrl-C",
    ),
}  # fmt: skip


def say(key: str, language: str, *values: object) -> str:
    return SAY[key][LANGUAGES.index(language)].format(*values)


@dataclass(frozen=True, kw_only=True)
class Options(cli.Threads):
    """Options of every verb."""

    language: Language = None  # of texts and verdicts; the last one that was chosen is kept

    def chosen(self) -> str:
        """The language, kept for the next command."""
        progress = work.Progress(work.WORK)
        if self.language is None or self.language == progress.read()["language"]:
            return progress.read()["language"]
        return progress.change(lambda state: state.update(language=self.language))["language"]


@dataclass(frozen=True, kw_only=True)
class List(Options):
    """Show the papers, their exercises, what is solved, and the next exercise."""

    def execute(self, command: str) -> None:
        language = self.chosen()
        states = {
            name: values.get("state", "") for name, values in work.Progress(work.WORK).read()["exercises"].items()
        }
        print(say("intro", language))
        following = ""
        for paper in papers_with_exercises():
            exercises = exercises_of(paper)
            print(f"\n{paper}  {sum(states.get(e.name) == work.SOLVED for e in exercises)}/{len(exercises)}")
            for exercise in exercises:
                state = states.get(exercise.name, "")
                ahead = [need for need in exercise.needs if states.get(need) != work.SOLVED]
                notes = say("mistake", language) if exercise.plant else ""
                notes += say("needs", language, ", ".join(ahead)) if ahead else ""
                print(f"  {MARKS[state]} {exercise.name}{notes}")
                if not following and state != work.SOLVED:
                    verb = "check" if (work.WORK / paper).is_dir() else "start"
                    following = f"python -m workbook {verb} {paper}"
        print("\n" + say("next", language, following or "—"))


@dataclass(frozen=True, kw_only=True)
class Start(Options):
    """Write a copy of a paper to my_work, with its exercises blank. Files that are there stay as they are."""

    paper: Name  # for example clip_mini

    def execute(self, command: str) -> None:
        exercises = exercises_of(self.paper)
        language = self.chosen()
        new = work.start(self.paper, work.WORK, language)
        print(say("started", language, self.paper, len(new), work.WORK / self.paper))
        show_task(first_unsolved(exercises) or exercises[0], language)


@dataclass(frozen=True, kw_only=True)
class Check(Options):
    """Judge what you have written, with the tests of the paper. The first failure is shown."""

    name: Name  # a paper, or one exercise

    def execute(self, command: str) -> None:
        exercises = exercises_of(self.name) if "." not in self.name else (find_exercise(self.name),)
        if not check(exercises, self.chosen(), several="." not in self.name):
            raise SystemExit(1)


@dataclass(frozen=True, kw_only=True)
class Watch(Options):
    """Judge an exercise again each time you save its file."""

    paper: Name  # for example clip_mini

    def execute(self, command: str) -> None:
        from watchfiles import PythonFilter, watch

        exercises, language = exercises_of(self.paper), self.chosen()
        before = written(exercises)
        print(say("watching", language, work.WORK / self.paper), flush=True)
        for _ in watch(work.WORK / self.paper, watch_filter=PythonFilter(), debounce=200, raise_interrupt=True):
            after = written(exercises)
            changed = [e for e in exercises if after[e.name] != before[e.name] and not is_untouched(e)]
            changed = changed or [first_unsolved(exercises)]
            before = after
            check([e for e in changed if e], language)
            sys.stdout.flush()


@dataclass(frozen=True, kw_only=True)
class Hint(Options):
    """Show the next hint of an exercise, from gentle to plain. After the last one, all are shown again."""

    name: Name  # the exercise

    def execute(self, command: str) -> None:
        exercise, language = find_exercise(self.name), self.chosen()
        progress = work.Progress(work.WORK)
        count = len(exercise.hints)
        shown = progress.read()["exercises"].get(exercise.name, {}).get("hints", 0)
        for k in range(count) if shown >= count else [shown]:
            print(say("hint", language, k + 1, count, exercise.hints[k][LANGUAGES.index(language)]))
        progress.note(exercise, hints=min(shown + 1, count))


@dataclass(frozen=True, kw_only=True)
class Compare(Options):
    """Show your version of a function beside the real one."""

    name: Name  # the exercise

    def execute(self, command: str) -> None:
        exercise, language = find_exercise(self.name), self.chosen()
        name = place(exercise.name)[1]
        path = work.WORK / exercise.file
        try:
            mine = source.function(work.read(path), name).splitlines()
        except SyntaxError as error:
            raise ValueError(f"{path}, line {error.lineno}: {error.msg}") from None
        real = source.function((ROOT / exercise.file).read_text(encoding="utf-8"), name).splitlines()
        print("\n".join(beside([say("yours", language), *mine], [say("real", language), *real])))


@dataclass(frozen=True, kw_only=True)
class Reset(Options):
    """Make one function blank again. It asks first, and keeps a copy of the file."""

    name: Name  # the exercise

    def execute(self, command: str) -> None:
        exercise, language = find_exercise(self.name), self.chosen()
        work.read(work.WORK / exercise.file)
        print(say("ask", language, exercise.name), end="", flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print(say("unchanged", language))
            return
        print(say("kept", language, work.reset(exercise, work.WORK, language)))


def first_unsolved(exercises: Sequence[Exercise]) -> Exercise | None:
    return next((e for e in exercises if work.Progress(work.WORK).state(e) != work.SOLVED), None)


def written(exercises: Sequence[Exercise]) -> dict[str, str]:
    """The present text of each function; that of its file where it cannot be read."""
    texts = {}
    for exercise in exercises:
        text = work.read(work.WORK / exercise.file)
        try:
            texts[exercise.name] = source.function(text, place(exercise.name)[1])
        except (SyntaxError, ValueError):
            texts[exercise.name] = text
    return texts


def check(exercises: Sequence[Exercise], language: str, several: bool = False) -> bool:
    """Judges exercises, keeps the progress, and prints the first failure, or the next task. Whether all is right."""
    progress, failed = work.Progress(work.WORK), None
    outcomes = judge(work.WORK, [e for e in exercises if not is_untouched(e)])
    for exercise in exercises:
        nothing = Outcome(exercise.name, "unchanged" if exercise.plant else "blank")
        outcome = outcomes.get(exercise.name, nothing)
        untouched = outcome.kind in ("blank", "unchanged")
        if outcome.kind not in ("syntax", "import"):  # these say nothing of the function
            progress.note(exercise, state=work.SOLVED if outcome.passed else "" if untouched else work.TRIED)
        if several or outcome.passed:
            print(f"{MARKS[progress.state(exercise)]} {exercise.name}")
        elif untouched:
            print(*verdict(exercise, outcome, language))
        if not untouched and not outcome.passed:
            failed = failed or (exercise, outcome)
    if failed:
        print("\n".join(verdict(*failed, language)))
        return False
    unsolved = first_unsolved(exercises)
    following = unsolved or first_unsolved(exercises_of(exercises[0].paper))
    if following is None:
        print(say("all solved", language, exercises[0].paper))
        return True
    show_task(following, language)
    return unsolved is None


def is_untouched(exercise: Exercise) -> bool:
    """Whether the function is as ``start`` wrote it: blank, or with its planted mistake. Comments do not count."""
    name = place(exercise.name)[1]
    begun = work.emptied((ROOT / exercise.file).read_text(encoding="utf-8"), name, exercise, LANGUAGES[0])
    texts = work.read(work.WORK / exercise.file), begun
    try:
        now, then = (ast.dump(ast.parse(source.function(text, name))) for text in texts)
    except (SyntaxError, ValueError):  # it was changed so that it cannot be read
        return False
    return now == then


def show_task(exercise: Exercise, language: str) -> None:
    """What to write next, and where."""
    text = say("find", language) if exercise.plant else ""
    text += exercise.write[LANGUAGES.index(language)]
    path = work.WORK / exercise.file
    with suppress(SyntaxError, ValueError):  # the file cannot be read now: its path will do
        path = f"{path}:{source.find(work.read(path), place(exercise.name)[1]).lineno}"
    print(say("next", language, exercise.name))
    print(f"  {path}")
    print(*(f"  {line}" for line in source.wrapped(say("task", language, text), 116)), sep="\n")
    print(f"  python -m workbook check {exercise.name}")


def beside(left: Sequence[str], right: Sequence[str]) -> list[str]:
    """Two texts in two columns, equal lines in the same row; one below the other in a narrow terminal."""
    width = max(map(len, left))
    if width + max(map(len, right)) + 3 > shutil.get_terminal_size((120, 40)).columns:
        return [*left, "", *right]
    rows = []
    for _, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for k in range(max(b - a, d - c)):
            mine, real = (left[a + k] if a + k < b else ""), (right[c + k] if c + k < d else "")
            rows.append(f"{mine:{width}} {'│' if mine == real else '┃'} {real}".rstrip())
    return rows


VERBS = (List, Start, Check, Watch, Hint, Compare, Reset)
DEFAULT = List
