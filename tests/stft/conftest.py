"""The tests of this folder run with float64 as the default dtype, so that windows and filters are exact too."""

from collections.abc import Iterator

import jaxtyping
import pytest
import torch


@pytest.fixture(autouse=True, scope="module")
def float64() -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def float32() -> Iterator[None]:
    """Torch's own default dtype again, for tests of what is run as a command and of the toy world."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def untyped() -> Iterator[None]:
    """Without the annotations' check, which would tell a wrong name before the function itself can."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)
