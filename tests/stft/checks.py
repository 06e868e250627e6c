"""What the tests of this folder share: tolerances, drawn shapes, and the comparison of values and gradients."""

from collections.abc import Callable, Sequence

import torch
from hypothesis import strategies as st
from torch import Tensor
from torch.testing import assert_close

EXACT = {"rtol": 1e-10, "atol": 1e-11}
LENGTHS = st.one_of(  # every small length; then products, powers and primes, which take the other ways
    st.integers(1, 40), st.sampled_from([65, 67, 72, 96, 121, 127, 130, 134, 211, 256, 400, 521, 1000, 1024, 1042])
)
BATCHES = st.sampled_from([(), (1,), (3,), (2, 3), (2, 1, 3)])


def normal(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def check_same(ours: Callable, reference: Callable, inputs: Sequence[Tensor], tolerance: dict = EXACT) -> None:
    """Values, and the gradient of every input, for a random cotangent."""
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    values = [function(*inputs) for function in (ours, reference)]
    assert_close(*values, **tolerance)
    cotangent = normal(*values[1].shape, seed=1, dtype=values[1].dtype)
    gradients = [torch.autograd.grad(value, inputs, cotangent, allow_unused=True) for value in values]
    for got, expected in zip(*gradients, strict=True):
        assert got is not None, "no gradient arrives"
        assert_close(got, expected, **tolerance)
