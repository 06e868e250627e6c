"""What lies exactly on a threshold counts, and what lies just beyond it does not."""

import math
from dataclasses import replace

import pytest
import torch

from detector.evaluate import fits
from detector.model import peaks
from tests.detector.test_evaluate import FOUND_STAR, RED_STAR


@pytest.mark.parametrize(("height", "is_peak"), [(0.3, True), (math.nextafter(0.3, 0), False)])
def test_a_peak_is_at_least_0_3_high(height: float, is_peak: bool) -> None:
    heatmap = torch.zeros(1, 3, 3, dtype=torch.float64)
    heatmap[0, 1, 1] = height
    assert peaks(heatmap).sum() == is_peak


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_hit_may_be_as_far_away_as_the_tolerance(axis: str, sign: int) -> None:
    """Halves and quarters have no rounding."""
    there = getattr(RED_STAR, axis) + sign / 16
    assert fits(replace(FOUND_STAR, **{axis: there}), RED_STAR, 1 / 16)
    assert not fits(replace(FOUND_STAR, **{axis: math.nextafter(there, sign * math.inf)}), RED_STAR, 1 / 16)
