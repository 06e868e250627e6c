"""The reader's folder ``my_work``: copies of the papers with blank functions, and what is solved.

A paper's folder in it is a copy of the real one. The real folders are never touched. ``progress.json`` is replaced in
one step, so a killed process leaves the old one or the new one.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from filelock import FileLock

from workbook import source
from workbook.exercises import LANGUAGES, ROOT, Exercise, exercises_of, place

WORK = Path("my_work")
TRIED, SOLVED = "tried", "solved"
NO_CODE = shutil.ignore_patterns("__pycache__", "pictures", "*.md")


class Progress:
    """What the reader has solved, how many hints were shown, and the language."""

    def __init__(self, work: Path) -> None:
        self.path = work / "progress.json"

    def read(self) -> dict:
        if not self.path.exists():
            return {"language": "en", "exercises": {}}
        try:
            return json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError:
            raise ValueError(f"{self.path} is damaged: delete it, and check the papers again") from None

    def change(self, edit: Callable[[dict], None]) -> dict:
        """Reads, edits and replaces the file, one process at a time."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self.path.with_suffix(".lock")):
            state = self.read()
            edit(state)
            write(self.path, json.dumps(state, indent=2, ensure_ascii=False))
        return state

    def state(self, exercise: Exercise) -> str:
        return self.read()["exercises"].get(exercise.name, {}).get("state", "")

    def note(self, exercise: Exercise, **values: object) -> None:
        self.change(lambda state: state["exercises"].setdefault(exercise.name, {}).update(values))


def write(path: Path, text: str) -> None:
    """Replaces a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def read(path: Path) -> str:
    """A reader's file.

    Raises:
        ValueError: if it is not there.
    """
    if not path.is_file():
        raise ValueError(f"{path} is not there: python -m workbook start {path.parts[-2]}")
    return path.read_text(encoding="utf-8")


def blanked(paper: str, language: str = "en", kept: Collection[str] = ()) -> dict[str, str]:
    """The text of each file of a paper that has an exercise or gives one away, with the blanks; ``kept`` are solved."""
    texts: dict[str, str] = {}
    exercises = [exercise for exercise in exercises_of(paper) if exercise.name not in kept]
    for exercise in exercises:
        for hidden in exercise.hides:
            file, name = place(hidden)
            text = texts.get(file) or (ROOT / file).read_text(encoding="utf-8")
            texts[file] = source.blank(text, name, f"{hidden} {source.HIDDEN}")
    for exercise in exercises:
        file, name = place(exercise.name)
        text = texts.get(file) or (ROOT / file).read_text(encoding="utf-8")
        texts[file] = emptied(text, name, exercise, language)
    return texts


def emptied(text: str, name: str, exercise: Exercise, language: str) -> str:
    """A file with one function blank, or with its planted mistake."""
    note = exercise.write[LANGUAGES.index(language)]
    if exercise.plant:
        return source.planted(text, name, *exercise.plant[:2])
    return source.blank(text, name, f"{exercise.name} {source.BLANK}", note)


def start(paper: str, work: Path, language: str) -> list[str]:
    """Writes ``my_work/PAPER``. A file that is there already stays as it is; the new ones are returned."""
    texts, new = blanked(paper, language), []
    for path in sorted((ROOT / paper).rglob("*")):
        file = path.relative_to(ROOT).as_posix()
        if path.is_dir() or (work / file).exists() or {"__pycache__", "pictures"} & set(path.parts):
            continue
        new.append(file)
        if file in texts:
            write(work / file, texts[file])
        else:
            (work / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, work / file)
    return new


def reset(exercise: Exercise, work: Path, language: str) -> Path:
    """Makes one function blank again. The file as it was is kept; its path is returned."""
    path, name = work / exercise.file, place(exercise.name)[1]
    text = read(path)
    fresh = emptied((ROOT / exercise.file).read_text(encoding="utf-8"), name, exercise, language)
    try:
        changed = source.with_body(text, name, source.body(fresh, name))
    except SyntaxError as error:
        said = f"{path}, line {error.lineno}: {error.msg}"
        raise ValueError(f"{said}; mend this line, or delete the file and start again") from None
    kept = work / "kept" / f"{exercise.name}.{time.strftime('%Y%m%d-%H%M%S')}.{time.time_ns() % 10**6}.py"
    write(kept, text)
    write(path, changed)
    Progress(work).note(exercise, state="")
    return kept
