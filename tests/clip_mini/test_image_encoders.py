"""Equation → function → test (He et al. 2016; Radford et al. 2021, section 2.4; Dosovitskiy et al. 2021)

y = ReLU(W_s x + F(x))                        ResidualBlock       test_residual_block_by_hand
one query x̄, keys x̄ and all places            AttentionPool       test_pool_by_hand, test_pool_equals_the_authors
uniform weights are average pooling           AttentionPool       test_average_pooling_is_a_special_case
an image's vector is its own                  both encoders       test_an_image_alone_and_in_a_batch
an empty image is 0 everywhere                ResidualCNN         test_empty_image
Var W = 2 / inputs keeps the mean square      ResidualCNN         test_first_weights_keep_the_size
[class; E x_1; E x_2; …] + positions          VisionTransformer   test_patches_by_hand
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import einsum, nn
from torch.nn.functional import conv2d, multi_head_attention_forward, pad, unfold

from clip_mini.image_encoders import AttentionPool, ResidualBlock, ResidualCNN, VisionTransformer
from tests.clip_mini.misconceptions import image_encoders as misconceptions
from tests.clip_mini.test_model import call, check_deviation, each, float64, random_tensor, random_weights
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)
BACKGROUND = 0.75


# ---- the residual CNN


def test_residual_block_by_hand() -> None:
    """1×1 pixel: of a 3×3 kernel only the centre counts. x = 2: ReLU(5 · 2 - 4) = 6, ReLU(2 · 6 - 5) = 7,
    F(x) = -3 · 7 + 4 = -17."""
    block = ResidualBlock(1, 1, 1).double()
    first, _, second, _, third = block.layers
    for parameter in block.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        for layer, weight, bias in ((first, 5, -4), (second, 2, -5), (third, -3, 4)):
            size = layer.kernel_size[0]
            layer.weight[0, 0, size // 2, size // 2], layer.bias[0] = weight, bias
        for shortcut, expected in ((10.0, 20.0 - 17), (7.0, 0.0)):  # 14 - 17 < 0
            block.shortcut.weight[0, 0, 0, 0] = shortcut
            got = block(float64([[[[2]]]]))
            check_close(f"ReLU(W_s x + F(x)), W_s = {shortcut}", got, float64([[[[expected]]]]))


@given(sizes=unequal_sizes(6, low=1, high=7), seed=SEEDS)
@settings(max_examples=12)
def test_residual_block_equals_torchs(sizes, seed: int) -> None:
    """The reference is torch.nn.functional.conv2d, forward and gradient."""
    n, inputs, inside, outputs, h, w = sizes
    block = random_weights(ResidualBlock(inputs, inside, outputs), seed)
    first, _, second, _, third = block.layers

    def reference(x):
        hidden = conv2d(x, first.weight, first.bias).clamp(min=0)
        hidden = conv2d(hidden, second.weight, second.bias, padding=1).clamp(min=0)
        shortcut = conv2d(x, block.shortcut.weight, block.shortcut.bias)
        return (shortcut + conv2d(hidden, third.weight) + third.bias[:, None, None]).clamp(min=0)

    check_same("ReLU(W_s x + F(x))", block, reference, random_tensor(n, inputs, h, w, seed=seed))


def some_cnn(seed: int) -> ResidualCNN:
    return random_weights(ResidualCNN(8, (3, 6), 2, BACKGROUND), seed)


def test_cnn_by_its_parts() -> None:
    """A 6×6 convolution at every second pixel, max-pooling, a residual block, attention pooling."""
    encoder, images = some_cnn(0), random_tensor(3, 3, 8, 8, seed=0)
    first, _, _, block = encoder.layers
    x = pad(2 * (images - BACKGROUND), (2, 2, 2, 2)).unfold(2, 6, 2).unfold(3, 6, 2)  # (3, 3, 4, 4, 6, 6): windows
    x = (einsum("nchwij,ocij->nohw", x, first.weight) + first.bias[:, None, None]).clamp(min=0)  # (3, 3, 4, 4)
    x = x.unflatten(3, (2, 2)).unflatten(2, (2, 2)).amax(dim=(3, 5))  # (3, 3, 2, 2)
    check_close("CNN, part by part", encoder(images), encoder.pool(block(x)))


def test_three_stages_halve_three_times() -> None:
    encoder = ResidualCNN(24, (3, 5, 6), 2, BACKGROUND)
    assert encoder.pool.positions.shape == (1 + 3 * 3, 6)
    assert encoder(torch.rand(2, 3, 24, 24)).shape == (2, encoder.features) == (2, 6)


def test_empty_image() -> None:
    """With the first weights, biases are 0: an empty image is 0 at every place, whatever its brightness is called."""
    for background in (0.0, 0.93):
        torch.manual_seed(0)
        encoder = ResidualCNN(8, (3, 6), 2, background).double()
        empty = torch.full((1, 3, 8, 8), background, dtype=torch.float64)
        check_close(
            "an empty image before the pooling", encoder.layers(2 * (empty - background)), torch.zeros(1, 6, 2, 2)
        )
        check_close("an empty image", encoder(empty), encoder.pool(torch.zeros(1, 6, 2, 2).double()))


def some_vit(seed: int) -> VisionTransformer:
    return random_weights(VisionTransformer(12, 4, 10, 2, 2, 14, "gelu"), seed)


@pytest.mark.parametrize(("some", "size"), [(some_cnn, 8), (some_vit, 12)], ids=["cnn", "vit"])
def test_an_image_alone_and_in_a_batch(some: Callable, size: int) -> None:
    """No batch norm: the other images have no part in an image's vector."""
    encoder, images = some(0).train(), random_tensor(4, 3, size, size, seed=1)
    alone = torch.cat([encoder(image[None]) for image in images])
    check_close("f(image) alone = f(image) in a batch", encoder(images), alone)
    assert (alone[0] - alone[1]).abs().max() > 1e-3, "two images have the same vector"


def test_first_weights_keep_the_size() -> None:
    """He et al. 2015: a weighted sum of m numbers with E x² = s has the variance m (2/m) s = 2 s, and ReLU keeps half.
    A residual block adds two such sums before its ReLU: its mean square is 2 s."""
    torch.manual_seed(0)
    encoder = ResidualCNN(32, (64, 64), 4, 0.0)
    for name, layer in encoder.layers.named_modules():
        if isinstance(layer, nn.Conv2d):
            check_deviation(f"convolution {name}: √(2/inputs)", layer.weight, math.sqrt(2 / layer.weight[0].numel()))
            assert not layer.bias.any(), f"convolution {name}: biases start at 0"
    block, x = encoder.layers[-1], torch.randn(4, 64, 20, 20)
    with torch.no_grad():
        inside, whole = block.layers[:4](x)[:, :, 1:-1, 1:-1], block(x)[:, :, 2:-2, 2:-2]  # without the edge's zeros
    assert inside.square().mean().item() == pytest.approx(1, rel=0.1), "mean square behind a convolution and ReLU"
    assert whole.square().mean().item() == pytest.approx(2, rel=0.1), "mean square behind a residual block"


def test_a_wrong_size_is_named() -> None:
    with pytest.raises(ValueError, match=r"^image_size must be a multiple of 8 pixels with 3 stages, got 20$"):
        ResidualCNN(20, (3, 4, 6), 2, 1.0)


# ---- attention pooling


def check_pool_by_hand(candidate: Callable) -> None:
    """Places 0 and 2, so x̄ = 1. The query is x̄ ln 2, keys and values are (1, 0, 2): the weights are as 2 : 1 : 4, and
    the result is (2 · 1 + 1 · 0 + 4 · 2)/7. With a vector 1 for the second place, it is 3: 2 : 1 : 8, (2 + 0 + 24)/11.
    """
    pool = AttentionPool(2, 1, 1).double()
    for parameter in pool.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        pool.query.weight[0, 0], pool.key.weight[0, 0], pool.value.weight[0, 0] = math.log(2), 1, 1
        what = "softmax(q · (x̄, x_1, x_2)) (x̄, x_1, x_2)"
        check_close(f"{what} = 10/7", candidate(pool, float64([[[[0, 2]]]])), float64([[10 / 7]]))
        pool.positions[2] = 1
        check_close(f"{what} with positions = 26/11", candidate(pool, float64([[[[0, 2]]]])), float64([[26 / 11]]))


def test_pool_by_hand() -> None:
    check_pool_by_hand(call)


def some_pool(places: int, heads: int, d: int, seed: int) -> AttentionPool:
    return random_weights(AttentionPool(places, heads * d, heads), seed)


def check_pool_equals_the_authors(candidate: Callable, sizes: tuple[int, ...], seed: int) -> None:
    """The reference is torch.nn.functional.multi_head_attention_forward, called as in the authors' ``AttentionPool2d``;
    its last projection is the identity, since CLIP projects right after it."""
    n, rows, columns, heads, d = sizes
    width = heads * d
    pool = some_pool(rows * columns, heads, d, seed)

    def reference(grid, positions, query, query_bias, key, key_bias, value, value_bias):
        x = grid.flatten(start_dim=2).permute(2, 0, 1)  # (places, n, width)
        x = torch.cat([x.mean(dim=0, keepdim=True), x], dim=0) + positions[:, None]
        result, _ = multi_head_attention_forward(
            query=x[:1], key=x, value=x, embed_dim_to_check=width, num_heads=heads,
            in_proj_weight=None, in_proj_bias=torch.cat([query_bias, key_bias, value_bias]), bias_k=None, bias_v=None,
            add_zero_attn=False, dropout_p=0.0, out_proj_weight=torch.eye(width).double(), out_proj_bias=None,
            use_separate_proj_weight=True, q_proj_weight=query, k_proj_weight=key, v_proj_weight=value,
            need_weights=False,
        )  # fmt: skip
        return result[0]

    def with_weights(grid, *weights):
        names = [name for name, _ in pool.named_parameters()]
        return torch.func.functional_call(
            Called(pool, candidate), {f"pool.{n}": w for n, w in zip(names, weights, strict=True)}, (grid,)
        )

    weights = [parameter.detach() for parameter in pool.parameters()]
    what = "AttentionPool beside the authors', by the grid, positions, and weights and biases of q, k, v"
    check_same(what, with_weights, reference, random_tensor(n, width, rows, columns, seed=seed), *weights)


class Called(nn.Module):
    """``candidate(pool, grid)`` as a module with the pool's parameters."""

    def __init__(self, pool: nn.Module, candidate: Callable) -> None:
        super().__init__()
        self.pool, self.candidate = pool, candidate

    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        return self.candidate(self.pool, grid)


@given(sizes=unequal_sizes(5, low=1, high=6), seed=SEEDS)
@settings(max_examples=15)
def test_pool_equals_the_authors(sizes, seed: int) -> None:
    check_pool_equals_the_authors(call, sizes, seed)


@given(sizes=unequal_sizes(3, low=1, high=5), seed=SEEDS)
@settings(max_examples=10)
def test_average_pooling_is_a_special_case(sizes, seed: int) -> None:
    """A query of zeros looks at all alike: the value of the mean, since the mean is one of the keys and does not move
    their mean."""
    n, rows, columns = sizes
    pool, grid = some_pool(rows * columns, 3, 2, seed), random_tensor(n, 6, rows, columns, seed=seed)
    nn.init.zeros_(pool.query.weight), nn.init.zeros_(pool.query.bias)
    expected = pool.value(grid.mean(dim=(2, 3)) + pool.positions.mean(dim=0))
    check_close("q = 0: W_v (x̄ + the mean position) + b_v", pool(grid), expected)


@given(sizes=unequal_sizes(2, low=1, high=6), data=st.data(), seed=SEEDS)
@settings(max_examples=10)
def test_places_move_with_their_positions(sizes, data, seed: int) -> None:
    """Where a place lies is said by its position vector alone."""
    n, places = sizes
    pool, grid = some_pool(places, 3, 2, seed), random_tensor(n, 6, 1, places, seed=seed)
    expected, order = pool(grid), data.draw(st.permutations(range(places)))
    with torch.no_grad():
        pool.positions[1:] = pool.positions[1:][order]
    check_close("places and positions in another order", pool(grid[..., order]), expected)


# ---- the Vision Transformer


def check_patches_by_hand(candidate: Callable, seed: int) -> None:
    """Each patch is cut out, and its pixels times E are a vector; row by row, after the class token."""
    encoder, images = some_vit(seed), random_tensor(2, 3, 12, 12, seed=seed)
    vectors = [encoder.class_token.expand(2, -1)]
    for row in range(3):
        for column in range(3):
            pixels = images[:, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4].flatten(1)  # (2, 48)
            vectors.append(pixels @ encoder.patches.weight.flatten(1).T)
    x = encoder.norm_before(torch.stack(vectors, dim=1) + encoder.positions)
    expected = encoder.norm_after(encoder.transformer(x, causal=False)[:, 0])
    check_close("LN(z_class), z_0 = LN([class; E x_1; …; E x_9] + positions)", candidate(encoder, images), expected)


def test_patches_by_hand() -> None:
    check_patches_by_hand(call, seed=0)


@given(sizes=unequal_sizes(3, low=1, high=4), seed=SEEDS)
@settings(max_examples=10)
def test_patches_equal_unfold(sizes, seed: int) -> None:
    """The reference is torch.nn.functional.unfold: pixels of each patch in a column."""
    n, patch, side = sizes
    encoder = random_weights(VisionTransformer(side * patch, patch, 6, 1, 2, 5, "gelu"), seed)
    images = random_tensor(n, 3, side * patch, side * patch, seed=seed)
    weight = encoder.patches.weight.flatten(1)  # (width, 3 * patch * patch)
    check_same(
        "E x_p", lambda x: encoder.patches(x).flatten(2), lambda x: weight @ unfold(x, patch, stride=patch), images
    )


def test_patches_move_with_their_positions() -> None:
    """The class token's vector does not change if patches and position vectors are exchanged together."""
    encoder, images = some_vit(1), random_tensor(2, 3, 12, 12, seed=1)
    expected, order = encoder(images), [0, *range(7, 10), *range(4, 7), *range(1, 4)]  # rows of patches from below
    with torch.no_grad():
        encoder.positions.copy_(encoder.positions[order])
    flipped = images.unflatten(2, (3, 4)).flip(2).flatten(2, 3)
    check_close("rows of patches exchanged, with their positions", encoder(flipped), expected)


def test_first_weights_of_positions_and_class_token() -> None:
    torch.manual_seed(0)
    encoder, pool = VisionTransformer(64, 4, 400, 1, 2, 5, "gelu"), AttentionPool(60, 400, 2)
    for what, weights in (
        ("the class token: width^-1/2", encoder.class_token),
        ("the positions: width^-1/2", encoder.positions),
        ("the pool's positions: width^-1/2", pool.positions),
    ):
        check_deviation(what, weights, 400**-0.5)


# ---- misconceptions


@each(misconceptions.POOLS)
def test_wrong_pool_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_pool_equals_the_authors(wrong, (2, 3, 3, 2, 4), seed=0)


@each(misconceptions.TRANSFORMERS)
def test_wrong_vision_transformer_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_patches_by_hand(wrong, seed=0)
