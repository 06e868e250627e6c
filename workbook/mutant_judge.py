"""Judges the mutants of a file, each in a fork of one process that has imported everything else already.

First each test runs once, without a change: which functions does it reach, and how long does it take? Then a mutant is
judged by the tests that reach its function, the fastest first, until one fails.
"""

import hashlib
import importlib
import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import settings

from workbook.exercises import ROOT
from workbook.failures import TooLong
from workbook.plugin import run_pytest
from workbook.work import write

KILLED, SURVIVED, LATE = "killed", "survived", "late"
SECONDS = 40  # of computing for all tests of a mutant, and a quarter of it for one; more if they need more
LAZY = ("torch._dynamo", "sympy")  # what torch imports only when it needs it
STATUS = {SURVIVED: 0, KILLED: 1, LATE: 10}


@dataclass(frozen=True)
class Mutant:
    line: int
    change: str  # the line as it was, and as it is now
    text: str  # of the whole file
    function: str = ""  # the outermost function or method around the change: "loss", "VQA.forward"

    @property
    def key(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def judge_mutants(file: str, tests: Sequence[str], mutants: Sequence[Mutant], kept: Path, seconds: float) -> None:
    """Writes the verdict of each mutant into the file ``kept`` as soon as it is known."""
    with tempfile.TemporaryDirectory() as folder:
        work, paper = Path(folder), file.partition("/")[0]
        shutil.copytree(ROOT / paper, work / paper, ignore=shutil.ignore_patterns("pictures", "__pycache__"))
        sys.dont_write_bytecode = True
        plugin = Forks(work, file, tests, mutants, kept, time.monotonic() + seconds)
        options = ["-k", "not caught and not misconception", f"--basetemp={work / 'tmp'}"]
        options.append("--hypothesis-profile=once")
        status = run_pytest(work, tests, options, plugin)
        if plugin.child:  # a fork of this process ends here: without a failure, or because the file cannot be imported
            os._exit(
                {0: STATUS[SURVIVED], 5: STATUS[SURVIVED], 1: STATUS[KILLED], 2: STATUS[KILLED]}.get(status, status)
            )
        if plugin.error:
            raise RuntimeError(plugin.error)


class Forks:
    """A plugin of pytest: forks before the tests are collected, once for each mutant."""

    def __init__(
        self, work: Path, file: str, tests: Sequence[str], mutants: Sequence[Mutant], kept: Path, until: float
    ) -> None:
        self.work, self.file, self.tests, self.mutants, self.kept, self.until = work, file, tests, mutants, kept, until
        self.child, self.tracing, self.error = False, False, ""
        self.reached: dict[str, tuple[float, list[str]]] = {}  # test: its seconds, the functions that it reaches
        self.chosen: list[str] | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool | None:
        for name in LAZY:
            importlib.import_module(name)
        if self.fork(lambda: self.trace(session.config)) != STATUS[SURVIVED]:
            self.error = f"{self.file}: without any change fails {(self.work / 'reached.json').read_text()}"
            return True
        if self.child:
            return None
        self.reached = json.loads((self.work / "reached.json").read_text())
        for name in json.loads((self.work / "modules.json").read_text()):
            with suppress(Exception):
                importlib.import_module(name)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        for mutant in self.mutants:
            if time.monotonic() > self.until:
                break
            status = self.fork(lambda mutant=mutant: self.plant(mutant, session.config))
            if self.child:
                return None
            verdict = next((name for name, value in STATUS.items() if value == status), "")
            if not verdict:
                self.error = f"{self.file}: pytest ended with {status} for {mutant.change}"
                return True
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            known = json.loads(self.kept.read_text("utf-8"))
            seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
            known["verdicts"][mutant.key] = verdict, round(seconds, 2)
            before = used
            write(self.kept, json.dumps(known))
        return True

    def fork(self, prepare: Callable[[], None]) -> int:
        """The exit status of a fork; in the fork itself: 0."""
        pid = os.fork()
        if pid == 0:
            self.child = True
            prepare()
            return 0
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        if -status in (signal.SIGXCPU, signal.SIGALRM):
            return STATUS[LATE]
        return status if status >= 0 else STATUS[KILLED]  # below 0: it died

    def trace(self, config: pytest.Config) -> None:
        self.tracing, config.option.limit = True, 10 * SECONDS
        settings.load_profile("reach")

    def plant(self, mutant: Mutant, config: pytest.Config) -> None:
        write(self.work / self.file, mutant.text)
        reach = [
            (seconds, test)
            for test, (seconds, functions) in self.reached.items()
            if not mutant.function or mutant.function in functions
        ]
        self.chosen = [test for _, test in sorted(reach)]
        if not self.chosen:
            os._exit(STATUS[SURVIVED])
        config.args = sorted({test.partition("::")[0] for test in self.chosen})
        config.option.limit = SECONDS / 4 + 5 * max(seconds for seconds, _ in reach)
        most = SECONDS + int(20 * sum(seconds for seconds, _ in reach))  # the first run had a fifth of the examples
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        signal.alarm(600)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Of the table of defaults only the rows of this file: others import the whole paper."""
        rows = [f"test_defaults[{self.file.removesuffix('.py').replace('/', '.')}"]
        rows += ["test_the_readme_measured_this_configuration["] if self.file.endswith("/train.py") else []
        known = {
            item.nodeid: item
            for item in items
            if "[" not in item.nodeid or "test_defaults.py" not in item.nodeid or any(r in item.nodeid for r in rows)
        }
        chosen = known if self.chosen is None else self.chosen
        items[:] = [known[test] for test in chosen if test in known]  # a mutant may change the names of tests

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Without a change: each test in a fork, so that no test finds what another one has computed."""
        if not self.tracing or session.testsfailed:
            return None
        paper = self.file.partition("/")[0]
        others = [name for name in sys.modules if not f"{name}.".startswith((f"{paper}.", f"tests.{paper}."))]
        write(self.work / "modules.json", json.dumps(others))
        for item in session.items:
            pid = os.fork()
            if pid == 0:
                self.note(item)
            if os.waitpid(pid, 0)[1]:
                write(self.work / "reached.json", json.dumps(item.nodeid))
                os._exit(STATUS[KILLED])
        os._exit(STATUS[SURVIVED])

    def note(self, item: pytest.Item) -> None:
        """Runs one test and notes the functions of the file that it reaches."""
        path, found, begun = str(self.work / self.file), set(), time.process_time()

        def called(frame: FrameType, *_) -> None:
            if frame.f_code.co_filename == path:
                found.add(frame.f_code.co_qualname.partition(".<locals>")[0])

        sys.settrace(called)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        sys.settrace(None)
        target = self.work / "reached.json"
        reached = json.loads(target.read_text()) if target.exists() else {}
        reached[item.nodeid] = time.process_time() - begun, sorted(found)
        write(target, json.dumps(reached))
        os._exit(0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo) -> None:
        """The first failure is enough."""
        if call.excinfo and not isinstance(call.excinfo.value, pytest.skip.Exception):
            os._exit(STATUS[LATE if isinstance(call.excinfo.value, TooLong) else KILLED])
