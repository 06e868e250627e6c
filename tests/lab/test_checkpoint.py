"""The old file or the new one, never half of one; and a damaged file is named."""

import errno
import os
import stat
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors import SafetensorError
from torch import nn

from lab import checkpoint
from lab.checkpoint import CheckpointError, load_weights, save_weights, write_bytes, write_text

STATE = {"step": 3, "weights": torch.arange(300.0), "history": [{"score": 0.5}], "best": None, "pair": (1, "two")}


def model_of(width: int) -> nn.Module:
    torch.manual_seed(width)
    return nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width))


def test_what_is_saved_comes_back(tmp_path) -> None:
    checkpoint.save(tmp_path / "new" / "last.pt", STATE)
    state = checkpoint.load(tmp_path / "new" / "last.pt")
    assert torch.equal(state.pop("weights"), STATE["weights"])
    assert state == {name: value for name, value in STATE.items() if name != "weights"}


def test_text_is_utf_8(tmp_path) -> None:
    write_text(tmp_path / "text", "빨간 원 −1\n")
    assert (tmp_path / "text").read_bytes() == "빨간 원 −1\n".encode()


def test_weights_come_back_tied_or_not_contiguous(tmp_path) -> None:
    first, second = (nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)) for _ in range(2))
    first[1].weight = first[0].weight
    first[0].weight.data = torch.arange(16.0).reshape(4, 4).T
    save_weights(tmp_path / "weights", first)
    load_weights(tmp_path / "weights", second)
    assert torch.equal(second[0].weight, first[0].weight)
    assert torch.equal(second[1].weight, first[0].weight)


def test_buffers_are_weights_too(tmp_path) -> None:
    trained, fresh = model_of(5), model_of(5)
    trained(torch.randn(6, 3))
    save_weights(tmp_path / "weights", trained)
    load_weights(tmp_path / "weights", fresh)
    assert torch.equal(fresh[1].running_mean, trained[1].running_mean)
    assert fresh[1].running_mean.abs().sum() > 0


def saved(kind: str, path: Path) -> bytes:
    checkpoint.save(path, STATE) if kind == "checkpoint" else save_weights(path, model_of(5))
    return path.read_bytes()


def read(kind: str, path: Path) -> None:
    checkpoint.load(path) if kind == "checkpoint" else load_weights(path, model_of(5))


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
@given(data=st.data())
def test_a_file_cut_short_is_named(kind, data, tmp_path_factory) -> None:
    path = tmp_path_factory.mktemp("cut") / "file"
    whole = saved(kind, path)
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1), label="length")])
    with pytest.raises(CheckpointError, match=f"{path} is (empty|damaged: cut short, or no {kind})$"):
        read(kind, path)


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
@pytest.mark.parametrize("garbage", [b"\0" * 400, b"garbage" * 40, b"\x80\x02."])
def test_garbage_is_named(kind, garbage, tmp_path) -> None:
    (tmp_path / "file").write_bytes(garbage)
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'file'} is damaged"):
        read(kind, tmp_path / "file")


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
def test_an_empty_file_is_named(kind, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=f"{tmp_path / 'file'} is empty$"):
        read(kind, tmp_path / "file")


@pytest.mark.parametrize("kind", ["checkpoint", "weights"])
def test_a_missing_file_or_a_folder_is_named(kind, tmp_path) -> None:
    for path, reason in ((tmp_path / "missing", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(CheckpointError, match=f"cannot read {path}: {reason}"):
            read(kind, path)


class Evil:
    def __reduce__(self):
        return (Path.touch, (Path("touched"),))


def test_nothing_is_unpickled(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError):
        checkpoint.load(tmp_path / "evil.pt")
    assert not Path("touched").exists()


def test_a_list_is_no_checkpoint(tmp_path) -> None:
    torch.save([1], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match="damaged"):
        checkpoint.load(tmp_path / "list.pt")


def test_weights_of_another_model_are_named_and_not_loaded(tmp_path) -> None:
    save_weights(tmp_path / "weights", model_of(5))
    other = model_of(4)
    before = other[0].bias.clone()
    with pytest.raises(CheckpointError, match=r"another model: 0.bias is \(5,\) there and \(4,\) here"):
        load_weights(tmp_path / "weights", other)
    assert torch.equal(other[0].bias, before)
    with pytest.raises(CheckpointError, match=r"1.bias is \(5,\) there and nothing here"):
        load_weights(tmp_path / "weights", nn.Sequential(nn.Linear(3, 5)))


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("where", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(where, tmp_path, monkeypatch) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"step": 1})
    monkeypatch.setattr(os, where, full_disk)
    with pytest.raises(OSError, match=f"^cannot write {path}: No space left on device$"):
        checkpoint.save(path, {"step": 2})
    assert [file.name for file in tmp_path.iterdir()] == ["last.pt"]
    assert checkpoint.load(path) == {"step": 1}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_really_full_disk(tmp_path) -> None:
    path = tmp_path / "last.pt"
    checkpoint.save(path, {"step": 1})
    (tmp_path / "last.pt.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match=f"^cannot write {path}: No space left on device$"):
        checkpoint.save(path, STATE)
    assert checkpoint.load(path) == {"step": 1}


def test_weights_on_a_full_disk(tmp_path, monkeypatch) -> None:
    """The library has an error of its own for it."""

    def full(tensors: dict, name: str) -> None:
        Path(name).write_bytes(b"half")
        raise SafetensorError("No space left on device (os error 28)")

    path = tmp_path / "best"
    save_weights(path, model_of(5))
    old = path.read_bytes()
    monkeypatch.setattr(checkpoint.safetensors.torch, "save_file", full)
    with pytest.raises(OSError, match=rf"^cannot write {path}: No space left on device \(os error 28\)$"):
        save_weights(path, model_of(4))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"best": old}


def test_what_fails_while_it_is_written_leaves_the_old_file_and_nothing_else(tmp_path) -> None:
    write_text(tmp_path / "text", "old")
    with pytest.raises(ValueError, match="of the writer"), checkpoint.replacing(tmp_path / "text") as file:  # noqa: PT012
        file.write(b"half")
        raise ValueError("of the writer")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"text": "old"}


def test_a_file_where_the_folder_should_be_is_named(tmp_path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(OSError, match=f"^cannot write {tmp_path / 'runs' / 'last.pt'}: "):
        write_bytes(tmp_path / "runs" / "last.pt", b"state")
    assert (tmp_path / "runs").read_text() == "in the way"


def test_killed_at_any_call_leaves_the_old_or_the_new(tmp_path, monkeypatch) -> None:
    """The calls in their order: what is in the file is on the disk before its name changes, then the name is."""
    calls = []

    def record(name: str, original):
        def recorded(*arguments):
            what = name
            if name == "fsync":
                what += " folder" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else " file"
            calls.append((what, (tmp_path / "last.pt").read_bytes()))
            return original(*arguments)

        return recorded

    (tmp_path / "last.pt").write_bytes(b"old")
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, record(name, getattr(os, name)))
    write_bytes(tmp_path / "last.pt", b"new")
    assert calls == [("fsync file", b"old"), ("replace", b"old"), ("fsync folder", b"new")]


def test_what_a_kill_has_left_is_overwritten(tmp_path) -> None:
    (tmp_path / "last.pt.tmp").write_bytes(b"half of a file that was longer")
    write_bytes(tmp_path / "last.pt", b"new")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"last.pt": b"new"}
