"""Equation → what computes it → test

p shows (p − c)/s of the canvas                  placed                test_placing_pixel_by_pixel, test_placing_by_hand
h: of each channel the maximum over the places   PooledEncoder         test_encoder_place_by_place
an object that moves leaves φ(v) as it is        PooledEncoder         test_where_an_object_is_does_not_count
ψ(h, h̄) + φ(v) · φ(t), h̄ the mean               EncoderDiscriminator  test_logit_in_loops
D begins as φ(v)                                 build_text_gan        test_it_begins_as_the_picture_encoder
x̂ = m o + (1 − m) b                              PlacedGenerator       test_generator_by_hand, test_empty_and_full_masks
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import conv2d

from cgan.extensions.anywhere import EncoderDiscriminator, PlacedGenerator, PooledEncoder, placed
from cgan.extensions.projection import TextConfig, build_text_gan
from cgan.text_encoder import PictureEncoder
from tests.cgan.misconceptions import anywhere as misconceptions
from tests.cgan.test_text_to_image import SEEDS, each, generator_reference, made, some
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_equal, check_same


def tent(where: torch.Tensor, k: int) -> torch.Tensor:
    """How much of each of k pixels a point shows: 1 at the middle of a pixel, 0 from the next middle on."""
    middles = (2 * torch.arange(k).double() + 1) / k - 1  # of the pixels, from −1 to 1
    return (1 - (where[..., None] - middles).abs() * k / 2).clamp(min=0)


def placed_reference(canvas: torch.Tensor, centre: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Bilinear: the weights of the rows times those of the columns."""
    points = (2 * torch.arange(32).double() + 1) / 32 - 1
    across, down = (tent((points - centre[:, k, None]) / scale, canvas.shape[-1]) for k in (0, 1))  # (n, 32, k)
    return torch.einsum("nyi, ncij, nxj -> ncyx", down, canvas, across)


def check_placing(candidate, n: int, c: int, k: int, seed: int) -> None:
    canvas, centre = some(n, c, k, k, seed=seed), some(n, 2, seed=seed + 1).tanh()
    scale = some(n, 1, seed=seed + 2).sigmoid() + 0.1
    check_same("the placed canvas", candidate, placed_reference, canvas, centre, scale)


@given(sizes=unequal_sizes(3), seed=SEEDS)
def test_placing_pixel_by_pixel(sizes, seed: int) -> None:
    check_placing(placed, *sizes, seed)


@each(misconceptions.PLACINGS)
def test_wrong_placing_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_placing(wrong, 3, 2, 5, 0)


def test_placing_by_hand() -> None:
    """Half as large as the picture, with the centre at a quarter of its width: columns 0 to 15, rows 8 to 23."""
    canvas = some(1, 3, 16, 16)
    picture = placed(canvas, torch.tensor([[-0.5, 0.0]]).double(), torch.tensor([[0.5]]).double())
    check_close("where the canvas lies", picture[:, :, 8:24, :16], canvas)
    check_close("all that is shown", picture.sum(), canvas.sum())


def encoder_reference(model: PooledEncoder, images: torch.Tensor) -> torch.Tensor:
    """Picture by picture, channel by channel, place by place."""
    rows = []
    for h in images:
        for layer, stride in ((model.first, 2), (model.second, 1), (model.third, 2)):
            h = conv2d(h[None], layer.weight, layer.bias, stride, 1)[0]
            h = torch.where(h > 0, h, 0.2 * h)
        largest = torch.stack([max(channel.flatten(), key=lambda value: value.item()) for channel in h])
        rows.append(model.output.weight @ largest + model.output.bias)
    return torch.stack(rows)


def check_encoder(kind: type, n: int, channels: int, size: int, seed: int) -> None:
    model, candidate = (made(one, channels, size, seed=seed, spread=0.5) for one in (PooledEncoder, kind))
    check_same("φ(v)", candidate, lambda x: encoder_reference(model, x), some(n, 3, 32, 32, seed=seed))


@given(sizes=unequal_sizes(3, low=1, high=4), seed=SEEDS)
def test_encoder_place_by_place(sizes, seed: int) -> None:
    check_encoder(PooledEncoder, *sizes, seed)


@each(misconceptions.ENCODERS)
def test_wrong_encoder_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_encoder(wrong, 3, 2, 4, 0)


def check_moved(kind: type) -> None:
    """4 pixels are the distance of two places of the last convolution."""
    model, pictures = made(kind, 3, 5, spread=0.5), torch.zeros(3, 3, 32, 32).double()
    for picture, (row, column) in zip(pictures, ((8, 8), (12, 8), (16, 12)), strict=True):
        picture[:, row : row + 7, column : column + 7] = some(3, 7, 7)
    check_close("φ(v) of an object that was moved", model(pictures), model(pictures[:1]).expand(3, -1))


def test_where_an_object_is_does_not_count() -> None:
    check_moved(PooledEncoder)
    with pytest.raises(AssertionError, match="was moved"):  # a linear layer of all places, as close up
        check_moved(PictureEncoder)


def check_logit(kind: type, n: int, channels: int, sentence: int, seed: int) -> None:
    model, candidate = (
        made(lambda made_by=one: made_by(PooledEncoder(channels, sentence)), seed=seed, spread=0.5)
        for one in (EncoderDiscriminator, kind)
    )

    def expected(images, vectors):
        logits = []
        for places, v, t in zip(model.encoder.places(images), model.encoder(images), vectors, strict=True):
            product = sum(a * b for a, b in zip(v, t, strict=True))
            for k, channel in enumerate(places):
                product = product + model.real.weight[0, k] * channel.max()
                product = product + model.real.weight[0, len(places) + k] * channel.sum() / 64
            logits.append(product + model.real.bias[0])
        return torch.stack(logits)

    images, vectors = some(n, 3, 32, 32, seed=seed), some(n, sentence, seed=seed + 1)
    check_same("ψ(h, h̄) + φ(v) · φ(t)", candidate, expected, images, vectors)


@given(sizes=unequal_sizes(3, low=1, high=4), seed=SEEDS)
def test_logit_in_loops(sizes, seed: int) -> None:
    check_logit(EncoderDiscriminator, *sizes, seed)


@each(misconceptions.DISCRIMINATORS)
def test_wrong_logit_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_logit(wrong, 3, 2, 4, 0)


@pytest.mark.parametrize("which", ["encoder", "untrained"])
def test_it_begins_as_the_picture_encoder(which: str) -> None:
    """Two sentences of one picture: the logits differ as much as φ(v) · φ(t) does. Then D learns, and φ(v) does not."""
    torch.manual_seed(0)
    encoder = PooledEncoder(4, 5).requires_grad_(False)
    discriminator = build_text_gan(TextConfig(discriminator=which), 5, encoder).discriminator
    images, one, other = torch.randn(6, 3, 32, 32), torch.randn(6, 5), torch.randn(6, 5)
    found = discriminator(images, one) - discriminator(images, other)
    scores = (encoder(images) * (one - other)).sum(dim=1)
    assert torch.allclose(found, scores, atol=1e-4) == (which == "encoder")
    before = encoder(images)
    optimizer = torch.optim.SGD(discriminator.parameters(), 0.1)
    discriminator(images, one).sum().backward()
    assert all(weight.grad.abs().max() > 0 for weight in discriminator.parameters()), "some weights do not learn"
    optimizer.step()
    check_equal("φ(v) after a step of D, which learns on a copy", encoder(images), before)


def check_generator(kind: type, n: int, sentence: int, z: int, compressed: int, seed: int) -> None:
    sizes = sentence, z, compressed, (4, 3)
    model, candidate = (made(one, *sizes, seed=seed, spread=0.5) for one in (PlacedGenerator, kind))

    def expected(noise, vectors):
        canvas = generator_reference(model.canvas, noise, vectors)
        m = (1 + canvas[:, 3:]) / 2
        h = vectors @ model.canvas.compress.weight.T + model.canvas.compress.bias
        told = torch.cat([noise, torch.where(h > 0, h, 0.2 * h)], dim=1) @ model.place.weight.T + model.place.bias
        centre, scale, background = told[:, :2].tanh(), told[:, 2:3].sigmoid(), told[:, 3:].tanh()
        shown, shown_mask = (placed_reference(one, centre, scale) for one in (m * canvas[:, :3], m))
        return shown + (1 - shown_mask) * background[:, :, None, None]

    noise, vectors = some(n, z, seed=seed), some(n, sentence, seed=seed + 1)
    check_same("x̂ = m o + (1 − m) b", candidate, expected, noise, vectors)


@given(sizes=unequal_sizes(4), seed=SEEDS)
def test_generator_by_hand(sizes, seed: int) -> None:
    check_generator(PlacedGenerator, *sizes, seed)


@each(misconceptions.GENERATORS)
def test_wrong_generator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_generator(wrong, 3, 4, 5, 6, 0)


@pytest.mark.parametrize("full", [False, True])
def test_empty_and_full_masks(full: bool) -> None:
    """Without a mask there is background alone. A full canvas of one colour, in the middle, is a square."""
    model = made(PlacedGenerator, 4, 3, 2, (4, 3))
    last = model.canvas.ups[-1]
    with torch.no_grad():
        for weight in (last.weight, last.bias, model.place.weight, model.place.bias):
            weight.zero_()
        last.bias += torch.tensor([9.0, -9, 9, 50 if full else -50]).double()
        model.place.bias[3:] += torch.tensor([-9.0, 9, 0]).double()
    pictures = model(some(2, 3), some(2, 4))
    expected = torch.tensor([-1.0, 1, 0])[:, None, None].repeat(2, 1, 32, 32).double()
    if full:
        expected[:, :, 8:24, 8:24] = torch.tensor([1.0, -1, 1])[:, None, None]
    check_close("the picture", pictures, expected, 1e-5, 1e-5)


@given(st.sampled_from([(28, 28), (64, 64), (32, 64)]))
def test_another_size_is_named(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match=rf"images must have 32×32 pixels, got {size[0]}×{size[1]}"):
        EncoderDiscriminator(PooledEncoder(2, 5))(torch.zeros(1, 3, *size), torch.zeros(1, 5))


def test_the_channels_must_fit_the_generator() -> None:
    with pytest.raises(ValueError, match="--generator-channels must be 2 numbers for --generator placed, got 3"):
        TextConfig(generator="placed")
