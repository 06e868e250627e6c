"""The assertions of all equation tests: a message says which equation, at which index, what came, what is right."""

from collections.abc import Callable

import torch
from torch import Tensor


def as_tensor(value: Tensor | float) -> Tensor:
    return value.detach() if torch.is_tensor(value) else torch.as_tensor(value, dtype=torch.float64)


def check_close(
    what: str, got: Tensor | float, expected: Tensor | float, relative: float = 1e-10, absolute: float = 1e-11
) -> None:
    """Raises AssertionError, with the worst index, if the two differ. ``what`` names the equation."""
    __tracebackhide__ = True
    right = as_tensor(expected)
    try:
        came = as_tensor(got)
    except (TypeError, ValueError, RuntimeError):
        wanted = f"a tensor of shape {tuple(right.shape)}" if right.dim() else f"{right.item():.12g}"
        raise AssertionError(f"{what}: got {got!r:.80}, expected {wanted}") from None
    assert came.shape == right.shape, f"{what}: shape {tuple(came.shape)}, expected {tuple(right.shape)}"
    types = [str(value.dtype).removeprefix("torch.") for value in (came, right)]
    exact = torch.is_tensor(expected) and relative < 1e-9
    assert not exact or types != ["float32", "float64"], f"{what}: dtype float32, expected float64"
    kind = torch.complex128 if came.is_complex() or right.is_complex() else torch.float64
    came, right = came.to(kind), right.to(kind)
    off = (came - right).abs() - relative * right.abs() - absolute
    off = off.where(off == off, torch.inf).where(came != right, -1.0)  # NaN is off, equal infinities are not
    if came.numel() == 0 or off.max() <= 0:
        return
    index = tuple(int(i) for i in torch.unravel_index(off.argmax(), off.shape)) if off.dim() else ()
    place = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    single = " (in float32)" if types[0] == "float32" and relative < 1e-9 else ""
    raise AssertionError(f"{what}{place}: got {came[index].item():.12g}{single}, expected {right[index].item():.12g}")


def check_equal(what: str, got: Tensor, expected: Tensor) -> None:
    """The same shape, type and numbers, to the last bit."""
    __tracebackhide__ = True
    check_close(what, got, expected, 0, 0)


def check_same(what: str, candidate: Callable, expected: Callable, *arguments) -> None:
    """The same value, and the same gradient by every argument that is a tensor of numbers.

    A result of several numbers gets a random cotangent: the gradient is that of their random weighted sum.
    """
    __tracebackhide__ = True
    results = []
    for function in (candidate, expected):
        copies = [argument.clone() if torch.is_tensor(argument) else argument for argument in arguments]
        leaves = [copy.requires_grad_() for copy in copies if torch.is_tensor(copy) and copy.is_floating_point()]
        value = function(*copies)
        assert torch.is_tensor(value), f"{what}: got {value!r:.80}, expected a tensor"
        assert value.requires_grad or not leaves, f"{what}: no gradient arrives at the arguments"
        generator = torch.Generator().manual_seed(0)
        cotangent = torch.randn(value.shape, generator=generator, dtype=value.dtype) if value.dim() else None
        slopes = torch.autograd.grad(value, leaves, cotangent, allow_unused=True, materialize_grads=True)
        results.append((value, *slopes))
    for k, (got, right) in enumerate(zip(*results, strict=True)):
        check_close(what if k == 0 else f"the gradient of {what}, by argument {k - 1}", got, right)
