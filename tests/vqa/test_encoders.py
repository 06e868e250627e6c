"""Equation → function → test

Σ h, Σ x h, Σ y h, k; h = ReLU(W f)   GridEncoder   test_two_objects_by_hand, test_grid_encoder_by_loops
the sums follow an object             GridEncoder   test_moments_follow_an_object
two stars are not one                 norm_i        test_two_objects_do_not_look_like_one
"red and a star"                      GridEncoder   test_one_channel_can_ask_for_two_attributes
convolution, ReLU, pooling            SmallCNN      test_cnn_by_hand
"""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from tests.strategies import unequal_sizes
from tests.teach import check_equal
from tests.vqa.misconceptions import encoders as misconceptions
from tests.vqa.test_model import SEEDS, check_gradients, doubles, equals, some_images
from vqa.encoders import CONSTANT, GridEncoder, SmallCNN
from vqa.model import norm_i

ATTRIBUTES = (3, 2)


def encoder_of(weight: torch.Tensor) -> GridEncoder:
    encoder = GridEncoder(len(weight), ATTRIBUTES).double()
    with torch.no_grad():
        encoder.read.weight.copy_(weight)
    return encoder


def some_grid(m: int, rows: int, columns: int, seed: int) -> torch.Tensor:
    """About one cell of three has an object: 1, then the probabilities of 3 and 2 values. The other cells are 0."""
    generator = torch.Generator().manual_seed(seed)
    there = torch.rand(m, 1, rows, columns, generator=generator) < 1 / 3
    values = [torch.randn(m, n, rows, columns, generator=generator).double().softmax(dim=1) for n in ATTRIBUTES]
    return there * torch.cat([torch.ones(m, 1, rows, columns).double(), *values], dim=1)


def check_two_objects_by_hand(candidate) -> None:
    """A grid of 2 rows and 4 columns, whose columns are at x = −3/2, −1/2, 1/2, 3/2 and rows at y = −1, 1.

    One object is in row 0, column 3; the other in row 1, column 1. The channel reads 2 from the first object, and −5,
    therefore 0, from the second; the other channel reads 1 from each.
    """
    grid = torch.zeros(1, 6, 2, 4).double()
    grid[0, :, 0, 3] = doubles(1, 1, 0, 0, 1, 0)
    grid[0, :, 1, 1] = doubles(1, 0, 0, 1, 0, 1)
    weight = doubles([0, 2, 0, -5, 0, 0], [1, 0, 0, 0, 0, 0])
    expected = doubles([2, 1 + 1, 3 / 2 * 2, 3 / 2 - 1 / 2, -1 * 2, -1 + 1, CONSTANT])
    equals(candidate(encoder_of(weight), grid), expected, "[Σ h, Σ x h, Σ y h, k], h = ReLU(W f)")


def test_two_objects_by_hand() -> None:
    check_two_objects_by_hand(lambda encoder, grid: encoder(grid))


def by_loops(encoder: GridEncoder, grid: torch.Tensor) -> torch.Tensor:
    """All cells, also the empty ones; they add 0."""
    m, _, rows, columns = grid.shape
    out = []
    for image in range(m):
        sums = torch.zeros(3, len(encoder.read.weight)).double()
        for row, column in itertools.product(range(rows), range(columns)):
            h = (encoder.read.weight @ grid[image, :, row, column]).relu()
            x, y = -2 + (4 * column + 2) / columns, -2 + (4 * row + 2) / rows
            sums = sums + torch.stack([h, x * h, y * h])
        out.append(torch.cat([sums.flatten(), doubles(CONSTANT)]))
    return torch.stack(out)


@given(sizes=unequal_sizes(4, high=5), seed=SEEDS)
@settings(max_examples=20)
def test_grid_encoder_by_loops(sizes, seed: int) -> None:
    m, rows, columns, channels = sizes
    torch.manual_seed(seed)
    encoder, grid = encoder_of(torch.randn(channels, 6).double()), some_grid(m, rows, columns, seed)
    check_gradients((encoder(grid),), (by_loops(encoder, grid),), [encoder.read.weight], seed)


@given(sizes=unequal_sizes(2), data=st.data())
def test_moments_follow_an_object(sizes, data) -> None:
    """A step to the right changes the second number alone, a step down the third."""
    h, w = sizes
    y, x = data.draw(st.integers(0, h - 2)), data.draw(st.integers(0, w - 2))

    def pooled(row: int, column: int) -> torch.Tensor:
        grid = torch.zeros(1, 6, h, w).double()
        grid[0, 0, row, column] = 1
        return encoder_of(doubles([1, 0, 0, 0, 0, 0]))(grid)[0]

    equals(pooled(y, x + 1) - pooled(y, x), doubles(0, 4 / w, 0, 0), "one column is 4/columns of x")
    equals(pooled(y + 1, x) - pooled(y, x), doubles(0, 0, 4 / h, 0), "one row is 4/rows of y")


def test_an_image_without_objects_has_the_constant_alone() -> None:
    got = encoder_of(doubles([1, 2, 3, 4, 5, 6]))(torch.zeros(2, 6, 3, 4).double())
    equals(got, doubles([0, 0, 0, CONSTANT], [0, 0, 0, CONSTANT]), "empty sums are 0")
    assert GridEncoder(7, ATTRIBUTES).features == 3 * 7 + 1, "what VQA's linear map reads: three sums and k"


def test_two_objects_do_not_look_like_one() -> None:
    """One star in the middle of 3×3 cells, or one left and one right of it. After norm I both vectors have one length,
    and the sum, as a share of the constant, still doubles."""
    one, two = torch.zeros(2, 1, 6, 3, 3).double()
    one[0, 0, 1, 1] = two[0, 0, 1, 0] = two[0, 0, 1, 2] = 1
    vectors = [norm_i(encoder_of(doubles([1, 0, 0, 0, 0, 0]))(grid))[0] for grid in (one, two)]
    equals(vectors[0].norm(), vectors[1].norm(), "norm I")
    equals(
        vectors[1][0] / vectors[1][-1], 2 * vectors[0][0] / vectors[0][-1], "two stars over k are twice one star over k"
    )


def test_one_channel_can_ask_for_two_attributes() -> None:
    """ReLU(red + star − 1) is 1 for a red star and 0 for a red cross and a blue star. A linear map sums to the same for
    {red star, blue cross} and {red cross, blue star}."""
    ask_both = doubles([-1, 1, 0, 0, 1, 0])
    red_star, red_cross = doubles(1, 1, 0, 0, 1, 0), doubles(1, 1, 0, 0, 0, 1)
    blue_star, blue_cross = doubles(1, 0, 0, 1, 1, 0), doubles(1, 0, 0, 1, 0, 1)
    counted = []
    for objects in ((red_star, blue_cross), (red_cross, blue_star)):
        grid = torch.zeros(1, 6, 1, 5).double()
        grid[0, :, 0, 1], grid[0, :, 0, 3] = objects
        counted.append(encoder_of(ask_both)(grid)[0, 0].item())
    assert counted == [1, 0]
    equals(red_star + blue_cross, red_cross + blue_star, "the sums of what a linear map reads")


def test_a_channel_begins_with_half_of_the_attributes() -> None:
    """Each attribute is there as a whole or not at all; 600 throws of a coin, and 4 standard deviations."""
    torch.manual_seed(0)
    first, *values = GridEncoder(300, ATTRIBUTES).read.weight.split([1, *ATTRIBUTES], dim=1)
    check_equal("the first column", first, torch.zeros_like(first))
    some = torch.stack([(weight != 0).any(dim=1) for weight in values])
    whole = torch.stack([(weight != 0).all(dim=1) for weight in values])
    check_equal("each attribute is there as a whole or not at all", some, whole)
    assert abs(some.sum().item() - 300) < 4 * math.sqrt(600 / 4)


def test_first_weights_keep_the_size() -> None:
    """He et al. 2015: the variance is 2 / (inputs of a unit). 4 standard deviations of its estimate; no bias."""
    torch.manual_seed(0)
    cnn, grid = SmallCNN((64, 64), background=0.5), GridEncoder(300, ATTRIBUTES)
    for weight in (cnn.layers[0].weight, cnn.layers[3].weight, grid.read.weight):
        known = weight[weight != 0].detach()
        expected = 2 / weight[0].numel()
        assert abs(known.var().item() / expected - 1) < 4 * math.sqrt(2 / len(known))
    assert not any(cnn.layers[k].bias.any() for k in (0, 3))


def check_cnn_by_hand(candidate) -> None:
    """One layer on 4×4 pixels, whose kernel reads its own pixel's red channel: the largest of twice the difference."""
    cnn = SmallCNN((1,), background=0.5).double()
    images = torch.full((2, 3, 4, 4), 0.5, dtype=torch.float64)
    images[0, 0, 1, 2] = 0.75
    images[1, 0, 3, 3] = 0.25
    with torch.no_grad():
        cnn.layers[0].weight.zero_()
        cnn.layers[0].weight[0, 0, 1, 1] = 1
    equals(candidate(cnn, images), doubles([0.5], [0]), "max over the places of ReLU(w * 2(x − background))")


def test_cnn_by_hand() -> None:
    check_cnn_by_hand(lambda cnn, images: cnn(images))


@pytest.mark.parametrize("channels", [(3,), (3, 5), (2, 4, 6)])
def test_cnn_by_functions(channels: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    cnn, images = SmallCNN(channels, background=0.4).double(), some_images(2)
    assert cnn.features == channels[-1]
    x = 2 * (images - 0.4)
    for layer in [layer for layer in cnn.layers if isinstance(layer, nn.Conv2d)]:
        x = nn.functional.max_pool2d(nn.functional.conv2d(x, layer.weight, layer.bias, padding=1).clamp(min=0), 2)
    equals(cnn(images), x.flatten(2).max(dim=2).values, "convolution, ReLU, pooling; then the largest of each channel")


@pytest.mark.parametrize("wrong", misconceptions.GRID_ENCODERS, ids=lambda function: function.__name__)
def test_wrong_grid_encoder_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_two_objects_by_hand(wrong)


@pytest.mark.parametrize("wrong", misconceptions.CNNS, ids=lambda function: function.__name__)
def test_wrong_cnn_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_cnn_by_hand(wrong)
