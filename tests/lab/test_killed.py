"""A run is killed at every call that changes the disk, and what was not forced to the disk is lost, as when the power
fails. Whatever is left, the run can be made to end as one that was never stopped.
"""

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from lab import folders
from tests.lab import tiny

CALLS = ("fsync", "replace", "rename", "unlink", "rmdir")
STEPS = 4
FILES = ("best.safetensors", "metrics.jsonl", "run.json")


class Killed(BaseException):
    """Stands for SIGKILL: nothing on the way catches it, and nothing changes the disk after it."""


class Disk:
    """Counts the calls, and ends the process before call ``at``. Knows how much of each file is surely on the disk."""

    def __init__(self, at: int | None) -> None:
        self.at, self.calls = at, []
        self.forced: dict[int, int] = {}  # by inode: bytes
        self.folders: list[tuple[int, int]] = []  # a folder's names were forced: number of the call, and its inode

    def wrap(self, name: str, original: Callable) -> Callable:
        def wrapped(*arguments, **options):
            if self.at is not None and len(self.calls) >= self.at:
                raise Killed
            result = original(*arguments, **options)
            self.calls.append(name)
            if name == "fsync":
                status = os.fstat(arguments[0])
                self.forced[status.st_ino] = status.st_size
                if stat.S_ISDIR(status.st_mode):
                    self.folders.append((len(self.calls) - 1, status.st_ino))
            return result

        return wrapped

    def lose(self, folder: Path) -> None:
        """What was written and not forced."""
        for path in folder.rglob("*"):
            if path.is_file() and path.name in (*FILES, "last.pt"):
                os.truncate(path, min(path.stat().st_size, self.forced.get(path.stat().st_ino, 0)))


@contextmanager
def disk(at: int | None) -> Iterator[Disk]:
    with pytest.MonkeyPatch.context() as patch:
        one = Disk(at)
        for name in CALLS:
            patch.setattr(os, name, one.wrap(name, getattr(os, name)))
        yield one


def train(folder: Path, **options: bool) -> None:
    tiny.run_tiny(folder, steps=STEPS, validate_every=2, **options)


def finish(folder: Path) -> None:
    """As a user would: resume it if it can be resumed, begin it if there is none."""
    if folders.under_way(folder):
        train(folder, resume=True)
    elif folders.finished_or_none(folder) is None:
        train(folder)
    else:
        train(folder)  # replaces it by the same, and completes a replacement


def content(folder: Path) -> tuple:
    state = torch.load(folder / "last.pt")
    weights = [tensor.tolist() for tensor in state["modules"]["model"].values()]
    return weights, state["steps"], state["best"], *((folder / name).read_bytes() for name in FILES[:2])


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[tuple, list[str]]:
    """What a run ends with that was never stopped, and the calls of it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    with disk(None) as one:
        train(folder)
    return content(folder), one.calls


def test_killed_before_any_call_and_with_the_power_lost(whole, tmp_path) -> None:
    expected, calls = whole
    assert {"fsync", "replace", "rename"} <= set(calls)
    for at in range(len(calls)):
        folder = tmp_path / str(at) / "run"
        with pytest.raises(Killed), disk(at) as one:
            train(folder)
        one.lose(folder.parent)
        finish(folder)
        assert content(folder) == expected, f"killed before call {at}, {calls[at]}"
        assert {place.name for place in folder.parent.iterdir()} == {"run", ".run.lock"}


def test_half_a_run_that_was_to_be_deleted_does_not_look_resumable(tmp_path, monkeypatch) -> None:
    """``--restart`` was killed in the middle of its deletion."""
    folder = tmp_path / "run"
    with pytest.raises(Killed), disk(12):
        train(folder)
    assert folders.under_way(folder)

    def half(path: Path) -> None:
        (path / "metrics.jsonl").unlink()
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", half)
        with pytest.raises(Killed):
            train(folder, restart=True)
    assert not folders.under_way(folder)
    train(folder)


def test_the_name_of_a_finished_run_is_forced_before_the_old_one_goes(tmp_path) -> None:
    """A rename lives in the folder: without it, a power failure may bring back a run that is deleted already."""
    folder = tmp_path / "run"
    train(folder)
    with disk(None) as one:
        train(folder)
    last_rename = max(k for k, name in enumerate(one.calls) if name == "rename")
    forced = [k for k, inode in one.folders if inode == tmp_path.stat().st_ino and k > last_rename]
    assert forced, "the names in the folder of the runs are not forced to the disk"
    assert "unlink" not in one.calls[last_rename : forced[0]], "the old run is deleted before"


def test_killed_while_a_finished_run_is_replaced(whole, tmp_path) -> None:
    """From the first rename on: there is a finished run at every moment, and the next start cleans up."""
    before = tmp_path / "before" / "run"
    train(before)
    shutil.copytree(before.parent, tmp_path / "counted")
    with disk(None) as counted:
        train(tmp_path / "counted" / "run")
    for at in range(counted.calls.index("rename"), len(counted.calls)):
        folder = tmp_path / str(at) / "run"
        shutil.copytree(before.parent, folder.parent)
        with pytest.raises(Killed), disk(at):
            train(folder)
        assert folders.finished_or_none(folder), f"killed before call {at}, {counted.calls[at]}"
        train(folder)
        assert content(folder) == whole[0]
        assert {place.name for place in folder.parent.iterdir()} == {"run", ".run.lock"}
