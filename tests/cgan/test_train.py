"""What is promised → test

one loop: D's step, then G's, against the new D    test_the_loop_by_hand
the penalty's loop without a penalty is the same   test_the_loop_by_hand
two learning rates that fall                       test_each_player_has_its_rate
it learns the ring; with minimax, it does not      test_learns_a_small_ring
one seed, the same bits                            test_same_seed_same_weights
the core trains by itself in another project       test_core_trains_where_nothing_else_can_be_imported
"""

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from cgan.data import MODES, Batch, ring_batches
from cgan.evaluate import fakes_of_each, within
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS, slope_penalty, train_with_penalty
from cgan.loss import minimax_loss, non_saturating_loss, value_spec
from cgan.model import GAN
from cgan.train import CONFIGS, GENERATOR_LOSSES, Pair, build, build_optimizers, train
from tests.alone import check_alone
from tests.cgan.misconceptions import train as misconceptions
from tests.teach import check_close, check_equal

SMALL = replace(CONFIGS["ring"], steps=600)


class G(nn.Module):
    """x = s · z normalised over the batch + a row for the label; 2 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([0.7, -0.4]).double())
        self.rows = nn.Parameter(torch.linspace(-1, 1, 6).view(3, 2).double())
        self.norm = nn.BatchNorm1d(2, affine=False)

    def forward(self, noise, labels):
        return self.scale * self.norm(noise) + self.rows[labels]


class D(nn.Module):
    """a = w · x normalised over the batch + v · x + a row's product with x, which the label chooses."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.3, -0.2]).double())
        self.v = nn.Parameter(torch.tensor([-0.1, 0.5]).double())
        self.rows = nn.Parameter(torch.linspace(-0.5, 0.5, 6).view(3, 2).double())
        self.norm = nn.BatchNorm1d(2, affine=False)

    def forward(self, samples, labels):
        return self.norm(samples) @ self.w + samples @ self.v + (self.rows[labels] * samples).sum(dim=1)


def batch_at(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    labels = torch.randint(3, (5,), generator=generator)
    samples, noise = (torch.randn(5, 2, generator=generator).double() for _ in range(2))
    return Batch(samples + 2, labels, noise)


def prepared() -> tuple[GAN, Pair, Pair]:
    gan = GAN(G(), D()).double()
    optimizers = Pair(
        torch.optim.SGD(gan.discriminator.parameters(), 0.1), torch.optim.SGD(gan.generator.parameters(), 0.05)
    )
    return gan, optimizers, Pair(*(LambdaLR(one, lambda n: 1 / (n + 1)) for one in optimizers))


def by_hand(gan: GAN, n: int, step: int, generator_loss, penalty: float) -> tuple[float, float]:
    """One step: gradients by name, and the weights are moved in plain sight. Returns both losses."""
    g, d = gan.generator, gan.discriminator
    samples, labels, noise = batch_at(step)
    samples.requires_grad_()
    with torch.no_grad():
        shown = g(noise, labels)
    real = d(samples, labels)
    discriminator_loss = -value_spec(real.sigmoid(), d(shown, labels).sigmoid())
    (slopes,) = torch.autograd.grad(real.sum(), samples, create_graph=True)
    whole = discriminator_loss + penalty * sum(row.square().sum() for row in slopes) / (2 * len(samples))
    move(d, torch.autograd.grad(whole, list(d.parameters())), 0.1 / (n + 1))
    g.norm.reset_running_stats()  # the same batch again, through the new discriminator
    loss = generator_loss(d(g(noise, labels), labels))
    move(g, torch.autograd.grad(loss, list(g.parameters())), 0.05 / (n + 1))
    return discriminator_loss.item(), loss.item()


def move(player: nn.Module, slopes, rate: float) -> None:
    with torch.no_grad():
        for parameter, slope in zip(player.parameters(), slopes, strict=True):
            parameter -= rate * slope


def check_the_loop(candidate, steps: range, name: str = "non-saturating", penalty: float = 0.0) -> None:
    """Each step by hand: D learns from V, real and fake normalised apart; then G from its loss against the new D."""
    gan, optimizers, schedulers = prepared()
    asked, logged = [], []

    def asking(step: int) -> Batch:
        asked.append(step)
        return batch_at(step)

    def log(step: int, discriminator_loss: float, generator_loss: float, **others: float) -> None:
        logged.append((step, discriminator_loss, generator_loss))

    candidate(gan, optimizers, schedulers, asking, steps, log, GENERATOR_LOSSES[name])
    assert asked == [step for step, *_ in logged] == list(steps), "one batch a step, in the order of the steps"
    hand, _, _ = prepared()
    expected = [by_hand(hand, n, step, GENERATOR_LOSSES[name], penalty) for n, step in enumerate(steps)]
    check_close("the losses of both players", torch.tensor([row[1:] for row in logged]), torch.tensor(expected), 1e-6)
    for (which, got), right in zip(gan.named_parameters(), hand.parameters(), strict=True):
        check_close(f"{which} after the last step", got, right)


@pytest.mark.parametrize("name", GENERATOR_LOSSES)
@pytest.mark.parametrize("steps", [range(4), range(3, 6)], ids=str)
@pytest.mark.parametrize(
    "candidate",
    [train, partial(train_with_penalty, penalty=0.0), misconceptions.loop],
    ids=["train", "penalty 0", "loop"],
)
def test_the_loop_by_hand(candidate, steps: range, name: str) -> None:
    check_the_loop(candidate, steps, name)


def test_the_loop_with_a_penalty_by_hand() -> None:
    check_the_loop(partial(train_with_penalty, penalty=0.7), range(3), penalty=0.7)


@pytest.mark.parametrize("wrong", misconceptions.LOOPS, ids=lambda function: function.__name__)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong, range(3))


def test_no_penalty_is_not_a_penalty() -> None:
    with pytest.raises(AssertionError):
        check_the_loop(partial(train_with_penalty, penalty=0.0), range(3), penalty=0.7)


def test_the_penalty_by_hand() -> None:
    """a(x) = x_1² + 3 x_2 has the slope (2 x_1, 3): ½ (4 x_1² + 9), the mean of two samples."""
    samples = torch.tensor([[1.0, 5.0], [2.0, -1.0]], dtype=torch.float64, requires_grad=True)
    penalty = slope_penalty(samples[:, 0] ** 2 + 3 * samples[:, 1], samples)
    check_close("R1, ½ E|∇a|²", penalty, ((4 + 9) / 2 + (16 + 9) / 2) / 2)
    check_close("its own gradient, 2 x_1", torch.autograd.grad(penalty, samples)[0][:, 0], torch.tensor([2.0, 4.0]))


def test_the_penalty_leaves_the_weights_trainable() -> None:
    gan, optimizers, schedulers = prepared()
    train_with_penalty(gan, optimizers, schedulers, batch_at, range(1), lambda *a, **b: None)
    assert all(parameter.requires_grad for parameter in gan.parameters())


@pytest.mark.parametrize("config", [*CONFIGS.values(), *PICTURE_CONFIGS.values()], ids=[*CONFIGS, *PICTURE_CONFIGS])
def test_each_player_has_its_rate(config) -> None:
    gan = build(config, 3)
    optimizers, schedulers = build_optimizers(gan, config)
    for player in ("discriminator", "generator"):
        optimizer = getattr(optimizers, player)
        ours = {id(parameter) for parameter in getattr(gan, player).parameters()}
        assert {id(parameter) for group in optimizer.param_groups for parameter in group["params"]} == ours
        assert optimizer.param_groups[0]["betas"][0] == config.beta1
        first = getattr(config, f"{player}_rate")
        for k in (0, config.steps // 4, config.steps // 2, config.steps):
            factor = getattr(schedulers, player).lr_lambdas[0](k)
            assert first * factor == pytest.approx(first * (1 + math.cos(math.pi * k / config.steps)) / 2)
        assert optimizer.param_groups[0]["lr"] == first


def train_small(seed: int = 0, **changes) -> tuple[GAN, list[float]]:
    config = replace(SMALL, seed=seed, **changes)
    torch.manual_seed(config.seed)
    gan, losses = build(config, MODES), []
    batches = ring_batches("train", config.seed, config.batch, config.noise)
    log = lambda step, discriminator_loss, generator_loss: losses.append(discriminator_loss)  # noqa: E731
    loss = GENERATOR_LOSSES[config.generator_loss]
    train(gan, *build_optimizers(gan, config), batches, range(config.steps), log, loss)
    return gan, losses


def test_learns_a_small_ring() -> None:
    gan, losses = train_small()
    assert within(*fakes_of_each(gan.generator, 2, MODES, 100, "test")) > 0.8
    assert losses[-1] == pytest.approx(2 * math.log(2), abs=0.15), "the discriminator cannot tell at the end"


def test_same_seed_same_weights() -> None:
    (one, _), (other, _), (reseeded, _) = train_small(steps=5), train_small(steps=5), train_small(1, steps=5)
    for a, b in zip(one.parameters(), other.parameters(), strict=True):
        check_equal("a weight after 5 steps with the same seed", a, b)
    assert not torch.equal(next(one.parameters()), next(reseeded.parameters()))


def test_the_generator_loss_is_that_of_the_configuration() -> None:
    assert GENERATOR_LOSSES["minimax"] is minimax_loss
    assert GENERATOR_LOSSES["non-saturating"] is non_saturating_loss


SCRIPT = """
from cgan.data import ring_batches, text_batches
from cgan.model import GAN
from cgan.text_encoder import SentenceEncoder
from cgan.text_to_image import TextDiscriminator, TextGenerator
from cgan.train import CONFIGS, build, build_optimizers, train
from cgan.train_text_to_image import train_text_to_image
config = CONFIGS["ring"]
gan = build(config, 8)
log = lambda step, discriminator_loss, generator_loss: losses.append(discriminator_loss)
train(gan, *build_optimizers(gan, config), ring_batches("train", 0, 32, config.noise), range(4), log)

images, rows = torch.rand(6, 3, 32, 32) * 2 - 1, torch.arange(6)[:, None]
vectors = SentenceEncoder(9, 8)(torch.arange(24).view(6, 4) % 8 + 1).detach()
gan = GAN(TextGenerator(8, 3, 2, (4, 3, 2)), TextDiscriminator(8, 2, (2, 3, 4), 5))
batch_at = text_batches(images, vectors, rows, rows.flip(0), 0, 4, 3)
train_text_to_image(gan, *build_optimizers(gan, config), batch_at, range(4), log)
"""
CORE = ("model", "loss", "data", "train", "text_encoder", "text_to_image", "train_text_to_image")


def test_core_trains_where_nothing_else_can_be_imported(tmp_path) -> None:
    check_alone(tmp_path, "cgan", CORE, SCRIPT, 8)
