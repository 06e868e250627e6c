"""Equation → class → test

G(z | y) = W relu(W_j [relu(W_z z), relu(W_y e_y)])    MLPGenerator          test_generator_in_loops, test_one_hot
the logit of D(x | y)                                  MLPDiscriminator      test_discriminator_in_loops
both see the label, G sees the noise                   all                   test_both_players_see_the_label
7×7 → 14×14 → 28×28, tanh                              ConvGenerator         test_convolutions_by_hand
28×28 → 14×14 → 7×7, one logit for each picture        ConvDiscriminator     test_a_logit_depends_on_its_own_sample
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv_transpose2d, one_hot

from cgan.model import ConvDiscriminator, ConvGenerator, MLPDiscriminator, MLPGenerator
from tests.cgan.misconceptions import model as misconceptions
from tests.strategies import unequal_sizes
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)


def made(kind: type[nn.Module], *sizes: int, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return kind(*sizes).double()


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def generator_in_loops(model: MLPGenerator, noise: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Unit by unit; the label is a one-hot vector that is multiplied by a matrix, as the paper has it."""
    rows = []
    for z, y in zip(noise, one_hot(labels, model.from_label.num_embeddings).double(), strict=True):
        first = [
            max(w @ z + b, z.new_zeros(())) for w, b in zip(model.from_noise.weight, model.from_noise.bias, strict=True)
        ]
        second = [max(w @ y, z.new_zeros(())) for w in model.from_label.weight.T]
        h = torch.stack(first + second)
        h = torch.stack(
            [max(w @ h + b, z.new_zeros(())) for w, b in zip(model.joint.weight, model.joint.bias, strict=True)]
        )
        rows.append(model.output.weight @ h + model.output.bias)
    return torch.stack(rows)


def discriminator_in_loops(model: MLPDiscriminator, samples: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Row by row; what is negative is multiplied by 0.2."""
    logits = []
    for x, y in zip(samples, labels.tolist(), strict=True):
        h = torch.cat([model.from_sample.weight @ x + model.from_sample.bias, model.from_label.weight[y]])
        h = torch.where(h > 0, h, 0.2 * h)
        h = model.joint.weight @ h + model.joint.bias
        logits.append(model.output.weight[0] @ torch.where(h > 0, h, 0.2 * h) + model.output.bias[0])
    return torch.stack(logits)


def check_generator(kind: type, n: int, labels: int, z: int, size: int, seed: int) -> None:
    model, hidden = made(MLPGenerator, labels, z, size, 5, seed=seed), n + 1
    candidate = made(kind, labels, z, size, 5, seed=seed)
    wanted = torch.arange(hidden) % labels
    check_same(
        "G(z | y)",
        lambda noise: candidate(noise, wanted),
        lambda noise: generator_in_loops(model, noise, wanted),
        some(hidden, z, seed=seed),
    )


@given(sizes=unequal_sizes(4), seed=SEEDS)
def test_generator_in_loops(sizes, seed: int) -> None:
    check_generator(MLPGenerator, *sizes, seed)


def check_discriminator(kind: type, n: int, labels: int, size: int, hidden: int, seed: int) -> None:
    model, candidate = (made(one, labels, size, hidden, seed=seed) for one in (MLPDiscriminator, kind))
    wanted = torch.arange(n) % labels
    check_same(
        "the logit of D(x | y)",
        lambda samples: candidate(samples, wanted),
        lambda samples: discriminator_in_loops(model, samples, wanted),
        some(n, size, seed=seed),
    )


@given(sizes=unequal_sizes(4), seed=SEEDS)
def test_discriminator_in_loops(sizes, seed: int) -> None:
    check_discriminator(MLPDiscriminator, *sizes, seed)


def test_a_batch_of_one_keeps_its_axis() -> None:
    check_discriminator(MLPDiscriminator, 1, 3, 2, 5, 0)


def players() -> list[tuple[str, nn.Module, nn.Module, torch.Tensor, torch.Tensor]]:
    mlp = made(MLPGenerator, 4, 3, 2, 12), made(MLPDiscriminator, 4, 2, 12), some(6, 3), some(6, 2)
    conv = made(ConvGenerator, 4, 3, 4), made(ConvDiscriminator, 4, 4, 5), some(6, 3), some(6, 1, 28, 28).tanh()
    return [("mlp", *mlp), ("conv", *conv)]


@pytest.mark.parametrize("pair", players(), ids=lambda pair: pair[0])
def test_both_players_see_the_label(pair) -> None:
    """Another label, with the same noise or the same sample, changes what comes out; so does other noise."""
    _, generator, discriminator, noise, samples = pair
    one, other = torch.tensor([0, 1, 2, 3, 0, 1]), torch.tensor([3, 2, 1, 0, 1, 0])
    generator.eval()
    different = (generator(noise, one) - generator(noise, other)).flatten(1).abs().amax(dim=1)
    assert (different > 1e-6).all(), "the generator ignores the label"
    assert ((discriminator(samples, one) - discriminator(samples, other)).abs() > 1e-9).all(), "the discriminator does"
    different = (generator(noise, one) - generator(noise.flip(0), one)).flatten(1).abs().amax(dim=1)
    assert (different > 1e-6).all(), "the generator ignores the noise"


def check_logits_apart(kind: type) -> None:
    """Each logit depends on its own sample and label: the others of the batch may be any."""
    model = made(kind, 4, 4, 5)
    samples, labels = some(5, 1, 28, 28), torch.tensor([0, 1, 2, 3, 0])
    whole = model(samples, labels)
    apart = torch.cat([model(samples[k : k + 1], labels[k : k + 1]) for k in range(5)])
    check_close("the logits of a batch", whole, apart)


def test_a_logit_depends_on_its_own_sample() -> None:
    check_logits_apart(ConvDiscriminator)


def conv_reference(model: ConvGenerator, noise: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """In training mode: mean 0 and variance 1 over the batch and the places, channel by channel, by hand."""

    def norm(h: torch.Tensor) -> torch.Tensor:
        mean = h.mean(dim=(0, 2, 3), keepdim=True)
        return (h - mean) / ((h - mean).square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()

    x = torch.cat([noise, model.embed.weight[labels]], dim=1)
    h = norm((x @ model.start.weight.T + model.start.bias).view(len(x), -1, 7, 7)).relu()
    h = norm(conv_transpose2d(h, model.up_middle.weight, model.up_middle.bias, 2, 1)).relu()
    return conv_transpose2d(h, model.up_end.weight, model.up_end.bias, 2, 1).tanh()


def check_conv_generator(kind: type) -> None:
    model, candidate = (made(one, 4, 3, 6, seed=1) for one in (ConvGenerator, kind))
    for one in (model, candidate):
        nn.init.normal_(one.up_end.weight)  # pictures of high contrast
    candidate.load_state_dict(model.state_dict())
    noise, labels = some(5, 3), torch.tensor([0, 1, 2, 3, 0])
    check_close("the picture G(z | y)", candidate(noise, labels), conv_reference(model, noise, labels), 1e-8, 1e-9)


def test_convolutions_by_hand() -> None:
    check_conv_generator(ConvGenerator)


def test_pictures_have_a_range() -> None:
    model = made(ConvGenerator, 4, 3, 6)
    nn.init.normal_(model.up_end.weight, std=10)
    pictures = model(some(9, 3), torch.arange(9) % 4)
    assert pictures.shape == (9, 1, 28, 28)
    assert pictures.min() < -0.99
    assert pictures.max() > 0.99
    assert pictures.abs().max() <= 1


def test_between_two_labels() -> None:
    """The embedding of a label gives the picture of the label; half way lies another picture."""
    model = made(ConvGenerator, 4, 3, 6).eval()
    noise, rows = some(1, 3), model.embed.weight
    check_close("at label 2", model.from_embedding(noise, rows[2:3]), model(noise, torch.tensor([2])))
    between = model.from_embedding(noise, (rows[1:2] + rows[2:3]) / 2)
    for label in (1, 2):
        assert (between - model(noise, torch.tensor([label]))).abs().max() > 1e-4


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda kind: kind.__name__)


@each(misconceptions.PLAYERS)
def test_wrong_generator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_generator(wrong, 4, 3, 5, 2, 0)


@each(misconceptions.DISCRIMINATORS)
def test_wrong_discriminator_is_caught(wrong) -> None:
    def check_all() -> None:
        check_discriminator(wrong, 4, 3, 2, 5, 0)
        check_discriminator(wrong, 1, 3, 2, 5, 0)

    with pytest.raises((AssertionError, TypeError)):  # a TypeError is that of the shape's check
        check_all()


@each(misconceptions.CONV_GENERATORS)
def test_wrong_conv_generator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_conv_generator(wrong)


@each(misconceptions.CONV_DISCRIMINATORS)
def test_wrong_conv_discriminator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_logits_apart(wrong)
