"""Equation → function → test

Y = max exp(−d²/2σ²)               gaussian_heatmap   test_heatmap_by_hand, test_heatmap_by_loops
equation 1, the focal loss         heatmap_loss       test_focal_loss_by_hand, test_focal_loss_by_loops
its gradient                       heatmap_loss       test_gradient_of_the_focal_loss
equation 2, the offset             offset_loss        test_offset_by_hand
equation 4, L_k + L_off + L_att    detection_loss     test_sum_of_the_losses
"""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from detector.loss import detection_loss, gaussian_heatmap, heatmap_loss, offset_loss
from tests.detector.misconceptions import loss as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close

SEEDS = st.integers(0, 10_000)


def equals(got: torch.Tensor, expected: torch.Tensor, equation: str) -> None:
    """Equal to 1e-10; the message begins with the equation."""
    __tracebackhide__ = True
    check_close(equation, got, expected)


def doubles(*rows) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


def check_heatmap_by_hand(candidate) -> None:
    """With σ² = 1/(2 ln 2), a Gaussian is 1/2 one cell away, 1/4 on the diagonal and 1/16 two cells away."""
    sigma = doubles(1, 1) / math.sqrt(2 * math.log(2))
    got = candidate(torch.tensor([0, 0]), doubles([1.9, 0.2], [3.0, 0.9]), sigma, (2, 2, 4))
    one = doubles([1 / 2, 1, 1 / 2, 1], [1 / 4, 1 / 2, 1 / 4, 1 / 2])  # centres in cells (1, 0) and (3, 0)
    equals(got, torch.stack([one, torch.zeros_like(one)]), "Y = max_p exp(−((x − p_x)² + (y − p_y)²) / 2σ²), p = ⌊c⌋")


def test_heatmap_by_hand() -> None:
    check_heatmap_by_hand(gaussian_heatmap)


def check_focal_loss_by_hand(candidate) -> None:
    """Sigmoid 3/4 at the centre, 3/4 where Y = 1/2, and 1/4 where Y = 0; one centre, so N = 1."""
    logits = doubles([math.log(3), math.log(3), -math.log(3)])[None]
    got = candidate(logits, doubles([1, 1 / 2, 0])[None])
    centre = (1 / 4) ** 2 * math.log(3 / 4)
    near = (1 / 2) ** 4 * (3 / 4) ** 2 * math.log(1 / 4)
    far = (1 / 4) ** 2 * math.log(3 / 4)
    equals(got, doubles(-(centre + near + far))[0], "equation 1: L_k of one centre and two other cells")


def test_focal_loss_by_hand() -> None:
    check_focal_loss_by_hand(heatmap_loss)


def check_offset_by_hand(candidate) -> None:
    """Centres (2.25, 1.5) and (0.75, 3): the offsets wanted are (0.25, 0.5) and (0.75, 0)."""
    got = candidate(doubles([1.0, 0.5], [1.25, -1.0]), doubles([2.25, 1.5], [0.75, 3.0]))
    equals(got, doubles((0.75 + 0.0 + 0.5 + 1.0) / 2)[0], "equation 2: 1/N Σ |O − (p/R − ⌊p/R⌋)|")


def test_offset_by_hand() -> None:
    check_offset_by_hand(offset_loss)


def some_objects(n: int, m: int, rows: int, columns: int, seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """image_of, centres in cells and radii in cells, each object in a cell of its own."""
    generator = torch.Generator().manual_seed(seed)
    cells = torch.randperm(m * rows * columns, generator=generator)[:n]
    corner = torch.stack([cells % columns, cells // columns % rows], dim=1)
    inside = torch.rand(len(cells), 2, generator=generator).double()
    return cells // (rows * columns), corner + inside, 0.5 + torch.rand(len(cells), generator=generator).double()


def check_heatmap_by_loops(candidate, n: int, m: int, rows: int, columns: int, seed: int) -> None:
    image_of, centres, sigma = some_objects(n, m, rows, columns, seed)
    expected = torch.zeros(m, rows, columns).double()
    for image, (x, y), s in zip(image_of.tolist(), centres.tolist(), sigma.tolist(), strict=True):
        for row, column in product(range(rows), range(columns)):
            squared = (column - math.floor(x)) ** 2 + (row - math.floor(y)) ** 2
            here = math.exp(-squared / (2 * s**2))
            expected[image, row, column] = max(expected[image, row, column].item(), here)
    equals(candidate(image_of, centres, sigma, (m, rows, columns)), expected, "Y = max_p exp(−d²/2σ_p²)")


@given(sizes=unequal_sizes(4), seed=SEEDS)
@settings(max_examples=30)
def test_heatmap_by_loops(sizes, seed: int) -> None:
    check_heatmap_by_loops(gaussian_heatmap, *sizes, seed)


def some_target(m: int, rows: int, columns: int, seed: int) -> torch.Tensor:
    image_of, centres, sigma = some_objects(3, m, rows, columns, seed)
    return gaussian_heatmap(image_of, centres, sigma, (m, rows, columns))


def check_focal_loss_by_loops(candidate, logits: torch.Tensor, target: torch.Tensor) -> None:
    total, centres = 0.0, 0
    for z, y in zip(logits.flatten().tolist(), target.flatten().tolist(), strict=True):
        p = 1 / (1 + math.exp(-z))
        centres += y == 1
        total -= (1 - p) ** 2 * math.log(p) if y == 1 else (1 - y) ** 4 * p**2 * math.log(1 - p)
    equals(candidate(logits, target), doubles(total / centres)[0], "equation 1")


@given(sizes=unequal_sizes(3), seed=SEEDS, data=st.data())
@settings(max_examples=30)
def test_focal_loss_by_loops(sizes, seed: int, data) -> None:
    check_focal_loss_by_loops(heatmap_loss, data.draw(whole_tensors(*sizes)), some_target(*sizes, seed))


@given(sizes=unequal_sizes(3), seed=SEEDS, data=st.data())
@settings(max_examples=30)
def test_gradient_of_the_focal_loss(sizes, seed: int, data) -> None:
    r"""With p = σ(z): :math:`N\,\partial L/\partial z = (1-p)^2 (2 p \log p - (1-p))` at a centre, and elsewhere
    :math:`(1-Y)^4 p^2 (p - 2 (1-p) \log(1-p))`."""
    logits, target = data.draw(whole_tensors(*sizes)).requires_grad_(), some_target(*sizes, seed)
    (gradient,) = torch.autograd.grad(heatmap_loss(logits, target), logits)
    p = logits.detach().sigmoid()
    at_centre = (1 - p) ** 2 * (2 * p * p.log() - (1 - p))
    elsewhere = (1 - target) ** 4 * p**2 * (p - 2 * (1 - p) * (1 - p).log())
    equals(gradient, torch.where(target == 1, at_centre, elsewhere) / (target == 1).sum(), "the gradient of equation 1")


def test_an_extreme_logit_gives_a_finite_loss() -> None:
    """log σ(−1000) is −1000; written as log(1 − σ(1000)) it is −∞."""
    loss = heatmap_loss(doubles([-1000.0, 1000.0])[None], doubles([1.0, 0.0])[None])
    assert loss.item() == pytest.approx(2000)


def check_sum(candidate, seed: int) -> None:
    """Two images, five objects, two attributes of 3 and 2 values; the parts are those judged above."""
    m, rows, columns, attributes = 2, 2, 4, (3, 2)
    image_of, centres, radii = some_objects(5, m, rows, columns, seed)
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(m, 8, rows, columns, generator=generator).double()
    labels = torch.stack([torch.randint(0, n, (5,), generator=generator) for n in attributes], dim=1)
    expected = heatmap_loss(logits[:, 0], gaussian_heatmap(image_of, centres, radii / 3, (m, rows, columns)))
    at = torch.stack([logits[i, :, int(y), int(x)] for i, (x, y) in zip(image_of, centres, strict=True)])
    expected = expected + offset_loss(at[:, 1:3], centres)
    expected = expected + cross_entropy(at[:, 3:6], labels[:, 0]) + cross_entropy(at[:, 6:], labels[:, 1])
    places = centres / doubles(columns, rows)  # x in image widths, y in image heights
    got = candidate(logits, image_of, places, radii / columns, labels, attributes)
    equals(got, expected, "equation 4: L = L_k + L_off + the cross-entropy of each attribute")


@given(seed=SEEDS)
@settings(max_examples=20)
def test_sum_of_the_losses(seed: int) -> None:
    check_sum(detection_loss, seed)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.HEATMAPS)
def test_wrong_heatmap_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_heatmap_by_hand(wrong)


@each(misconceptions.FOCAL_LOSSES)
def test_wrong_focal_loss_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_focal_loss_by_loops(wrong, torch.linspace(-2, 2, 24).double().view(2, 3, 4), some_target(2, 3, 4, 0))


@each(misconceptions.OFFSETS)
def test_wrong_offset_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_offset_by_hand(wrong)


@each(misconceptions.SUMS)
def test_wrong_sum_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_sum(wrong, seed=1)
