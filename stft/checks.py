"""Checks of arguments. Each raises a ``ValueError`` of one line: which argument, what is allowed, what came."""

import math
from collections.abc import Iterable

import torch
from torch import Tensor

Hz = int | float
Dtype = torch.dtype | None  # None: torch's default dtype
REAL, COMPLEX = (torch.float32, torch.float64), (torch.complex64, torch.complex128)


def check_at_least_1(**lengths: int) -> None:
    for name, length in lengths.items():
        if length < 1:
            raise ValueError(f"{name} must be at least 1, got {length}")


def check_positive(**numbers: int | float) -> None:
    for name, number in numbers.items():
        if not 0 < number < math.inf:
            raise ValueError(f"{name} must be positive and finite, got {number}")


def check_one_of(allowed: Iterable[object], **choices: object) -> None:
    for name, choice in choices.items():
        if not any(choice is a or (isinstance(a, str) and choice == a) for a in allowed):
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {choice!r}")


def check_samples(dtypes: tuple[torch.dtype, ...], **signals: Tensor) -> None:
    for name, signal in signals.items():
        kind = signal.dtype if isinstance(signal, Tensor) else f"a {type(signal).__name__}"
        if kind not in dtypes:
            allowed = " or ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)
            raise ValueError(f"{name} must be a tensor of {allowed}, got {kind}")
        if signal.numel() == 0 or signal.ndim == 0:
            raise ValueError(f"{name} must have samples in its last dimension, got shape {tuple(signal.shape)}")
