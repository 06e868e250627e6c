"""Runs the tests of exercises against a copy of a paper, in a process of its own.

pytest puts the copy first on the import path (``-o pythonpath=… --import-mode=importlib``). So ``import clip_mini`` is
the reader's. Each judged function is replaced by one that notes its arguments. After a failure, ``verdict`` looks
for the smallest arguments for which the real function gives something else. The process may hang or die: the others
are judged all the same.
"""

import functools
import importlib
import importlib.util
import inspect
import multiprocessing
import os
import pickle
import shlex
import sys
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from workbook import source
from workbook.exercises import ROOT, Exercise, exercises_of, mistake_of, place
from workbook.failures import TooLong, equation_of, limited, said

TEST_SECONDS, ALL_SECONDS = 8, 600  # CPU seconds of one test; wall seconds of all tests of a process
CALLS, CALL_BYTES = 60, 200_000  # how many calls are noted, and how large one may be
PRELOADED = ["torch", "pytest", "hypothesis.extra.numpy", "jaxtyping", "beartype", "workbook.judge"]


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
    calls: list[bytes] = field(default_factory=list, repr=False)  # of each test from the failed one on: ``behaviours``

    @property
    def passed(self) -> bool:
        return self.kind == "passed"


def context() -> multiprocessing.context.BaseContext:
    """Where the system can fork, a server imports torch once; a fork of it needs no second for this."""
    methods = multiprocessing.get_all_start_methods()
    chosen = multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")
    if "forkserver" in methods:
        chosen.set_forkserver_preload(PRELOADED)
    return chosen


def in_a_process(function: Callable, *arguments: Any, seconds: float = ALL_SECONDS) -> Any:
    """``function(*arguments)`` in another process; None if that dies or takes too long."""
    receiver, sender = context().Pipe(duplex=False)
    process = context().Process(target=send, args=(sender, function, *arguments))
    with mock.patch.dict(vars(sys.modules["__main__"]), __spec__=None, __file__=None):
        process.start()  # the new process does not import the program that is running: that may be pytest
    sender.close()
    try:
        result = receiver.recv() if receiver.poll(seconds) else None
        if isinstance(result, str):
            raise RuntimeError(f"the judge itself failed:\n{result}")
        return result
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def send(sender: Connection, function: Callable, *arguments: Any) -> None:
    os.chdir(ROOT)
    sys.path[:] = [str(ROOT), *(path for path in sys.path if path not in ("", str(ROOT)))]
    with open(os.devnull, "r+") as nothing:  # noqa: PTH123
        sys.stdin, sys.stdout, sys.stderr = nothing, nothing, nothing
        for number in (0, 1, 2):
            os.dup2(nothing.fileno(), number)
        try:
            sender.send(function(*arguments))
        except Exception:
            sender.send(traceback.format_exc())


Job = tuple[Exercise, str]  # an exercise, and a misconception that is judged in its place; "" is the reader's function


def judge(work: Path, exercises: Sequence[Exercise]) -> dict[str, Outcome]:
    """Judges the copy of a paper in the folder ``work``: the outcome of each of the exercises, by name."""
    return {job[0].name: outcome for job, outcome in judge_jobs(work, [(e, "") for e in exercises])}


def judge_jobs(work: Path, jobs: Sequence[Job]) -> list[tuple[Job, Outcome]]:
    """The outcome of each job; all jobs are of one paper. The gates judge misconceptions with it."""
    outcomes = [syntax_error(work, exercise) for exercise, _ in jobs]
    rest = [job for job, outcome in zip(jobs, outcomes, strict=True) if outcome is None]
    judged = iter(in_a_process(run_tests, work.resolve(), rest) or judge_one_by_one(work, rest) if rest else [])
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


# ---- in the other process


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
    """A plugin of pytest: chooses the tests, notes the calls, and keeps the first failure of each job."""

    def __init__(self, work: Path, jobs: list[Job]) -> None:
        self.work, self.jobs = work, jobs
        self.outcomes = {job: Outcome(job[0].name) for job in jobs}
        self.judged: dict[Job, Callable] = {}
        self.owners: dict[pytest.Item, Job] = {}
        self.running: Job | None = None
        self.calls: deque[bytes] = deque(maxlen=CALLS)  # of the running test
        self.failed_import: Outcome | None = None
        self.internal_error = ""

    def pytest_internalerror(self, excrepr: object) -> None:
        self.internal_error = str(excrepr)

    def pytest_collection(self) -> None:
        """Before the tests are imported: they then import the functions that note their calls."""
        mistakes = {job: mistake_of(job[0].paper, job[1]) for job in self.jobs if job[1]}
        for exercise in dict.fromkeys(exercise for exercise, _ in self.jobs):
            real = self.install(exercise)
            for job in self.jobs:
                if real and job[0] == exercise:
                    self.judged[job] = as_called(real, mistakes[job]) if job[1] else real
        for hidden in dict.fromkeys(hidden for e in exercises_of(self.jobs[0][0].paper) for hidden in e.hides):
            self.lend(hidden)

    def install(self, exercise: Exercise) -> Callable | None:
        """Imports the file, puts a function that notes its calls into it, and returns the one that was there."""
        file, name = place(exercise.name)
        module_name = file.removesuffix(".py").replace("/", ".")
        own = [outcome for (each, _), outcome in self.outcomes.items() if each == exercise]
        try:
            module = importlib.import_module(module_name)
        except BaseException as error:
            for outcome in own:
                outcome.kind, outcome.message, outcome.where = "import", said(error), self.line_of(error)
            self.failed_import = self.failed_import or own[0]
            sys.modules[module_name] = None  # the tests that import it fail, and do not run its code again
            return None
        for outcome in own:
            outcome.file = module.__file__
        *owners, last = name.split(".")
        owner = functools.reduce(getattr, owners, module)
        real = getattr(owner, last)
        setattr(owner, last, self.noting(exercise, real))
        return real

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
        file, name = place(hidden)
        module_name = file.removesuffix(".py").replace("/", ".")
        try:
            module = importlib.import_module(module_name)
        except BaseException:  # the reader's file is broken: its own exercises say so
            return
        specification = importlib.util.spec_from_file_location(f"hidden.{module_name}", ROOT / file)
        real_module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(real_module)
        taken_out, real = getattr(module, name), getattr(real_module, name)

        @functools.wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            reader = str(self.work) in sys._getframe(1).f_code.co_filename
            return (taken_out if reader else real)(*args, **kwargs)

        setattr(module, name, call)

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
        self.running = self.owners[item]
        self.calls.clear()
        if self.outcomes[self.running].kind not in ("not judged", "passed", "wrong"):
            pytest.skip("this exercise has failed")

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo) -> None:
        outcome = self.outcomes[self.owners[item]]
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
        table = equation_of(item.obj, item.module.__doc__ or "")
        outcome.equation = table.get("equation", "")
        if outcome.kind in ("wrong", "raised"):
            outcome.calls.append(self.behaviours(item))

    def behaviours(self, item: pytest.Item) -> bytes:
        """The noted calls, the shortest first, with what the function gives; pickled with the default dtype."""
        import torch

        pairs, function = [], self.judged[self.running]
        self.running = None  # a misconception that calls the function gets the real one
        with suppress(TooLong), limited(item):
            for note in sorted(dict.fromkeys(self.calls), key=len):
                pairs.append((note, behaviour(function, note)))
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


def as_called(real: Callable, mistake: Callable) -> Callable:
    """A mistake that takes the real function's arguments, defaults included; it may know fewer of them."""
    signature, count = inspect.signature(real), len(inspect.signature(mistake).parameters)

    def call(*args: Any, **kwargs: Any) -> Any:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return mistake(*bound.args[:count])

    return call


def kind_of(error: BaseException, exercise: str) -> str:
    if isinstance(error, NotImplementedError) and str(error).endswith(source.BLANK):
        return "blank" if str(error).startswith(f"{exercise} ") else "needs"
    if isinstance(error, TooLong):
        return "time"
    if isinstance(error, SystemExit):
        return "exit"
    return "wrong" if isinstance(error, AssertionError) or type(error).__name__ == "TypeCheckError" else "raised"


def behaviour(function: Callable, note: bytes) -> tuple[list[Any], list[Any]] | str:
    """What a function gives for noted arguments, and the gradient of a weighted sum of it; or the name of its error."""
    import torch
    from torch.utils import _pytree

    args, kwargs = pickle.loads(note)
    leaves: list[torch.Tensor] = []

    def fresh(value: Any) -> Any:
        if not torch.is_tensor(value) or not (value.is_floating_point() or value.is_complex()):
            return value
        leaves.append(value.detach().clone().requires_grad_())
        return leaves[-1] * 1

    args, kwargs = _pytree.tree_map(fresh, (args, kwargs))
    try:
        values = _pytree.tree_leaves(inspect.unwrap(function)(*args, **kwargs))
        summed = [v for v in values if torch.is_tensor(v) and v.requires_grad]
        gradients: list[Any] = []
        if summed and leaves:
            total = sum((v * weights_like(v)).sum() for v in summed)
            total = total.real + total.imag if total.is_complex() else total
            gradients = list(torch.autograd.grad(total, leaves, allow_unused=True, materialize_grads=True))
    except Exception as error:
        return type(error).__name__
    detached = [v.detach() if torch.is_tensor(v) else v for v in values]
    return detached, gradients


def weights_like(value: Any) -> Any:
    import torch

    return torch.randn(value.shape, generator=torch.Generator().manual_seed(0), dtype=value.dtype)
