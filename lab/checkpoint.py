"""Files that are replaced atomically, and clear errors for damaged ones.

A file is written under another name in the same folder, forced to the disk, and only then renamed over the old one,
which systems do in one piece. Nothing here unpickles: a checkpoint loads with ``weights_only=True``, weights are
safetensors.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import safetensors.torch
import torch
from torch import nn


class CheckpointError(ValueError):
    """A file that should hold a checkpoint or weights and does not, or holds those of another model."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """An ``OSError`` while ``path`` is written says which file it was, and why, in one line."""
    try:
        yield
    except OSError as error:
        raise OSError(f"cannot write {path}: {error.strerror or error}") from error


def sync_folder(folder: Path) -> None:
    """Forces the names in ``folder`` to the disk: a rename lives there and not in the file."""
    if hasattr(os, "O_DIRECTORY"):  # Windows has no such call, and needs none
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which takes the place of ``path`` when the block ends, whole; if anything fails, the old one
    stays as it is. Makes the folder if it is not there.

    Raises:
        OSError: if it cannot be written (a full disk, a file where the folder should be), in one line with its name.
    """
    temporary = path.with_name(path.name + ".tmp")
    with naming(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                yield file
            with temporary.open("rb+") as file:  # by its name: a library may have put another file there
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


def write_bytes(path: Path, data: bytes) -> None:
    """Writes the whole file or leaves the old one as it is, and makes the folder if it is not there.

    Raises:
        OSError: as ``replacing``.
    """
    with replacing(path) as file:
        file.write(data)


def write_text(path: Path, text: str) -> None:
    """``write_bytes`` for text, in UTF-8."""
    write_bytes(path, text.encode())


class LateError:
    """A file whose write error is kept for later: torch's writer cannot handle an error in the middle of its work."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.error = file, None

    def write(self, data: bytes | memoryview) -> int:
        try:
            return self.file.write(data) if self.error is None else len(data)
        except OSError as error:
            self.error = error
            return len(data)

    def flush(self) -> None:
        """It is flushed at the end."""


def save(path: Path, state: dict) -> None:
    """Saves tensors, numbers, strings, and lists, tuples and dicts of these, without a second copy in memory."""
    with replacing(path) as file:
        file_for_torch = LateError(file)
        torch.save(state, file_for_torch)
        if file_for_torch.error is not None:
            raise file_for_torch.error


def load(path: Path) -> dict:
    """What ``save`` wrote, on the CPU.

    Raises:
        CheckpointError: if the file is not there, or empty, cut short, or no checkpoint.
    """
    data = read_bytes(path)
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises half a dozen kinds, according to which byte is wrong
        raise damaged(path, data, "checkpoint") from error
    if not isinstance(state, dict):
        raise damaged(path, data, "checkpoint")
    return state


def save_weights(path: Path, model: nn.Module) -> None:
    """Saves parameters and buffers as safetensors; copies only those that have two names (tied weights)."""
    tensors, places = {}, set()
    for name, tensor in model.state_dict().items():
        tensor = tensor.detach().cpu().contiguous()
        place = tensor.untyped_storage().data_ptr()
        tensors[name] = tensor.clone() if place in places else tensor
        places.add(place)
    with replacing(path) as file:
        try:
            safetensors.torch.save_file(tensors, file.name)
        except safetensors.SafetensorError as error:
            raise OSError(str(error)) from error


def load_weights(path: Path, model: nn.Module) -> None:
    """Fills ``model`` with what ``save_weights`` wrote.

    Raises:
        CheckpointError: if the file is not there or damaged, or was written from a model with other names or shapes.
    """
    data = read_bytes(path)
    try:
        tensors = safetensors.torch.load(data)
    except Exception as error:  # see load
        raise damaged(path, data, "weights") from error
    ours, theirs = ({n: tuple(t.shape) for n, t in side.items()} for side in (model.state_dict(), tensors))
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            here, there = (str(side.get(name, "nothing")) for side in (ours, theirs))
            raise CheckpointError(f"{path} was written by another model: {name} is {there} there and {here} here")
    model.load_state_dict(tensors)


def read_bytes(path: Path) -> bytes:
    """The file's bytes. Raises CheckpointError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"cannot read {path}: {error.strerror}") from error


def damaged(path: Path, data: bytes, kind: str) -> CheckpointError:
    """The error for a file that is there and whose ``data`` cannot be understood as what it should be."""
    return CheckpointError(f"{path} is damaged: cut short, or no {kind}" if data else f"{path} is empty")
