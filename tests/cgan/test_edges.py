"""What lies exactly on a threshold, and what lies just beyond it."""

import math

import pytest
import torch
from torch import nn

from cgan.data import check_range
from cgan.evaluate import check_diversity, within
from cgan.extensions.obedience import obedience, prefers_the_true_sentence


@pytest.mark.parametrize("away", [torch.tensor([1.5, 0.0]), torch.tensor([0.0, -1.5])])
def test_a_point_3_sigma_away_is_within_3_sigma(away: torch.Tensor) -> None:
    """3σ = 1.5, and label 0 is at (5, 0): no rounding."""
    mean, label = torch.tensor([[5.0, 0.0]], dtype=torch.float64), torch.tensor([0])
    assert within(mean + away, label) == 1
    assert within(mean + away * (1 + 1e-6), label) == 0


def test_a_tenth_of_the_real_diversity_is_enough() -> None:
    check_diversity({0: 0.1, 1: 0.5})
    with pytest.raises(ValueError, match="its samples of label 0 differ"):
        check_diversity({0: math.nextafter(0.1, 0), 1: 0.5})


@pytest.mark.parametrize(
    ("low", "high", "allowed"),
    [(-1.0, 1.0, True), (-1.0, -0.5, True), (-1.01, 1.0, False), (-1.0, 1.01, False), (0.0, 1.0, False)],
)
def test_the_range_of_pictures(low: float, high: float, allowed: bool) -> None:
    images = torch.tensor([low, high])[:, None, None, None].expand(2, 1, 2, 2)
    if allowed:
        check_range(images)
    else:
        with pytest.raises(ValueError, match=r"must be in \[−1, 1\], got "):
            check_range(images)


class Indifferent(nn.Module):
    """Believes every picture, whatever the sentence says."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))

    def forward(self, images: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        return images.flatten(1).sum(dim=1) + 0 * self.weight


def test_a_tie_between_two_sentences_is_no_preference() -> None:
    images, vectors = torch.randn(5, 1, 2, 2), torch.randn(2, 5, 3)
    assert prefers_the_true_sentence(Indifferent(), images, *vectors) == 0


def test_what_a_sentence_does_not_name_is_not_counted() -> None:
    """Of two pictures, one sentence names the size, wrongly: the size is right in 0 of 1, not in 1 of 2."""
    read, named = torch.tensor([[0, 0, 0], [1, 1, 1]]), torch.tensor([[0, 0, -1], [1, 1, 0]])
    shares = obedience(read, named)
    assert (shares["size"], shares["colour and shape"], shares["all named"]) == (0, 1, 0.5)
