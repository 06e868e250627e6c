"""Ranges are read from the types; a value out of range is named with its field, in one line."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Len, Lt, MultipleOf

from lab.config import check, checked


@dataclass(frozen=True)
class Config:
    steps: Annotated[int, Ge(1)] = 500
    learning_rate: Annotated[float, Gt(0)] = 0.01
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0
    image_size: Annotated[int, MultipleOf(8)] = 64
    fusion: Literal["product", "sum"] = "product"
    widths: Annotated[tuple[Annotated[int, Ge(1)], ...], Len(1)] = (3, 5)


def test_values_in_their_ranges_pass() -> None:
    check(Config())
    check(Config(steps=1, learning_rate=1e-9, dropout=0, image_size=8, fusion="sum", widths=(1,)))


WRONG = {
    "steps": [(0, "must be greater than or equal to 1"), (1.5, "must be a valid integer"), (None, "must be a valid")],
    "learning_rate": [
        (0.0, "must be greater than 0"),
        (float("nan"), "must be a finite number"),
        (float("inf"), "must be a finite number"),
    ],
    "dropout": [(1.0, "must be less than 1"), (-0.1, "must be greater than or equal to 0")],
    "image_size": [(12, "must be a multiple of 8")],
    "fusion": [("sun", "must be 'product' or 'sum'")],
    "widths": [((), "must have at least 1 item"), (3, "must be a valid tuple")],
}


@pytest.mark.parametrize(("name", "value", "message"), [(n, v, m) for n in WRONG for v, m in WRONG[n]])
def test_a_value_out_of_range_is_named(name, value, message) -> None:
    with pytest.raises(ValueError, match=rf"^{name} {message}.*, got ") as error:
        check(Config(**{name: value}))
    assert str(error.value).endswith(f", got {value!r}")
    assert "\n" not in str(error.value)


def test_the_place_in_a_tuple_is_named() -> None:
    with pytest.raises(ValueError, match=r"^widths\[1\] must be greater than or equal to 1, got 0$"):
        check(Config(widths=(3, 0)))


def test_lists_of_json_become_tuples_and_fields_that_are_not_there_take_their_default() -> None:
    assert checked(Config, {"widths": [7, 2], "steps": 9}) == Config(widths=(7, 2), steps=9)


def test_unknown_fields_are_named_beside_those_that_are_known() -> None:
    message = "^a configuration has the fields steps, learning_rate, .*widths, got depth, stesp$"
    with pytest.raises(ValueError, match=message):
        checked(Config, {"stesp": 1, "depth": 2, "steps": 3})
