"""What the tests of this folder share: tolerances, drawn shapes, and comparisons whose failures name the equation."""

from collections.abc import Callable, Sequence

import torch
from hypothesis import strategies as st
from torch import Tensor

from tests.teach import check_close

EXACT = {"rtol": 1e-10, "atol": 1e-11}
LENGTHS = st.one_of(  # every small length; then products, powers and primes, which take the other ways
    st.integers(1, 40), st.sampled_from([65, 67, 72, 96, 121, 127, 130, 134, 211, 256, 400, 521, 1000, 1024, 1042])
)
BATCHES = st.sampled_from([(), (1,), (3,), (2, 3), (2, 1, 3)])


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def check_equal(equation: str, got: Tensor, expected: Tensor, rtol: float = 1e-10, atol: float = 1e-11) -> None:
    """Fails with the equation, the index of the largest difference, what came and what was expected."""
    __tracebackhide__ = True
    assert got.shape == expected.shape, f"{equation}: shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    assert got.dtype == expected.dtype, f"{equation}: dtype {got.dtype}, expected {expected.dtype}"
    check_close(equation, got, expected, rtol, atol)


def check_same(
    equation: str, ours: Callable, reference: Callable, inputs: Sequence[Tensor], tolerance: dict = EXACT
) -> None:
    """The values, and the gradient with respect to every input for a random cotangent, equal the reference's."""
    __tracebackhide__ = True
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    values = [function(*inputs) for function in (ours, reference)]
    check_equal(equation, *(value.detach() for value in values), **tolerance)
    cotangent = normal(*values[1].shape, seed=1, dtype=values[1].dtype)
    gradients = [torch.autograd.grad(value, inputs, cotangent, allow_unused=True) for value in values]
    for k, (got, expected) in enumerate(zip(*gradients, strict=True)):
        if got is None:
            raise AssertionError(f"{equation}: no gradient arrives at argument {k}")
        check_equal(f"the gradient of {equation}, by argument {k}", got, expected, **tolerance)
