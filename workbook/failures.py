"""What a failed test prints: the equation, what came, the input, and the line of code; no frame of test machinery.

``pytest -vv``, and ``--tb`` with a style, print the whole traceback. A test that computes for longer than ``--limit``
fails: a function that a reader wrote may never end. For tests of plumbing, none of this holds.
"""

import inspect
import linecache
import os
import pkgutil
import re
import signal
import sysconfig
import textwrap
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType

import jaxtyping
import pytest
from hypothesis import settings

WIDTH = 150
SAID = {"what", "equation", "got", "expected", "relative", "absolute", "rtol", "atol", "tolerance"}  # no inputs


class TooLong(BaseException):
    """No ``Exception``: hypothesis would try to make its input smaller."""


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "processor time of one test, in seconds; twenty times as much in the profile thorough"
    parser.addoption("--limit", type=float, default=30.0, metavar="SECONDS", help=text)


def is_plumbing(node: pytest.Item | pytest.Collector) -> bool:
    return "plumbing" in node.path.parts


@contextmanager
def limited(item: pytest.Item) -> Iterator[None]:
    def stop(*_) -> None:
        raise TooLong(f"no result after {seconds:g} s of computing; an endless loop?")

    seconds = item.config.getoption("limit") * max(1, settings().max_examples / 50)
    seconds = 0 if is_plumbing(item) else seconds  # 0: no limit
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with limited(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with limited(item):
        return (yield)


def is_short(node: pytest.Item | pytest.Collector) -> bool:
    option = node.config.option
    return option.verbose < 2 and option.tbstyle == "auto" and not is_plumbing(node)


@pytest.hookimpl(wrapper=True, tryfirst=True)  # the last to change a report
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    report = yield
    if report.failed and call.excinfo and is_short(item):
        report.longrepr = explain(call.excinfo.value, item.obj, item.module.__doc__ or "")
        report.sections = [section for section in report.sections if section[0] != "Hypothesis"]
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    if report.failed and is_short(collector):
        error = report.call.excinfo.value
        report.longrepr = explain(error.__cause__ or error)
    return report


def pytest_assertrepr_compare(config: pytest.Config, op: str, left: object, right: object) -> list[str] | None:
    """Of ``assert got == expected``: the first place where they differ."""
    if op != "==" or config.option.verbose > 1 or "/plumbing/" in os.environ.get("PYTEST_CURRENT_TEST", ""):
        return None
    place, left, right = first_difference(left, right)
    return [f"{place and f'at {place}: '}got {cut(repr(left), 60)}, expected {cut(repr(right), 60)}"]


def first_difference(left: object, right: object, place: str = "") -> tuple[str, object, object]:
    """The place, and what is there: of lists an index, of mappings a key, of records a field."""
    if type(left) is not type(right):
        return place, left, right
    fields = getattr(left, "_fields", None) or getattr(left, "__dataclass_fields__", ())
    if fields:
        pairs = [(f"{place}.{name}".lstrip("."), getattr(left, name), getattr(right, name)) for name in fields]
    elif isinstance(left, dict):
        pairs = [(f"{place}[{key!r}]", left.get(key), right.get(key)) for key in {**left, **right}]
    elif isinstance(left, list | tuple):
        pairs = [(f"{place}[{k}]", a, b) for k, (a, b) in enumerate(zip(left, right, strict=False))]
        pairs.append((f"{place} length".strip(), len(left), len(right)))
    else:
        return place, left, right
    for name, a, b in pairs:
        if a is not b and a != b:
            return first_difference(a, b, name)
    return place, left, right


def explain(error: BaseException, test: Callable | None = None, table: str = "") -> str:
    """The failure in at most nine lines of at most 150 characters.

    Args:
        error: what was raised. An AssertionError of ``tests.teach`` names the equation, and what came and is right.
        test: the function that failed.
        table: the docstring of its module, "equation → function → test".
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    frames = [
        (frame, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not is_library(frame.f_code.co_filename) and frame.f_code.co_filename != __file__
    ]
    rows = [*textwrap.wrap(said(error), WIDTH, max_lines=3, placeholder=" …")]
    rows += [f"  {label:8}  {text}" for label, text in equation_of(test, table).items()]
    inputs = next(filter(None, (inputs_of(frame) for frame, _ in reversed(frames))), [])
    rows += [f"  {'' if k else 'input':8}  {value}" for k, value in enumerate(inputs[:4])]
    if isinstance(error, SyntaxError):
        rows.append(f"  line      {short_path(error.filename)}:{error.lineno}: {(error.text or '').strip()}")
    elif code := returned_by(error):
        rows.append(f"  line      {short_path(code.co_filename)}:{code.co_firstlineno}, in {code.co_name}")
    elif visible := [pair for pair in frames if not pair[0].f_locals.get("__tracebackhide__")]:
        frame, line = visible[-1]
        text = linecache.getline(frame.f_code.co_filename, line).strip()
        rows.append(f"  line      {short_path(frame.f_code.co_filename)}:{line}, in {frame.f_code.co_name}: {text}")
    return "\n".join(cut(row, WIDTH) for row in rows)


def is_library(file: str) -> bool:
    return file.startswith(("<", sysconfig.get_path("stdlib"))) or "site-packages" in file


def short_path(file: str) -> str:
    path = Path(file)
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else file


def cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 2] + " …"


def said(error: BaseException) -> str:
    """The message in one line; where pytest explains an ``assert``, without its own words."""
    if isinstance(error, jaxtyping.TypeCheckError):
        return type_error(str(error))
    lines = [line.strip() for line in str(error).splitlines()]
    lines = [re.sub("^assert ((?:at .*?: )?got )", r"\1", line) for line in lines if line]
    text = " | ".join([line for line in lines if not line.startswith(("+", "Use -v"))][:5])
    speaks = isinstance(error, AssertionError | TooLong | pytest.fail.Exception) and text
    return text if speaks else f"{type(error).__name__}: {text}"


def type_error(page: str) -> str:
    """What came and which type it should have, out of the page that jaxtyping writes."""
    where = re.search(r"checking the (?:parameters|return value) of ([\w.<>]*\w)", page)
    facts = re.search(r"Actual value: (.*?)\nExpected type: (.*?)\.?(?:\n|$)", page, re.DOTALL)
    if not where or not facts:
        return f"{where[1] if where else 'a function'} got arguments whose shapes do not fit each other"
    parameter = re.search(r"parameter '(\w+)'", page)
    verb = f"got {parameter[1]} =" if parameter else "returned"
    kind = re.sub(r"<class '(.*)'>", r"\1", facts[2])
    return " ".join(f"{where[1]} {verb} {facts[1]}; its type is {kind}".replace("(torch)", "").split())


def returned_by(error: BaseException) -> CodeType | None:
    """The function that returned a value of the wrong type: it is in no traceback."""
    found = isinstance(error, jaxtyping.TypeCheckError) and re.search(r"return value of ([\w.]*\w)", str(error))
    try:
        return inspect.unwrap(pkgutil.resolve_name(found[1])).__code__ if found else None
    except (AttributeError, ImportError):
        return None  # it is inside another function


def equation_of(test: Callable | None, table: str) -> dict[str, str]:
    """The equation in the row that names the test; without a row, the first sentence of the test's docstring."""
    for row in table.splitlines():
        if test and re.search(rf"\b{test.__name__}\b", row):
            return {"equation": re.split(r"\s{2,}", row.strip())[0]}
    text = (inspect.getdoc(test) or "").split("\n\n")[0].replace("\n", " ")
    return {"test": text} if test and text else {}


def inputs_of(frame: FrameType) -> list[str]:
    """The arguments of a call that are values: no functions, models or fixtures."""
    names, rest, _, values = inspect.getargvalues(frame)
    given = {name: values[name] for name in names if name in values and name not in SAID}
    given |= {f"argument {k}": value for k, value in enumerate(values.get(rest, ()) if rest else ())}
    return [f"{name} = {shown(value)}" for name, value in given.items() if is_value(value)]


def is_value(value: object) -> bool:
    return not (callable(value) or isinstance(value, Path) or repr(value).startswith(("<", "data(")))


def shown(value: object) -> str:
    """A tensor with its first numbers."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        numbers = value.flatten()[:6].tolist()
        text = ", ".join(f"{x:.6g}" if isinstance(x, float) else str(x) for x in numbers)
        more = ", …" if value.flatten().shape[0] > len(numbers) else ""
        return f"{str(value.dtype).removeprefix('torch.')} {tuple(value.shape)}: {text}{more}"
    if isinstance(value, list | tuple) and any(hasattr(item, "dtype") for item in value):
        return "; ".join(shown(item) for item in value)
    return " ".join(repr(value).split())
