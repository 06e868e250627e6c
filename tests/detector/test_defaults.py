"""Defaults from the paper, and of what the measured accuracies need."""

import pytest

from tests.defaults import check_defaults, check_measured

DEFAULTS = {
    "detector.loss": {"ALPHA": 2, "BETA": 4},  # equation 1
    "detector.model": {"CELL": 4, "PRIOR": 0.1, "THRESHOLD": 0.3},  # 4: the paper's output stride
    "detector.evaluate": {"SCENES": 2000},
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


def test_the_readme_measured_this_configuration() -> None:
    check_measured("detector", "toy", "detector.train.CONFIGS[toy]")
