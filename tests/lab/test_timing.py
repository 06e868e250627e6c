"""``bench.timing``: in turn, by a clock that the test holds; medians and quartiles derived by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.timing import Spread, alternately, ratios, shown, spread, table


class Clock:
    """Time passes only when somebody works."""

    def __init__(self) -> None:
        self.now, self.log = 0.0, []

    def __call__(self) -> float:
        return self.now

    def worker(self, name: str, first: float, then: float):
        """Takes ``first`` seconds the first time, and ``then`` after that."""

        def work() -> None:
            self.now += then if name in self.log else first
            self.log.append(name)

        return work


@given(repetitions=st.integers(1, 6))
def test_each_has_its_own_time_and_the_warm_up_does_not_count(repetitions: int) -> None:
    """The first time that somebody works costs more; it is not in the seconds."""
    clock = Clock()
    seconds = alternately({"a": clock.worker("a", 9, 2), "b": clock.worker("b", 7, 3)}, repetitions, clock)
    assert seconds == {"a": [2] * repetitions, "b": [3] * repetitions}


def test_they_run_in_turn_and_turn_around() -> None:
    clock = Clock()
    alternately({name: clock.worker(name, 1, 1) for name in "abc"}, 3, clock)
    assert "".join(clock.log) == "aabbcc" + "ccbbaa" + "aabbcc"


def test_the_default_clock_measures_and_25_repetitions_are_the_default() -> None:
    seconds = alternately({"nothing": lambda: None})["nothing"]
    assert len(seconds) == 25
    assert min(seconds) >= 0


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([7.0], Spread(7, 7, 7)),
        ([3.0, 1.0], Spread(1.5, 2, 2.5)),
        ([5.0, 1.0, 2.0, 3.0, 100.0], Spread(2, 3, 5)),
    ],
)
def test_quartiles_by_hand(values: list[float], expected: Spread) -> None:
    assert spread(values) == expected


def test_ratios_belong_to_one_repetition() -> None:
    """Everything slows down tenfold in the second: the ratio stays 2. The ratio of medians would be 2.5."""
    assert ratios([2.0, 20.0, 5.0], [1.0, 10.0, 2.0]) == Spread(2, 2, 2.25)


def test_told() -> None:
    assert shown(Spread(2.204, 2.306, 2.4)) == "2.31 (2.20 to 2.40)"
    assert shown(Spread(1000, 1234.56, 2000), digits=1) == "1,234.6 (1,000.0 to 2,000.0)"


def test_columns_are_aligned() -> None:
    assert table([("what", "a second"), ("pictures", "1,000"), ("clips", "12")]).split("\n") == [
        "what      a second",
        "--------  --------",
        "pictures     1,000",
        "clips           12",
    ]


def test_wrong_input_is_named() -> None:
    with pytest.raises(ValueError, match="repetitions must be at least 1, got 0"):
        alternately({}, 0)
    with pytest.raises(ValueError, match="at least one, got none"):
        spread([])
    with pytest.raises(ValueError, match="as many repetitions, got 1 and 2"):
        ratios([1.0], [1.0, 2.0])
