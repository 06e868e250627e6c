"""For the tests of command lines: wrong input is one line and status 2, and changes no file."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest


def everything(folder: Path) -> dict[Path, bytes]:
    """All files except those that are kept beside a run: the ids of its text, and its lock."""
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.parent.suffix != ".corpus" and path.suffix != ".lock"
    }


def check_refused(main: Callable[[Sequence[str]], None], arguments: Sequence[str], message: str, capsys) -> None:
    """One line on stderr, with the message in it; nothing on stdout, status 2, and no file is new or another."""
    before = everything(Path.cwd())
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") == 1, said.err
    assert said.err.startswith("error: ")
    assert message in said.err, said.err
    assert everything(Path.cwd()) == before
