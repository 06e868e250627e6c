"""Runs the tests of exercises against a copy of a paper, in the other process: a plugin of pytest.

pytest puts the copy first on the import path (``-o pythonpath=… --import-mode=importlib``). So ``import clip_mini`` is
the reader's. Of each exercise the first failure is kept, with the calls that ``recorder`` has noted.
"""

import os
import pickle
import re
import shlex
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import torch

from workbook import source
from workbook.exercises import ROOT, Exercise, exercises_of
from workbook.failures import TooLong, equation_of, limited, said
from workbook.judge import Job, Outcome
from workbook.recorder import Recorder

TEST_SECONDS = 8  # of processor time, for one test


def run_tests(work: Path, jobs: list[Job]) -> list[Outcome]:
    plugin = Judge(work, jobs)
    files = {f"tests/{e.paper}/{test.partition('::')[0]}" for e, _ in jobs for test in e.tests}
    run_pytest(work, sorted(files), plugin=plugin)
    if plugin.internal_error:
        raise RuntimeError(plugin.internal_error)
    return list(plugin.outcomes.values())


def run_pytest(work: Path, tests: Sequence[str], more: Sequence[str] = (), plugin: object | None = None) -> int:
    """Runs tests against the copies in ``work``; returns pytest's exit status."""
    os.environ["CI"] = "1"  # hypothesis draws the same examples each time: see tests/conftest.py
    options = [
        "-q", "--import-mode=importlib", "-o", f"pythonpath={shlex.quote(str(work))} docs", f"--rootdir={ROOT}",
        f"--limit={TEST_SECONDS}", "--continue-on-collection-errors", "-p", "no:cacheprovider", "-p", "no:xdist",
    ]  # fmt: skip
    return int(pytest.main([*tests, *options, *more], plugins=[plugin] if plugin else None))


class Judge:
    """Chooses the tests, and keeps the first failure of each job."""

    def __init__(self, work: Path, jobs: list[Job]) -> None:
        self.work, self.jobs = work, jobs
        self.recorder = Recorder(work)
        self.outcomes = {job: Outcome(job[0].name) for job in jobs}
        self.owners: dict[pytest.Item, Job] = {}
        self.failed_import: Outcome | None = None
        self.internal_error = ""

    def pytest_internalerror(self, excrepr: object) -> None:
        self.internal_error = str(excrepr)

    def pytest_collection(self) -> None:
        """Before the tests are imported: they then import the functions that note their calls."""
        for exercise in dict.fromkeys(exercise for exercise, _ in self.jobs):
            jobs = [job for job in self.jobs if job[0] == exercise]
            own = [self.outcomes[job] for job in jobs]
            try:
                file = self.recorder.install(exercise, jobs)
            except BaseException as error:
                for outcome in own:
                    outcome.kind, outcome.message, outcome.where = "import", said(error), self.line_of(error)
                self.failed_import = self.failed_import or own[0]
            else:
                for outcome in own:
                    outcome.file = file
        for hidden in dict.fromkeys(hidden for e in exercises_of(self.jobs[0][0].paper) for hidden in e.hides):
            self.recorder.lend(hidden)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The tests of each job, in its order; a call in a test file becomes a test of that file."""
        found = list(items)
        items.clear()
        for job in self.jobs:
            for test in job[0].tests:
                file, _, name = test.partition("::")
                own = [item for item in found if item.path == ROOT / "tests" / job[0].paper / file]
                chosen = [item for item in own if name in (item.name, item.originalname)]
                if name.endswith(")"):
                    chosen = [a_call(own[0], name)] if own else []
                if own and not chosen:
                    raise RuntimeError(f"{job[0].name}: {file} has no test {name}")
                for item in chosen:
                    item = a_copy(item) if item in self.owners else item
                    self.owners[item] = job
                    items.append(item)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A test file that could not be imported fails its exercises."""
        if not report.failed:
            return
        for (exercise, _), outcome in self.outcomes.items():
            files = {f"{exercise.paper}/{test.partition('::')[0]}" for test in exercise.tests}
            if outcome.kind == "not judged" and report.nodeid.endswith(tuple(files)):
                broken = self.failed_import or Outcome("", message=str(report.longrepr).splitlines()[-1])
                outcome.kind, outcome.message, outcome.where = "import", broken.message, broken.where

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """The first failure of a job is enough. After a wrong result the other tests tell mistakes apart."""
        self.recorder.begin(self.owners[item])
        if self.outcomes[self.owners[item]].kind not in ("not judged", "passed", "wrong"):
            pytest.skip("this exercise has failed")

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> None:
        job = self.owners[item]
        outcome = self.outcomes[job]
        if outcome.kind == "wrong" and call.when == "call":
            outcome.calls.append(self.behaviours(item))
        if outcome.kind not in ("not judged", "passed"):
            return
        if call.excinfo is None:
            outcome.kind = "passed" if call.when == "call" else outcome.kind
            return
        error = call.excinfo.value
        outcome.kind, outcome.message, outcome.test = kind_of(error, outcome.exercise), said(error), item.nodeid
        outcome.where = self.line_of(error)
        outcome.equation = equation_for(item, job[0])
        if outcome.kind in ("wrong", "raised"):
            outcome.calls.append(self.behaviours(item))

    def behaviours(self, item: pytest.Item) -> bytes:
        """The noted calls with what the function gives, as many as the time allows; pickled with the default dtype."""
        pairs = []
        with suppress(TooLong), limited(item):
            pairs.extend(self.recorder.behaviours(self.owners[item]))
        return pickle.dumps((torch.get_default_dtype(), pairs))

    def line_of(self, error: BaseException) -> str:
        """The last line of the reader's that an error has passed."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if str(self.work) in f.filename]
        if isinstance(error, SyntaxError):
            return f"{self.shown(error.filename or '')}, line {error.lineno}"
        return f"{self.shown(frames[-1].filename)}, line {frames[-1].lineno}: {frames[-1].line}" if frames else ""

    def shown(self, path: str) -> str:
        return str(Path(path).relative_to(self.work.parent)) if str(self.work) in path else path


def a_call(item: pytest.Item, code: str) -> pytest.Function:
    """A test that evaluates a call in the names of a test file."""
    module = item.getparent(pytest.Module)
    return pytest.Function.from_parent(module, name=code, callobj=lambda: eval(code, vars(module.obj)))


def a_copy(item: pytest.Item) -> pytest.Function:
    """The same test once more, for another exercise."""
    return pytest.Function.from_parent(
        item.parent, name=item.name, callspec=getattr(item, "callspec", None), callobj=item.obj,
        fixtureinfo=item._fixtureinfo, originalname=item.originalname,
    )  # fmt: skip


def equation_for(item: pytest.Item, exercise: Exercise) -> str:
    """The row of the test in its file's table "equation → function → test"; for a call, the row of the function."""
    table = item.module.__doc__ or ""
    function = [word for word in exercise.name.split(".") if word not in ("forward", "__init__")][-1]
    rows = [row.strip() for row in table.splitlines() if re.search(rf"\S\s\s.*\b{function}\b", row)]
    own = equation_of(item.obj, table).get("equation")
    return own or (re.split(r"\s{2,}", rows[0])[0] if rows else "")


def kind_of(error: BaseException, exercise: str) -> str:
    if isinstance(error, NotImplementedError) and str(error).endswith(source.BLANK):
        return "blank" if str(error).startswith(f"{exercise} ") else "needs"
    if isinstance(error, TooLong):
        return "time"
    if isinstance(error, SystemExit):
        return "exit"
    return "wrong" if isinstance(error, AssertionError) or type(error).__name__ == "TypeCheckError" else "raised"
