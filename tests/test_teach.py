"""``tests.teach``: what the assertions of equation tests say, and what they accept."""

import math
import re

import pytest
import torch

from tests.teach import check_close, check_equal, check_same

ONES, DOUBLE = torch.ones(2, 3), torch.ones(2, 3, dtype=torch.float64)

WRONG = {  # what came, what is right, the message
    "number": (1.5, 2, "x: got 1.5, expected 2"),
    "largest difference": ([1.0, 3.0, 1.0], [1.0, 1.0, 2.0], "x at index 1: got 3, expected 1"),
    "matrix": (DOUBLE * 2, DOUBLE, "x at index (0, 0): got 2, expected 1"),
    "shape": (ONES, ONES.T, "x: shape (2, 3), expected (3, 2)"),
    "none": (None, DOUBLE, "x: got None, expected a tensor of shape (2, 3)"),
    "text": ("one", 1.0, "x: got 'one', expected 1"),
    "not a number": ([1.0, math.nan], [1.0, 2.0], "x at index 1: got nan, expected 2"),
    "infinite": ([math.inf], [1.0], "x at index 0: got inf, expected 1"),
    "precision": (ONES, DOUBLE, "x: dtype float32, expected float64"),
    "single": (ONES[0, 0] / 3, 1 / 3, "x: got 0.333333343267 (in float32), expected 0.333333333333"),
    "imaginary part": (torch.tensor(1 + 2j), torch.tensor(1 + 0j), "x: got 1+2j, expected 1+0j"),
}


@pytest.mark.parametrize(("got", "expected", "message"), WRONG.values(), ids=WRONG)
def test_what_differs(got, expected, message: str) -> None:
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}"):
        check_close("x", got, expected)


def test_what_is_close() -> None:
    check_close("x", [1.0, math.inf], [1.0 + 1e-11, math.inf])
    check_close("x", 0.1, 0.1 + 1e-12)  # numbers of Python are not rounded to float32
    check_close("x", DOUBLE + 1e-7, ONES, 1e-6)
    check_close("x", ONES[:0], ONES[:0])
    with pytest.raises(AssertionError, match="at index"):
        check_equal("x", DOUBLE + 1e-12, DOUBLE)


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (lambda a, b: a * b, None),
        (lambda a, b: a + b, "x at index 1: got 0, expected -4"),
        (lambda a, b: a.detach() * b, "the gradient of x, by argument 0 at index 0: got 0, expected 1.5"),
        (lambda a, b: (a * b).detach(), "x: no gradient arrives at the arguments"),
        (lambda a, b: None, "x: got None, expected a tensor"),
    ],
)
def test_values_and_gradients(candidate, message: str | None) -> None:
    arguments = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -2.0])
    if message is None:
        check_same("x", candidate, torch.mul, *arguments)
        return
    with pytest.raises(AssertionError, match=f"^{re.escape(message)}"):
        check_same("x", candidate, torch.mul, *arguments)
