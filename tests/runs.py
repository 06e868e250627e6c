"""What the tests of every paper's commands do with runs: compare their files, and stop a training."""

import signal
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch


def files_of(run: Path, words: str) -> dict[str, bytes]:
    """What must be the same, bit for bit, in a run that was stopped and resumed. ``words`` is its vocabulary's file."""
    return {name: (run / name).read_bytes() for name in ("best.safetensors", "metrics.jsonl", words)}


def stop_in(patch: pytest.MonkeyPatch, module: ModuleType, at: int) -> None:
    """Ctrl-C in the middle of step ``at`` of the loop ``module.train``."""
    original = module.train

    def stopped(model, optimizer, scheduler, batch_at, steps, log, *weights) -> None:
        def batch(step: int):
            if step == at:
                signal.raise_signal(signal.SIGINT)
            return batch_at(step)

        original(model, optimizer, scheduler, batch, steps, log, *weights)

    patch.setattr(module, "train", stopped)


def flags(**values) -> list[str]:
    """The options for these values of a ``Config``."""
    return [
        word
        for name, value in values.items()
        for word in (f"--{name.replace('_', '-')}", *map(str, value if isinstance(value, tuple) else (value,)))
    ]


def flags_of(config: Any) -> list[str]:
    """The options for what differs from the default ``Config``."""
    default = type(config)()
    return flags(**{name: value for name, value in asdict(config).items() if value != getattr(default, name)})


def check_pure(one, other, reseeded) -> None:
    """A batch is a function of seed and step alone: ``one`` and ``other`` have the same seed, ``reseeded`` another.

    Args:
        one, other, reseeded: three data sources; ``batch_at`` gives named tensors.
    """
    __tracebackhide__ = True
    forward, backward = [one.batch_at(k) for k in range(4)], [other.batch_at(k) for k in (3, 2, 1, 0)][::-1]
    for k, (a, b) in enumerate(zip(forward, backward, strict=True)):
        for name in a._fields:
            assert torch.equal(getattr(a, name), getattr(b, name)), f"the {name} of step {k} depend on what came before"
    assert not same(forward[0], forward[1]), "steps 0 and 1 have the same batch"
    assert not same(forward[0], reseeded.batch_at(0)), "two seeds have the same batch"


def same(a, b) -> bool:
    """Whether the first tensors of two batches are equal."""
    return a[0].shape == b[0].shape and torch.equal(a[0], b[0])
