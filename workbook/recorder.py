"""The judged functions, in the other process: each is replaced by one that notes its arguments.

A job may put a known mistake in the function's place. The real form of a hidden function is lent to the tests.
"""

import functools
import importlib
import importlib.util
import pickle
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from workbook.exercises import ROOT, Exercise, mistake_of, place
from workbook.judge import Job
from workbook.mistakes import Behaviour, as_called, behaviour

CALLS, CALL_BYTES = 60, 200_000  # how many calls are noted, and how large one may be


class Recorder:
    """Notes the calls of the running job's function."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.judged: dict[Job, Callable] = {}
        self.running: Job | None = None
        self.calls: deque[bytes] = deque(maxlen=CALLS)  # of the running test

    def install(self, exercise: Exercise, jobs: Sequence[Job]) -> str:
        """Imports the exercise's file, puts a function that notes its calls into it, and returns the file's path."""
        module, name = imported(exercise.name)
        *owners, last = name.split(".")
        owner = functools.reduce(getattr, owners, module)
        real = getattr(owner, last)
        setattr(owner, last, self.noting(exercise, real))
        for job in jobs:
            self.judged[job] = as_called(real, mistake_of(exercise.paper, job[1])) if job[1] else real
        return module.__file__

    def noting(self, exercise: Exercise, real: Callable) -> Callable:
        """The judged function, with a note of its arguments; calls from inside it go to the real one."""
        inside = False

        @functools.wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal inside
            if inside or self.running is None or self.running[0] != exercise:
                return real(*args, **kwargs)
            with suppress(Exception):
                note = pickle.dumps((args, kwargs))
                if len(note) <= CALL_BYTES:
                    self.calls.append(note)
            inside = True
            try:
                return self.judged[self.running](*args, **kwargs)
            finally:
                inside = False

        return call

    def lend(self, hidden: str) -> None:
        """Tests may use a hidden function, in its real form; the reader's code may not."""
        try:
            module, name = imported(hidden)
        except BaseException:  # the reader's file is broken: its own exercises say so
            return
        file = ROOT / place(hidden)[0]
        specification = importlib.util.spec_from_file_location(f"hidden.{module.__name__}", file)
        real_module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(real_module)
        taken_out, real = getattr(module, name), getattr(real_module, name)

        @functools.wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            reader = str(self.work) in sys._getframe(1).f_code.co_filename
            return (taken_out if reader else real)(*args, **kwargs)

        setattr(module, name, call)

    def begin(self, job: Job) -> None:
        self.running = job
        self.calls.clear()

    def behaviours(self, job: Job) -> Iterator[tuple[bytes, Behaviour]]:
        """Each noted call, the shortest first, with what the function gives."""
        self.running = None  # a misconception that calls the function gets the real one
        for note in sorted(dict.fromkeys(self.calls), key=len):
            yield note, behaviour(self.judged[job], note)


def imported(name: str) -> tuple[ModuleType, str]:
    """The module of a function, and the function's name in it. A broken module is not run again."""
    file, inner = place(name)
    module = file.removesuffix(".py").replace("/", ".")
    try:
        return importlib.import_module(module), inner
    except BaseException:
        sys.modules[module] = None  # the tests that import it fail, too
        raise
