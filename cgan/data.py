r"""Batches of labelled samples with noise. A batch is a pure function of (split, seed, step).

``ring``: eight Gaussians, whose means lie on a circle, and each has a label. So a reader sees the whole game in two
dimensions, and theory gives every number. Pictures are drawn at random from those of a data set.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

SPLITS = ("train", "validation", "test")
MODES = 8  # Gaussians on the ring, a label each
RADIUS, SIGMA = 5.0, 0.5  # of the circle, and of each Gaussian along every axis


class Batch(NamedTuple):
    """n real samples, each with its label, and the noise for as many fakes with the same labels."""

    samples: Float[Tensor, "n *shape"]
    labels: Int[Tensor, " n"]
    noise: Float[Tensor, "n z"]


def random_at(split: str, seed: int, step: int) -> torch.Generator:
    """The random numbers of one step. The three names are hashed, so that neighbours have nothing in common."""
    key = (SPLITS.index(split), seed % 2**32, seed // 2**32, step)  # as many words of 32 bits for every seed
    words = np.random.SeedSequence(key).generate_state(1)
    return torch.Generator().manual_seed(int(words[0]))


def ring_means() -> Float[Tensor, "8 2"]:
    """The mean of each label's Gaussian. Label 0 is on the right, and the others follow against the clock."""
    angles = torch.arange(MODES) * (2 * math.pi / MODES)
    return RADIUS * torch.stack([angles.cos(), angles.sin()], dim=1)


def ring_batches(split: str, seed: int, n: int, noise: int) -> Callable[[int], Batch]:
    """``batch_at`` for the ring: :math:`x = \\mu_y + \\sigma\\, \\varepsilon`, with y uniform and ε standard normal."""

    def batch_at(step: int) -> Batch:
        random = random_at(split, seed, step)
        labels = torch.randint(MODES, (n,), generator=random)
        samples = ring_means()[labels] + SIGMA * torch.randn(n, 2, generator=random)  # (n, 2)
        return Batch(samples, labels, torch.randn(n, noise, generator=random))

    return batch_at


def picture_batches(
    images: Float[Tensor, "m c h w"], image_labels: Int[Tensor, " m"], split: str, seed: int, n: int, noise: int
) -> Callable[[int], Batch]:
    """``batch_at`` for pictures from −1 to 1: n of them, drawn with replacement.

    Raises:
        ValueError: if the pictures do not reach from below 0 to above 0, as those from 0 to 1 do not.
    """
    check_range(images)

    def batch_at(step: int) -> Batch:
        random = random_at(split, seed, step)
        chosen = torch.randint(len(images), (n,), generator=random)
        return Batch(images[chosen], image_labels[chosen], torch.randn(n, noise, generator=random))

    return batch_at


class TextBatch(NamedTuple):
    """n real pictures with the vectors of two sentences, one true and one false of the picture; noise for n fakes."""

    images: Float[Tensor, "n 3 h w"]
    right: Float[Tensor, "n d"]
    wrong: Float[Tensor, "n d"]
    noise: Float[Tensor, "n z"]


def text_batches(
    images: Float[Tensor, "m 3 h w"],
    vectors: Float[Tensor, "s d"],
    right: Int[Tensor, "m k"],
    wrong: Int[Tensor, "m k"],
    seed: int,
    n: int,
    noise: int,
) -> Callable[[int], TextBatch]:
    """``batch_at`` for pictures with sentences: n pictures, for each one of its k right and one of its k wrong ones.

    Args:
        images: from −1 to 1.
        vectors: φ(t) of every sentence, from the frozen encoder.
        right, wrong: for each picture the rows of sentences that are true of it, and of some that are false.

    Raises:
        ValueError: as in ``picture_batches``.
    """
    check_range(images)

    def batch_at(step: int) -> TextBatch:
        random = random_at("train", seed, step)
        chosen = torch.randint(len(images), (n,), generator=random)
        one, other = torch.randint(right.shape[1], (2, n), generator=random)
        z = torch.randn(n, noise, generator=random)
        return TextBatch(images[chosen], vectors[right[chosen, one]], vectors[wrong[chosen, other]], z)

    return batch_at


def check_range(images: Float[Tensor, "m c h w"]) -> None:
    """Raises ValueError if pictures do not reach from below 0 to above 0 in [−1, 1]."""
    if images.min() < -1 or images.max() > 1 or images.min() >= 0:
        raise ValueError(f"images must be in [−1, 1], got [{images.min():.3g}, {images.max():.3g}]: scale them first")
