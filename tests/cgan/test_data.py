"""What is promised → test

x = μ_y + σ ε, with y uniform        test_each_label_has_its_gaussian
a batch is a pure function           test_batches_are_pure
splits, seeds, steps have no batch in common   test_nothing_in_common
pictures keep their labels           test_pictures_keep_their_labels
[0, 1] is not [−1, 1]                test_another_range_is_named
"""

import math
from types import SimpleNamespace

import pytest
import torch

from cgan.data import MODES, RADIUS, SIGMA, SPLITS, Batch, picture_batches, ring_batches, ring_means
from tests.runs import check_pure
from tests.teach import check_close, check_equal


def test_means_by_hand() -> None:
    means = ring_means()
    check_close("all on the circle", means.norm(dim=1), torch.full((8,), RADIUS), 1e-6)
    check_close("label 0 is right", means[0], torch.tensor([RADIUS, 0.0]), 1e-6, 1e-6)
    check_close("label 2 is above", means[2], torch.tensor([0.0, RADIUS]), 1e-6, 1e-5)
    distance = 2 * RADIUS * math.sin(math.pi / 8)
    check_close("neighbours", (means[3] - means[4]).norm(), distance, 1e-6)
    assert distance > 7 * SIGMA, "the Gaussians must not touch"


def check_gaussians(batch: Batch) -> None:
    """Of each label: mean and covariance within five standard errors, and 1 − e^(−9/2) within 3σ."""
    assert (batch.labels.bincount(minlength=MODES).double() / len(batch.labels) - 1 / MODES).abs().max() < 0.01
    for label, mean in enumerate(ring_means().double()):
        own = batch.samples[batch.labels == label].double()
        error = 5 * SIGMA / math.sqrt(len(own))
        check_close(f"the mean of label {label}", own.mean(dim=0), mean, 0, error)
        expected = SIGMA**2 * torch.eye(2).double()
        check_close(f"the covariance of label {label}", torch.cov(own.T), expected, 0, 2 * SIGMA * error)
        inside = ((own - mean).norm(dim=1) < 3 * SIGMA).double().mean()
        check_close("the share within 3σ", inside, 1 - math.exp(-9 / 2), 0, 0.01)


def test_each_label_has_its_gaussian() -> None:
    check_gaussians(ring_batches("train", 0, 40_000, 2)(0))


def shifted(batch: Batch) -> Batch:
    """Tempting because labels are often drawn beside the samples and not with them."""
    return batch._replace(labels=batch.labels.roll(1))


def wide(batch: Batch) -> Batch:
    """Tempting because "variance ½" sounds like "σ = ½"."""
    means = ring_means()[batch.labels]
    return batch._replace(samples=means + (batch.samples - means) * SIGMA**-0.5)


@pytest.mark.parametrize("wrong", [shifted, wide], ids=lambda function: function.__name__)
def test_wrong_ring_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_gaussians(wrong(ring_batches("train", 0, 40_000, 2)(0)))


def test_noise_is_standard_normal_and_not_that_of_the_samples() -> None:
    batch = ring_batches("train", 0, 20_000, 2)(3)
    check_close("mean of z", batch.noise.mean(dim=0), torch.zeros(2), 0, 0.04)
    check_close("covariance of z", torch.cov(batch.noise.T), torch.eye(2), 0, 0.05)
    rest = (batch.samples - ring_means()[batch.labels]) / SIGMA
    together = torch.cov(torch.cat([rest, batch.noise], dim=1).T)[:2, 2:]
    check_close("covariance of z with the samples", together, torch.zeros(2, 2), 0, 0.05)


PICTURES = torch.linspace(-1, 1, 12)[:, None, None, None].expand(12, 1, 4, 4)
LABELS = torch.arange(12) % 5
MAKERS = {
    "ring": lambda split, seed: ring_batches(split, seed, 8, 3),
    "pictures": lambda split, seed: picture_batches(PICTURES, LABELS, split, seed, 8, 3),
}


@pytest.mark.parametrize("name", MAKERS)
def test_batches_are_pure(name: str) -> None:
    one, other, reseeded = (SimpleNamespace(batch_at=MAKERS[name]("train", seed)) for seed in (3, 3, 4))
    check_pure(one, other, reseeded)
    torch.manual_seed(1)
    first = one.batch_at(5)
    torch.manual_seed(2)
    check_equal("the noise of step 5 with another seed of torch", first.noise, one.batch_at(5).noise)


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_in_common(name: str) -> None:
    """Neighbouring seeds and steps, and those that a sum would mix up; seeds beyond 32 bits, too."""
    keys = [(split, seed, step) for split in SPLITS for seed in (0, 1, 2**32, 2**32 + 1) for step in (0, 1, 2)]
    firsts = {tuple(MAKERS[name](split, seed)(step).noise[0].tolist()) for split, seed, step in keys}
    assert len(firsts) == len(keys), "two of (split, seed, step) have the same noise"


def test_pictures_keep_their_labels() -> None:
    batch = picture_batches(PICTURES, LABELS, "train", 0, 200, 3)(0)
    places = ((batch.samples[:, 0, 0, 0] + 1) * 5.5).round().long()
    check_equal("the labels of the drawn pictures", batch.labels, LABELS[places])
    assert len(set(places.tolist())) == 12, "some pictures are never drawn"


@pytest.mark.parametrize("change", [lambda x: (x + 1) / 2, lambda x: 3 * x, lambda x: (x + 1) * 127.5])
def test_another_range_is_named(change) -> None:
    with pytest.raises(ValueError, match=r"images must be in \[−1, 1\], got \["):
        picture_batches(change(PICTURES), LABELS, "train", 0, 8, 3)
