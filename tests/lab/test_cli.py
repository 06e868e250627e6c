"""One front for all command lines: verbs, options, help, and wrong input in one line with status 2."""

import io
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Literal

import pytest
import torch
import tyro
from annotated_types import Ge, Len

from lab import cli
from lab.checkpoint import CheckpointError
from lab.cli import TrainingOptions, command_line, overridden, overrides, parse, set_threads
from lab.config import check

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Config:
    steps: Annotated[int, Ge(1)] = 500  # batches
    rate: float = 0.01  # of Adam
    fusion: Literal["join", "sum"] = "join"  # how both sides meet
    widths: Annotated[tuple[Annotated[int, Ge(1)], ...], Len(1)] = (3, 5)  # of the layers
    shuffle: bool = True  # the sentences


CONFIGS = {"toy": Config(), "real": Config(steps=9, widths=(7,))}
Changes = overrides(Config, CONFIGS)


@dataclass(frozen=True)
class Train(TrainingOptions):
    """Train on scenes."""

    data: Literal["toy", "real"] = "toy"  # what it is trained on
    changes: Changes = field(default_factory=Changes)


@dataclass(frozen=True)
class Ask:
    """Ask a trained model."""

    question: tyro.conf.Positional[str]  # about the image
    count: int = 3  # answers


def read(*arguments: str, verbs=(Train, Ask), default=Train):
    return parse("python -m paper", verbs, arguments, default)


def test_a_verb_and_the_default_verb() -> None:
    assert read() == read("train") == Train()
    assert read("--steps", "5", "--resume") == read("train", "--resume", "--steps=5")
    assert read("ask", "Is it red?", "--count", "2") == Ask("Is it red?", 2)
    assert read("--steps", "5", verbs=(Train,)).changes.steps == 5  # one verb needs no name
    assert read("ask", "Is it red?", default=None) == Ask("Is it red?")
    with pytest.raises(ValueError, match=r"^expected one of \{train, ask\}$"):
        read(default=None)


def test_options_change_the_configuration_that_was_chosen() -> None:
    chosen = read("--fusion", "sum", "--widths", "4", "2", "--shuffle", "False", "--threads", "2")
    assert (chosen.threads, chosen.data) == (2, "toy")
    assert overridden(CONFIGS["real"], chosen.changes) == Config(9, 0.01, "sum", (4, 2), shuffle=False)
    assert overridden(CONFIGS["real"], read().changes) is not CONFIGS["toy"]
    assert overridden(CONFIGS["real"], read().changes) == CONFIGS["real"]


REFUSED = [
    (["--stesp", "5"], "unrecognized options: --stesp, 5; did you mean --steps?"),
    (["--xyzzy"], "unrecognized options: --xyzzy"),
    (["trian"], "unrecognized options: trian; did you mean train?"),
    (["--fusion", "sum", "ask", "a"], "the verb ask must come before --fusion"),
    (["ask", "a", "--cuont", "4"], "unrecognized options: --cuont, 4; did you mean --count?"),
    (["ask", "a", "b"], "unrecognized options: b"),
    (["ask"], "missing from python -m paper ask: STR about the image (required)"),
    (["ask", "a", "--steps", "4"], "unrecognized or misplaced options: --steps 4"),
    (["--fusion", "sun"], "--fusion must be one of join, sum, got 'sun'; did you mean sum?"),
    (["--data", "reel"], "--data must be one of real, toy, got 'reel'; did you mean real?"),
    (["--steps", "five"], "--steps cannot be read from 'five'"),
    (["--steps", "1.5"], "--steps cannot be read from '1.5'"),
    (["--widths", "3", "x"], "--widths cannot be read from "),
    (["--shuffle", "maybe"], "--shuffle must be one of False, True, got 'maybe'"),
    (["--threads", "two"], "--threads cannot be read from 'two'"),
    (["ask", "a", "--count", "x"], "--count cannot be read from 'x'"),
    (["--steps"], "missing value for argument '--steps'. Expected 1 values"),
    ([""], "unrecognized options:"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_wrong_words_are_one_line(arguments, message, encoding, monkeypatch, capsys) -> None:
    """Whatever a terminal can show: tyro draws another frame where it has ASCII alone."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding=encoding))
    with pytest.raises(ValueError, match=r"^[^\n│╭\x1b]+$") as error:
        read(*arguments)
    assert str(error.value).startswith(message)
    assert capsys.readouterr() == ("", "")


def test_help_has_every_comment_and_the_defaults_of_each_configuration(capsys, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as stopped:
        read("--help")
    shown = capsys.readouterr().out
    assert not stopped.value.code
    for text in (
        "batches (default: 500 (toy), 9 (real))",
        "of Adam (default: 0.01)",
        "{join,sum}",
        "how both sides meet (default: join)",
        "--widths INT [INT ...]",
        "of the layers (default: 3 5 (toy), 7 (real))",
        "the sentences (default: True)",
        "what it is trained on (default: toy)",
        "CPU threads; by default one for each core",
        "continue a run that was stopped",
        "Ask a trained model.",
    ):
        assert text in shown, text
    assert "None" not in shown
    with pytest.raises(SystemExit):
        read("ask", "--help")
    assert "answers (default: 3)" in capsys.readouterr().out


def test_ranges_are_one_line(capsys) -> None:
    with pytest.raises(SystemExit) as stopped, command_line():
        check(overridden(CONFIGS["toy"], read("--widths", "3", "0").changes))
    assert stopped.value.code == 2
    assert capsys.readouterr().err == "error: widths[1] must be greater than or equal to 1, got 0\n"


def test_threads_are_set(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(torch, "set_num_threads", asked.append)
    set_threads(None)
    set_threads(3)
    assert asked == [3]
    with pytest.raises(ValueError, match="--threads must be at least 1, got 0"):
        set_threads(0)


@pytest.mark.parametrize(("busy", "advice"), [(0.4, ""), (1.6, "--threads 2"), (9.0, "--threads 1")])
def test_a_busy_machine_gives_one_line_of_advice(busy, advice, monkeypatch, capsys) -> None:
    """With four cores and four threads: each busy core is one thread less."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(cli, "busy_cores", lambda: busy)
    cli.advise_on_threads.cache_clear()
    cli.advise_on_threads()
    cli.advise_on_threads()  # later, this process's own work is in the load
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == bool(advice)
    assert all(advice in line for line in lines)


PAPER = """
import os, signal
from dataclasses import dataclass
import tyro
if os.environ["HIT"] == "import":
    os.kill(os.getpid(), signal.SIGINT)
@dataclass(frozen=True)
class Train:
    \"\"\"Train.\"\"\"
    steps: int = 3  # batches
    resume: bool = False  # go on
    threads: int | None = None  # of the CPU
    def execute(self, command):
        if os.environ["HIT"] == "work":
            os.kill(os.getpid(), signal.SIGINT)
        print(command, os.environ["GOMP_SPINCOUNT"])
VERBS, DEFAULT = (Train,), Train
"""


def test_busy_cores_are_those_of_the_moment(monkeypatch) -> None:
    """Of 100 ticks since the first look, 75 were used, on two cores: 1.5 of them."""
    before, after = "cpu  10 0 20 30 40 0 0 0 9 9\n", "cpu  60 5 40 50 45 0 0 0 9 9\n"
    assert cli.cpu_times(before) == (30, 70)
    texts = iter([before, after])
    stat = SimpleNamespace(exists=lambda: True, read_text=lambda: next(texts))
    monkeypatch.setattr(cli, "Path", lambda name: stat)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert cli.busy_cores(0.0) == 2 * 75 / 100


@pytest.mark.parametrize(
    ("hit", "arguments", "status", "out", "err"),
    [
        ("import", [], 130, "", ""),
        ("work", [], 130, "", ""),
        ("nothing", ["--steps", "5", "--resume"], 0, f"python -m paper --steps 5 {cli.SPINS}\n", ""),
        ("nothing", ["--stesp", "5"], 2, "", "error: unrecognized options: --stesp, 5; did you mean --steps?\n"),
    ],
)
def test_a_whole_command_line(hit, arguments, status, out, err, tmp_path) -> None:
    """Ctrl-C while modules are imported or later is status 130 without a traceback; the command is without --resume."""
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "commands.py").write_text(PAPER)
    (tmp_path / "paper" / "__main__.py").write_text("from lab.cli import main\nmain('paper')\n")
    environment = {name: value for name, value in os.environ.items() if name != "GOMP_SPINCOUNT"}
    environment |= {"HIT": hit, "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    command = [sys.executable, "-m", "paper", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (status, out, err)


def test_the_front_imports_no_torch() -> None:
    """So that threads and Ctrl-C are set up before it."""
    code = "import sys, lab, lab.cli; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    "error", [ValueError("sides must\nbe 3"), CheckpointError("sides must be 3"), OSError("sides must be 3")]
)
def test_one_line_and_status_2(error, capsys) -> None:
    with pytest.raises(SystemExit) as exit_, command_line():
        raise error
    assert exit_.value.code == 2
    assert capsys.readouterr() == ("", "error: sides must be 3\n")


def test_a_missing_file_is_named(tmp_path, capsys) -> None:
    with pytest.raises(SystemExit), command_line():
        (tmp_path / "missing.txt").read_text()
    assert "missing.txt" in capsys.readouterr().err


def test_control_c_is_130(capsys) -> None:
    with pytest.raises(SystemExit) as exit_, command_line():
        raise KeyboardInterrupt
    assert exit_.value.code == 130


@pytest.mark.parametrize("error", [RuntimeError("ours"), KeyError("ours"), SystemExit(130)])
def test_everything_else_passes(error) -> None:
    with pytest.raises(type(error)) as raised, command_line():
        raise error
    assert raised.value is error


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "cp949", "utf-8", "ascii:strict"])
def test_korean_words_survive_any_terminal(encoding: str) -> None:
    """What cannot be shown becomes its code point; also half of a character, which no encoding has."""
    script = (
        "from lab import cli\n"
        "with cli.command_line():\n"
        "    print('빨간색 원, café \\udced')\n"
        "    raise ValueError(\"word must be one of 별, got '십자'\")"
    )
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(ROOT)}
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment)
    name = encoding.partition(":")[0]
    assert said.returncode == 2, said.stderr
    assert said.stdout == "빨간색 원, café \udced\n".encode(name, "backslashreplace")
    assert said.stderr == "error: word must be one of 별, got '십자'\n".encode(name, "backslashreplace")
