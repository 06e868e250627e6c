"""One front for all command lines: ``python -m PAPER [VERB] [OPTIONS]``.

``PAPER/commands.py`` lists its verbs in ``VERBS``; its ``DEFAULT`` is used where no verb is given. A verb is a
dataclass: its fields are the options, their comments are the help, and ``execute(command)`` does the work. Wrong input
is one line on stderr and exit status 2; Ctrl-C is exit status 130, also while modules are imported.
"""

import dataclasses
import difflib
import functools
import importlib
import inspect
import io
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from itertools import dropwhile, takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

try:
    import tyro
except KeyboardInterrupt:  # the import takes a moment, and nothing else catches Ctrl-C yet
    raise SystemExit(130) from None

SPINS = "1000"  # how often a waiting thread looks for work before it sleeps; libgomp's default wastes a busy machine

# types of options: how help shows them
Number = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="")]
Name = Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
Flag = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]


@dataclass(frozen=True, kw_only=True)
class Threads:
    """Options of every verb."""

    threads: Number = None  # CPU threads; by default one for each core


@dataclass(frozen=True, kw_only=True)
class Machine(Threads):
    """Options of every verb that can work on any device."""

    device: Name = None  # cuda, mps or cpu; by default the first of them that this machine has


@dataclass(frozen=True, kw_only=True)
class TrainingOptions(Machine):
    """Options of every verb that trains."""

    run: Name = None  # the run is kept in runs/PAPER/NAME; by default NAME is that of the data
    resume: Flag = False  # continue a run that was stopped
    restart: Flag = False  # delete a stopped run, or replace a finished one that has another configuration


def main(paper: str, arguments: Sequence[str] | None = None) -> None:
    """Runs one command line of a paper, or of another package with a ``commands.py``."""
    with command_line():
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # read when torch is imported, which is not yet
        arguments = list(sys.argv[1:] if arguments is None else arguments)
        commands = importlib.import_module(f"{paper}.commands")
        program = [*launcher(), paper]
        chosen = parse(shlex.join(program), commands.VERBS, arguments, commands.DEFAULT)
        set_threads(chosen.threads)
        kept = [word for word in arguments if word not in ("--resume", "--restart")]
        with several_processes(getattr(chosen, "device", None)):
            chosen.execute(shlex.join([*program, *kept]))


def launcher() -> list[str]:
    """The first words of a command like the present one: python, or torchrun with its number of processes."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ["python", "-m"]
    count = os.environ.get("LOCAL_WORLD_SIZE", "1")
    return ["torchrun", f"--nproc_per_node={count}", "-m", "--"]  # without --, torchrun takes --run as its own


@contextmanager
def several_processes(device: str | None) -> Iterator[None]:
    """Joins the processes that torchrun has started; process 0 alone prints. Without torchrun, nothing happens.

    After an error this process does not wait for the others: torchrun ends them.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield
        return
    from lab import distributed
    from lab.device import choose_device

    rank = distributed.start(choose_device(device)).rank
    try:
        with Path(os.devnull).open("w") as nothing, redirect_stdout(sys.stdout if rank == 0 else nothing):
            yield
    except RuntimeError as error:
        if distributed.another_ended(error):
            raise ConnectionError("another process has ended, so this one stops too") from error
        raise
    distributed.leave()


def reports() -> bool:
    """Whether this process prints an error. Under torchrun, one process does."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return True
    from lab import distributed

    return distributed.first_to_report()


@contextmanager
def command_line() -> Iterator[None]:
    """Around the body of a ``main``: an error of the user becomes one line and an exit status.

    A ``ValueError`` (wrong input) or an ``OSError`` (a missing file, a full disk) becomes one line on stderr and exit
    status 2, Ctrl-C exit status 130. Every other exception passes with its traceback. Under torchrun, the line is
    printed once, by the first process that meets an error.

    A terminal that has no Korean letters (or no "é") gets their code points, as in ``\\ud55c``, and no error.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # in a notebook it is something else
            stream.reconfigure(errors="backslashreplace")
    try:
        yield
    except (ValueError, OSError) as error:
        if reports():
            print("error:", " ".join(str(error).split()), file=sys.stderr)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def parse(program: str, verbs: Sequence[type], arguments: Sequence[str], default: type | None = None) -> Any:
    """The verb with its options, as an instance of one of the dataclasses ``verbs``.

    Args:
        default: the verb that is used where none is given; None if one must be given.

    Raises:
        ValueError: if a word is unknown or cannot be read; in one line, with "did you mean" where something is near.
        SystemExit: with status 0, after --help.
    """
    names = {verb.__name__.lower(): verb for verb in verbs}
    union = None
    for name, verb in names.items():
        kind = Annotated[verb, tyro.conf.subcommand(name)]
        union = kind if union is None else union | kind
    settings = {"config": (tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff), "prog": program}
    if len(names) > 1:
        settings["config"] += (tyro.conf.CascadeSubcommandArgs,)
    if len(names) > 1 and default is not None:
        settings["default"] = default()
    stderr = io.StringIO()
    try:
        with redirect_stderr(stderr):
            return tyro.cli(union, args=list(arguments), **settings)
    except SystemExit as stop:
        if not stop.code:
            raise
        raise ValueError(one_line(stderr.getvalue(), list(names))) from None


def one_line(box: str, verbs: Sequence[str]) -> str:
    """An error that tyro printed in a frame, in one line: its first paragraph, and the nearest allowed word."""
    rows = [row.strip("│╭╮╰╯─ ") for row in box.splitlines()[1:]]  # the first one is the frame's title
    rows = [row if row.strip("-") else "" for row in rows]  # horizontal rules, in a terminal with ASCII only
    message = " ".join(takewhile(bool, dropwhile(lambda row: not row, rows)))
    message = (message[:1].lower() + message[1:]).replace("'None', ", "").replace(", 'None'", "")
    message = re.sub(r" \(applied to [^)]*\)", "", message)
    if early := re.search(r"cannot select subcommand '([\w-]+)' .* flag '(--[\w-]+)'", message):
        return f"the verb {early[1]} must come before {early[2]}"
    unread = re.search(r"could be instantiated from \['?(.*?)'?\]|error parsing .*?: .*'(.*)'$", message)
    if unread:
        name = re.search(r"--[\w-]+", message)
        message = f"{name.group() if name else 'a value'} cannot be read from {unread.group(1) or unread.group(2)!r}"
    suggestion = re.search(r"Perhaps you meant:.*?(--[\w-]+)", " ".join(rows), flags=re.DOTALL)
    words = re.findall(r"[\w-]+", message.partition(":")[2]) if message.startswith("unrecognized") else []
    if choice := re.search(r"invalid choice '(.*?)' for argument '(.*?)'.*?one of \((.*?)\)", message):
        words, verbs = [choice.group(1)], sorted(re.findall(r"'(.*?)'", choice.group(3)))
        message = f"{choice.group(2)} must be one of {', '.join(verbs)}, got {choice.group(1)!r}"
    near = [suggestion.group(1)] if suggestion else difflib.get_close_matches(words[0] if words else "", verbs, 1)
    return message.rstrip(". ") + (f"; did you mean {near[0]}?" if near and near[0] not in message.split() else "")


def set_threads(threads: int | None) -> None:
    """Sets the number of CPU threads; None leaves it as it is."""
    if threads is None:
        return
    if threads < 1:
        raise ValueError(f"--threads must be at least 1, got {threads}")
    import torch

    torch.set_num_threads(threads)


@functools.cache  # once in a process: later, its own work is part of the load
def advise_on_threads() -> None:
    """One line on stderr if other programs keep this machine busy: then fewer threads are faster than many."""
    import torch

    threads, cores, busy = torch.get_num_threads(), os.cpu_count() or 1, busy_cores()
    free = max(1, round(cores - busy))
    if free < threads:
        print(
            f"note: other programs use about {busy:.1f} of {cores} cores: --threads {free} may be faster",
            file=sys.stderr,
        )


def busy_cores(seconds: float = 0.2) -> float:
    """How many cores other programs use now, while this one sleeps; the load of the last minute where Linux's
    ``/proc/stat`` is missing."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    first = cpu_times(stat.read_text())
    time.sleep(seconds)
    used, idle = (after - before for before, after in zip(first, cpu_times(stat.read_text()), strict=True))
    return (os.cpu_count() or 1) * used / max(1, used + idle)


def cpu_times(stat: str) -> tuple[int, int]:
    """Ticks of all cores since the start, used and idle: the first line is "cpu user nice system idle iowait …"."""
    ticks = list(map(int, stat.splitlines()[0].split()[1:9]))
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def overrides(config: type, configs: Mapping[str, Any]) -> type:
    """A dataclass with the fields of ``config`` as options. None, the default, takes the value of the configuration.

    The help of an option is the field's comment, and its value in each of the named configurations. A field may be
    one that not all of them have.
    """
    fields, hints, comments = [], get_type_hints(config), comments_of(config)
    for field in dataclasses.fields(config):
        values: dict[str, list[str]] = {}
        having = {name: one for name, one in configs.items() if hasattr(one, field.name)}
        for name, one in having.items():
            values.setdefault(shown(getattr(one, field.name)), []).append(name)
        several = len(values) > 1 or len(having) < len(configs)
        defaults = ", ".join(f"{value} ({', '.join(names)})" if several else value for value, names in values.items())
        kind, text = hints[field.name], comments.get(field.name, field.name)
        option = tyro.conf.arg(help=text, metavar=metavar(kind), help_behavior_hint=f"(default: {defaults})")
        fields.append((field.name, Annotated[kind | None, option], None))
    return dataclasses.make_dataclass("Overrides", fields, frozen=True)


def metavar(kind: Any) -> str:
    """How help shows the values of a type: INT, {sum,product}, or INT [INT ...]."""
    if get_origin(kind) is Literal:
        return f"{{{','.join(map(str, get_args(kind)))}}}"
    if get_origin(kind) is tuple:
        return "{0} [{0} ...]".format(metavar(get_args(kind)[0]))
    return kind.__name__.upper()


def shown(value: Any) -> str:
    """A default value as the user would type it."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def comments_of(config: type) -> dict[str, str]:
    """The comment behind each field of a dataclass, as its source has it; also of the classes that it extends."""
    sources = [inspect.getsource(kind) for kind in reversed(config.__mro__) if dataclasses.is_dataclass(kind)]
    return dict(re.findall(r"^    (\w+):[^#\n]*#\s*(.*)$", "\n".join(sources), flags=re.MULTILINE))


def overridden(config: Any, changes: Any) -> Any:
    """``config`` with those fields of an instance of ``overrides`` that the user gave."""
    given = {field.name: getattr(changes, field.name) for field in dataclasses.fields(changes)}
    return dataclasses.replace(config, **{name: value for name, value in given.items() if value is not None})
