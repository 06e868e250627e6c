"""One assertion for all equation tests: its message says which equation, at which index, what came, what is right."""

import torch
from torch import Tensor


def check_close(
    what: str, got: Tensor | float, expected: Tensor | float, relative: float = 1e-10, absolute: float = 1e-11
) -> None:
    """Raises AssertionError, with the worst index, if the two differ. ``what`` names the equation."""
    __tracebackhide__ = True
    got, expected = (torch.as_tensor(value, dtype=torch.float64).detach() for value in (got, expected))
    assert got.shape == expected.shape, f"{what}: shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    off = (got - expected).abs() - relative * expected.abs() - absolute
    off = off.where(off == off, torch.inf).where(got != expected, -1.0)  # NaN is off, equal infinities are not
    if got.numel() == 0 or off.max() <= 0:
        return
    index = tuple(int(i) for i in torch.unravel_index(off.argmax(), off.shape)) if off.dim() else ()
    place = f" at index {index[0] if len(index) == 1 else index}" if index else ""
    raise AssertionError(f"{what}{place}: got {got[index].item():.12g}, expected {expected[index].item():.12g}")
