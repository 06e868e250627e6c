"""One line and status 2 for what the user can mend; a traceback for every other exception."""

import pytest

from lab.checkpoint import CheckpointError
from lab.cli import command_line


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
