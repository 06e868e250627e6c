"""What is measured → function → test

within 3σ of the own mean: 1 − e^(−9/2)      within               test_within_by_hand, test_real_points
a Gaussian's width along its axes            widths               test_widths_by_hand
mean distance of two samples of a label      diversity            test_diversity_in_loops
FID                                          frechet_distance     test_frechet_equals_scipy, test_frechet_by_hand
nearest training picture                     nearest              test_nearest_in_loops
a collapsed run stops                        check_diversity      test_monitor
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from torch import nn

from cgan.data import MODES, SIGMA, ring_batches, ring_means
from cgan.evaluate import (
    check_diversity,
    diversity,
    fakes_of_each,
    frechet_distance,
    measure_pictures,
    measure_ring,
    nearest,
    relative_diversity,
    samples_of,
    vanishing_gradient,
    widths,
    within,
)
from cgan.model import MLPGenerator
from cgan.train import CONFIGS, build, build_optimizers
from tests.cgan.misconceptions import evaluate as misconceptions
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_equal

SEEDS = st.integers(0, 10_000)


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def check_within(candidate) -> None:
    """Four points of label 0: 2.9σ away, 3.1σ away, 2.9σ along both axes, and in the middle of label 1."""
    offsets = torch.tensor([[2.9, 0.0], [0.0, 3.1], [2.9, 2.9]]) * SIGMA
    points = torch.cat([ring_means()[:1] + offsets, ring_means()[1:2]])
    check_close("the share within 3σ of the own mean", candidate(points, torch.zeros(4, dtype=torch.long)), 1 / 4)


def test_within_by_hand() -> None:
    check_within(within)


def test_real_points() -> None:
    """98.9%, as theory says, and widths of 1; with the labels of others, nothing is right."""
    batch = ring_batches("test", 0, 40_000, 1)(0)
    found = measure_ring(batch.samples, batch.labels)
    check_close("within 3σ", found["within 3σ"], 1 - math.exp(-9 / 2), 0, 0.002)
    assert 0.95 < found["narrowest axis"] < found["narrowest mode"] < found["widest mode"] < found["widest axis"] < 1.05
    assert within(batch.samples, (batch.labels + 1) % MODES) == 0


def test_the_worst_mode_may_be_too_narrow_or_too_wide() -> None:
    """A label at half the width, and one at twice the width: ½ in both cases."""
    batch = ring_batches("test", 0, 20_000, 1)(0)
    for factor in (0.5, 2.0):
        means = ring_means()[batch.labels]
        changed = means + (batch.samples - means) * torch.where(batch.labels == 3, factor, 1.0)[:, None]
        found = measure_ring(changed, batch.labels)
        check_close("the worst mode", found["worst mode"], 0.5, 0.05)
        check_close("its width", found["narrowest mode" if factor < 1 else "widest mode"], factor, 0.05)


def test_widths_by_hand() -> None:
    """Points at ±a along x and ±b along y have the variances 2a²/3 and 2b²/3 (divided by n − 1), turned by 45°."""
    a, b = 3 * SIGMA, SIGMA
    points = torch.tensor([[a, 0], [-a, 0], [0, b], [0, -b]], dtype=torch.float64)
    turn = torch.tensor([[1, -1], [1, 1]], dtype=torch.float64) / math.sqrt(2)
    found = widths(ring_means()[3].double() + points @ turn.T, torch.full((4,), 3))
    expected = torch.tensor([math.sqrt((9 + 1) / 3), math.sqrt(2 / 3), 3 * math.sqrt(2 / 3)])
    check_close("mean, narrow and wide", torch.tensor(found[3]), expected, 1e-6)


def test_a_collapse_to_a_line_is_seen() -> None:
    """All on a line of the right length: the mean width is not far from 1, the narrowest axis is 0."""
    points = ring_means()[0] + torch.stack([torch.zeros(100), SIGMA * some(100).float()], dim=1)
    mean, narrow, wide = widths(points, torch.zeros(100, dtype=torch.long))[0]
    assert narrow < 1e-6 < 0.5 < mean < wide


def check_diversity_of(candidate, sizes: tuple[int, int, int], seed: int) -> None:
    n, m, d = sizes
    features = some(n + m, d, seed=seed) + 9 * torch.arange(n + m)[:, None].ge(n)
    labels = torch.tensor([4] * n + [7] * m)
    found = candidate(features, labels)
    for label in (4, 7):
        own = features[labels == label]
        pairs = [(a - b).norm() for i, a in enumerate(own) for b in own[:i]]
        check_close(f"the mean distance of two samples of label {label}", found[label], sum(pairs) / len(pairs))


@given(sizes=unequal_sizes(3), seed=SEEDS)
def test_diversity_in_loops(sizes, seed: int) -> None:
    check_diversity_of(diversity, sizes, seed)


def test_relative_diversity() -> None:
    """Half as wide: ½. Pictures are compared entry by entry, whatever their shape."""
    real, labels = some(20, 1, 3, 3), torch.arange(20) % 2
    found = relative_diversity(real / 2 + 1, labels, real, labels)
    check_close("half", torch.tensor([found[0], found[1]]), torch.tensor([0.5, 0.5]))


def test_one_sample_has_no_diversity() -> None:
    with pytest.raises(ValueError, match="label 3 must have at least 2 samples, got 1"):
        diversity(some(3, 2), torch.tensor([1, 1, 3]))


def test_monitor() -> None:
    check_diversity({0: 0.1, 1: 0.9})
    with pytest.raises(ValueError, match=r"has collapsed: its samples of label 2 .* 3\.0% .* at least 10%"):
        check_diversity({0: 0.5, 1: 0.9, 2: 0.03})


def scipy_frechet(a: torch.Tensor, b: torch.Tensor) -> float:
    """As the authors' code has it: the root of the product of the covariances, by scipy."""
    ca, cb = torch.cov(a.T).numpy(), torch.cov(b.T).numpy()
    gap = (a.mean(0) - b.mean(0)).square().sum().item()
    return gap + ca.trace() + cb.trace() - 2 * sqrtm(ca @ cb).real.trace()


def check_frechet(candidate, sizes: tuple[int, int, int], seed: int) -> None:
    d, n, m = sorted(sizes)  # more rows than columns, so that the root exists
    a, b = some(n + 3, d, seed=seed), 2 * some(m + 3, d, seed=seed + 1) + 1
    check_close("FID", candidate(a, b), scipy_frechet(a, b), 1e-6, 1e-7)  # scipy's root has this error


@given(sizes=unequal_sizes(3), seed=SEEDS)
def test_frechet_equals_scipy(sizes, seed: int) -> None:
    check_frechet(frechet_distance, sizes, seed)


def test_frechet_by_hand() -> None:
    """One dimension: (μ_a − μ_b)² + (σ_a − σ_b)²."""
    a, b = torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [11.0]])
    expected = (2 - 8) ** 2 + (math.sqrt(2) - math.sqrt(18)) ** 2
    check_close("FID in one dimension", frechet_distance(a, b), expected)
    check_close("with itself", frechet_distance(some(40, 5), some(40, 5)), 0.0, 0, 1e-7)
    with pytest.raises(ValueError, match="at least 2 rows, got 1 and 2"):
        frechet_distance(a[:1], b)


def test_frechet_with_fewer_rows_than_columns() -> None:
    """The covariances have no full rank there, and scipy's root may fail; the trace is still right."""
    a, b = some(4, 9), some(5, 9, seed=1)
    again = frechet_distance(b, a)
    check_close("FID is symmetric", frechet_distance(a, b), again, 1e-6)
    assert frechet_distance(a, b) > 0
    check_close("with itself", frechet_distance(a, a), 0.0, 0, 1e-5)


@given(sizes=unequal_sizes(3), seed=SEEDS)
def test_nearest_in_loops(sizes, seed: int) -> None:
    n, m, d = sizes
    pictures, others = some(n, 1, d, 2, seed=seed), some(m, 1, d, 2, seed=seed + 1)
    distances, indices = nearest(pictures, others, chunk=2)
    for k in range(n):
        all_distances = torch.stack([(pictures[k] - other).norm() for other in others])
        check_close("the nearest distance", distances[k], all_distances.min(), 1e-9)
        assert indices[k] == all_distances.argmin()


def test_a_copy_has_distance_zero() -> None:
    training = some(30, 1, 4, 4)
    distances, indices = nearest(training[7:9], training)
    check_close("the distance of a copy", distances, torch.zeros(2))
    assert indices.tolist() == [7, 8]


def test_measures_of_pictures() -> None:
    """A judge that reads the label off the first pixel: two of six fakes are wrong, and all are alike."""

    def read(pictures):
        return pictures[:, 0, 0, 0].round().long(), pictures.flatten(1)

    real = some(30, 1, 2, 2)
    real_labels = torch.arange(30) % 3
    real[:, 0, 0, 0] = real_labels.double()
    wanted = torch.tensor([0, 0, 1, 1, 2, 2])
    fakes = torch.zeros(6, 1, 2, 2).double()
    fakes[:, 0, 0, 0] = torch.tensor([0, 0, 1, 2, 2, 1]).double()
    found = measure_pictures(read, fakes, wanted, real, real_labels)
    check_close("obedience", found["obedience"], 4 / 6)
    assert found["least diversity"] == 0
    assert found["FID"] > 1
    same = measure_pictures(read, real, real_labels, real, real_labels)
    check_close(
        "real", torch.tensor([same[k] for k in ("obedience", "diversity", "FID")]), torch.tensor([1.0, 1, 0]), 0, 1e-5
    )


def test_samples_come_from_evaluation_mode() -> None:
    """Chunks change nothing, the mode comes back, and a label that is not there is named."""
    gan = build(CONFIGS["ring"], MODES)
    gan.generator.joint = nn.Sequential(gan.generator.joint, nn.BatchNorm1d(64))
    gan.train()
    noise, labels = torch.randn(7, 2), torch.arange(7)
    whole = samples_of(gan.generator, noise, labels)
    check_close("in chunks", samples_of(gan.generator, noise, labels, chunk=2), whole, 1e-5, 1e-6)
    assert gan.generator.training
    assert not whole.requires_grad
    for wrong in (-1, 8):
        with pytest.raises(ValueError, match=r"labels must be from 0 to 7, got"):
            samples_of(gan.generator, noise, torch.full((7,), wrong))


def test_fakes_are_a_function_of_split_and_seed() -> None:
    generator = MLPGenerator(3, 2, 2, 8)
    fakes, labels = fakes_of_each(generator, 2, 3, 4, "test")
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    check_equal("the same split and seed, the same fakes", fakes, fakes_of_each(generator, 2, 3, 4, "test")[0])
    for other in (("validation", 0), ("test", 1)):
        assert not torch.equal(fakes, fakes_of_each(generator, 2, 3, 4, *other)[0])


def test_the_gradient_vanishes() -> None:
    """Section 3: while only D learns, the gradient of minimax falls towards 0, and the other one does not."""
    torch.manual_seed(0)
    config = CONFIGS["ring"]
    gan = build(config, MODES)
    before = [parameter.clone() for parameter in gan.generator.parameters()]
    optimizers, _ = build_optimizers(gan, config)
    norms = vanishing_gradient(gan, optimizers.discriminator, ring_batches("train", 0, 64, 2), 60)
    minimax, other = norms["minimax"], norms["non-saturating"]
    assert len(minimax) == len(other) == 60
    late, early = (sum(minimax[part]) for part in (slice(-10, None), slice(10)))
    assert late < 0.1 * early, "the gradient of minimax does not vanish"
    assert sum(other[-10:]) > 20 * late, "the other one must stay"
    for parameter, value in zip(gan.generator.parameters(), before, strict=True):
        check_equal("G, which must not learn", parameter, value)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.WITHIN)
def test_wrong_share_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_within(wrong)


@each(misconceptions.FRECHET)
def test_wrong_frechet_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_frechet(wrong, (3, 5, 6), 0)


@each(misconceptions.DIVERSITIES)
def test_wrong_diversity_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_diversity_of(wrong, (3, 4, 2), 0)
