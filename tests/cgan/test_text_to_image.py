"""Equation → what computes it → test

log s_r + ½ (log(1 − s_w) + log(1 − s_f))                matching_aware_value    test_value_in_probabilities
equation 5: β h_1 + (1 − β) h_2                          interpolated            test_interpolation_by_hand
x̂ = G(z, φ(t))                                           TextGenerator           test_generator_by_hand, test_sizes
the logit of D(x, φ(t))                                  TextDiscriminator       test_discriminator_place_by_place
ψ(h) + φ(t)ᵀ V h                                         ProjectionDiscriminator test_projection_in_loops
d(z_1, z_2) / d(x̂_1, x̂_2)                                mode_seeking_loss       test_mode_seeking_by_hand
algorithm 1, one step after the other                    train_text_to_image     test_the_loop_by_hand
"""

import math
from functools import partial

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import conv2d, conv_transpose2d
from torch.optim.lr_scheduler import LambdaLR

from cgan.data import TextBatch
from cgan.extensions.anywhere import PooledEncoder
from cgan.extensions.projection import (
    TEXT_CONFIGS,
    ProjectionDiscriminator,
    TextConfig,
    build_text_gan,
    mode_seeking_loss,
    train_text_with_penalty,
)
from cgan.loss import interpolated, matching_aware_value, non_saturating_loss
from cgan.model import GAN
from cgan.text_to_image import TextDiscriminator, TextGenerator
from cgan.theory import GENERATOR_AT_ITS_OPTIMUM, MATCHING_AWARE_AT_OPTIMUM
from cgan.train import Pair, build_optimizers
from cgan.train_text_to_image import train_text_to_image
from tests.cgan.misconceptions import text as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

SEEDS = st.integers(0, 10_000)


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda one: one.__name__)


def some(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


# the value of the game


def check_value(candidate, real: torch.Tensor, wrong: torch.Tensor, fake: torch.Tensor) -> None:
    def expected(r, w, f):
        """As algorithm 1 writes it, of the probabilities s_r, s_w and s_f; one by one."""
        accepted = sum(s.sigmoid().log() for s in r) / len(r)
        mismatched = sum((1 - s.sigmoid()).log() for s in w) / len(w)
        made = sum((1 - s.sigmoid()).log() for s in f) / len(f)
        return accepted + mismatched / 2 + made / 2

    check_same("algorithm 1, line 10", candidate, expected, real, wrong, fake)


@given(sizes=unequal_sizes(2, low=1), data=st.data())
def test_value_in_probabilities(sizes, data) -> None:
    n, m = sizes
    check_value(matching_aware_value, *(data.draw(whole_tensors(size)) for size in (n, n, m)))


def check_value_by_hand(candidate) -> None:
    """s_r = ¾, s_w = ½ and s_f = ¼: ln ¾ + ½ (ln ½ + ln ¾). The slopes by the logits are ¼, −¼ and −⅛."""
    logits = [torch.tensor([x], dtype=torch.float64, requires_grad=True) for x in (math.log(3), 0.0, -math.log(3))]
    reached = candidate(*logits)
    check_close("the value", reached, math.log(3 / 4) + (math.log(1 / 2) + math.log(3 / 4)) / 2)
    slopes = torch.cat(torch.autograd.grad(reached, logits, allow_unused=True, materialize_grads=True))
    check_close("its slopes", slopes, torch.tensor([1 / 4, -1 / 4, -1 / 8]))


def test_value_by_hand() -> None:
    check_value_by_hand(matching_aware_value)


def test_who_knows_nothing_pays_as_before() -> None:
    """D = ½ for all three: the value is −2 ln 2, that of the game without sentences. The ½ is there for that."""
    nothing = torch.zeros(3).double()
    check_close("the value where D = ½", matching_aware_value(nothing, nothing, nothing), -2 * math.log(2))


@each(misconceptions.VALUES)
def test_wrong_value_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_value(wrong, some(3), some(3, seed=1), some(5, seed=2))


def test_the_best_discriminator_says_two_thirds() -> None:
    """Fakes are as the data, and every wrong pair is found out: the derivative of ln s + ½ ln(1 − s) is 0 at s = ⅔."""
    logit = torch.tensor([math.log(2)], dtype=torch.float64, requires_grad=True)  # σ(ln 2) = 2/3
    reached = matching_aware_value(logit, torch.tensor([-200.0]).double(), logit)
    check_close("the loss", -reached, MATCHING_AWARE_AT_OPTIMUM)
    check_close("its slope", torch.autograd.grad(reached, logit)[0], torch.zeros(1))
    check_close("what the generator then pays", non_saturating_loss(logit), GENERATOR_AT_ITS_OPTIMUM)


def test_interpolation_by_hand() -> None:
    vectors = torch.tensor([[1.0, 0.0], [3.0, 2.0], [5.0, 6.0]]).double()
    check_close("β = ½", interpolated(vectors), torch.tensor([[3.0, 3.0], [2.0, 1.0], [4.0, 4.0]]))
    check_close("β = 1 leaves every sentence as it is", interpolated(vectors, beta=1.0), vectors)
    check_close("β = 0 takes the other sentence", interpolated(vectors, beta=0.0), vectors.roll(1, 0))


# the players


def made(kind: type[nn.Module], *arguments, seed: int = 0, spread: float = 0.0) -> nn.Module:
    torch.manual_seed(seed)
    model = kind(*arguments).double()
    for parameter in model.parameters() if spread else ():
        nn.init.normal_(parameter, std=spread)
    return model


def generator_reference(model: TextGenerator, noise: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """In training mode: each channel gets mean 0 and variance 1 over the batch and the places, by hand."""
    h = vectors @ model.compress.weight.T + model.compress.bias
    h = torch.cat([noise, torch.where(h > 0, h, 0.2 * h)], dim=1) @ model.start.weight.T + model.start.bias
    h = h.view(len(noise), -1, 4, 4)
    for norm, up in zip(model.norms, model.ups, strict=True):
        mean = h.mean(dim=(0, 2, 3), keepdim=True)
        h = (h - mean) / ((h - mean).square().mean(dim=(0, 2, 3), keepdim=True) + 1e-5).sqrt()
        h = h * norm.weight[:, None, None] + norm.bias[:, None, None]
        h = conv_transpose2d(h.clamp(min=0), up.weight, up.bias, 2, 1)
    return h.tanh()


def check_generator(kind: type, n: int, sentence: int, z: int, compressed: int, seed: int) -> None:
    sizes = sentence, z, compressed, (4, 3)
    model, candidate = (made(one, *sizes, seed=seed, spread=0.5) for one in (TextGenerator, kind))
    noise, vectors = some(n, z, seed=seed), some(n, sentence, seed=seed + 1)
    check_same("x̂ = G(z, φ(t))", candidate, lambda a, b: generator_reference(model, a, b), noise, vectors)


@given(sizes=unequal_sizes(4), seed=SEEDS)
def test_generator_by_hand(sizes, seed: int) -> None:
    check_generator(TextGenerator, *sizes, seed)


@each(misconceptions.GENERATORS)
def test_wrong_generator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_generator(wrong, 3, 4, 5, 6, 0)


def test_sizes() -> None:
    """Each number of channels doubles the places: 4×4 to 32×32 with three of them."""
    pictures = made(TextGenerator, 5, 3, 2, (6, 4, 2), spread=3.0)(some(7, 3), some(7, 5))
    assert pictures.shape == (7, 3, 32, 32)
    assert pictures.min() < -0.99
    assert pictures.max() > 0.99


def discriminator_reference(model: TextDiscriminator, images: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
    """Picture by picture; the 1×1 convolution is a matrix product at each place, and the logit a sum over all."""

    def leaky(h: torch.Tensor) -> torch.Tensor:
        return torch.where(h > 0, h, 0.2 * h)

    logits = []
    for x, t in zip(images, vectors, strict=True):
        for down in model.downs:
            x = leaky(conv2d(x[None], down.weight, down.bias, 2, 1)[0])
        short, total = leaky(model.compress.weight @ t + model.compress.bias), model.output.bias[0]
        for row in range(4):
            for column in range(4):
                both = torch.cat([x[:, row, column], short])
                joint = leaky(model.joint.weight[:, :, 0, 0] @ both + model.joint.bias)
                total = total + model.output.weight[0, :, row, column] @ joint
        logits.append(total)
    return torch.stack(logits)


def check_discriminator(kind: type, n: int, sentence: int, compressed: int, joint: int, seed: int) -> None:
    sizes = sentence, compressed, (2, 3), joint
    model, candidate = (made(one, *sizes, seed=seed, spread=0.5) for one in (TextDiscriminator, kind))
    images, vectors = some(n, 3, 16, 16, seed=seed), some(n, sentence, seed=seed + 1)
    check_same("D(x, φ(t))", candidate, lambda a, b: discriminator_reference(model, a, b), images, vectors)


@given(sizes=unequal_sizes(4, low=1, high=5), seed=SEEDS)
def test_discriminator_place_by_place(sizes, seed: int) -> None:
    check_discriminator(TextDiscriminator, *sizes, seed)


@each(misconceptions.DISCRIMINATORS)
def test_wrong_discriminator_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_discriminator(wrong, 3, 4, 5, 6, 0)


@given(sizes=unequal_sizes(3, low=1, high=5), seed=SEEDS)
def test_projection_in_loops(sizes, seed: int) -> None:
    """ψ(h) is a linear layer; φ(t)ᵀ V h is divided by the root of the size of h, as in attention."""
    n, sentence, joint = sizes
    model = made(ProjectionDiscriminator, sentence, (2, 3), joint, seed=seed, spread=0.5)
    images, vectors = some(n, 3, 16, 16, seed=seed), some(n, sentence, seed=seed + 1)

    def expected(pictures, sentences):
        logits = []
        for h, t in zip(model.look(pictures), sentences, strict=True):
            v = model.project.weight @ t + model.project.bias
            product = sum(a * b for a, b in zip(h, v, strict=True)) / math.sqrt(joint)
            logits.append(model.output.weight[0] @ h + model.output.bias[0] + product)
        return torch.stack(logits)

    check_same("Miyato & Koyama's equation 3", model, expected, images, vectors)


@pytest.mark.parametrize("which", ["paper", "projection"])
def test_both_players_see_the_sentence_and_the_generator_the_noise(which: str) -> None:
    torch.manual_seed(0)
    gan = build_text_gan(TextConfig(discriminator=which), 5).double().eval()
    noise, one, other = some(4, 32), some(4, 5), some(4, 5, seed=1)
    pictures = gan.generator(noise, one)
    assert (pictures - gan.generator(noise, other)).abs().amax(dim=(1, 2, 3)).min() > 1e-6, "G ignores the sentence"
    assert (pictures - gan.generator(-noise, one)).abs().amax(dim=(1, 2, 3)).min() > 1e-6, "G ignores the noise"
    assert (gan.discriminator(pictures, one) - gan.discriminator(pictures, other)).abs().min() > 1e-9, "D ignores it"
    alone = torch.cat([gan.discriminator(pictures[k : k + 1], one[k : k + 1]) for k in range(4)])
    check_close("a logit depends on its own picture", gan.discriminator(pictures, one), alone)


@pytest.mark.parametrize("which", ["paper", "projection"])
@pytest.mark.parametrize("size", [28, 64])
def test_another_size_is_named(which: str, size: int) -> None:
    gan = build_text_gan(TextConfig(discriminator=which), 5)
    with pytest.raises(ValueError, match=rf"images must lead to 4×4 places, got {size}×{size} pixels"):
        gan.discriminator(torch.zeros(2, 3, size, size), torch.zeros(2, 5))


# the loop


class G(nn.Module):
    """x = s · z normalised over the batch + W h; 2 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([0.7, -0.4]).double())
        self.w = nn.Parameter(torch.linspace(-1, 1, 6).view(3, 2).double())
        self.norm = nn.BatchNorm1d(2, affine=False)

    def forward(self, noise, vectors):
        return self.scale * self.norm(noise) + vectors @ self.w


class D(nn.Module):
    """h = tanh(A x) is what it sees; a = v · h + t · (B h)."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.tensor([[0.3, -0.2], [0.5, 0.1], [-0.4, 0.6]]).double())
        self.v = nn.Parameter(torch.tensor([-0.1, 0.5, 0.2]).double())
        self.b = nn.Parameter(torch.linspace(-0.5, 0.5, 9).view(3, 3).double())

    def look(self, images):
        return (images @ self.a.T).tanh()

    def match(self, seen, vectors):
        return seen @ self.v + (vectors * (seen @ self.b.T)).sum(dim=1)

    def forward(self, images, vectors):
        return self.match(self.look(images), vectors)


def batch_at(step: int) -> TextBatch:
    generator = torch.Generator().manual_seed(step)
    images, noise = (torch.randn(5, 2, generator=generator).double() for _ in range(2))
    right, wrong = (torch.randn(5, 3, generator=generator).double() for _ in range(2))
    return Plain(images + 2, right, wrong, noise)


class Plain(TextBatch):
    """Without the check of shapes: these pictures have 2 numbers."""


def prepared() -> tuple[GAN, Pair, Pair]:
    gan = GAN(G(), D()).double()
    optimizers = Pair(
        torch.optim.SGD(gan.discriminator.parameters(), 0.1), torch.optim.SGD(gan.generator.parameters(), 0.05)
    )
    return gan, optimizers, Pair(*(LambdaLR(one, lambda n: 1 / (n + 1)) for one in optimizers))


def by_hand(
    gan: GAN, n: int, step: int, weight: float, penalty: float, aware: bool, seeking: float
) -> tuple[float, float]:
    """One step of algorithm 1 in probabilities; the weights are moved in plain sight. Returns both losses."""
    g, d = gan.generator, gan.discriminator
    x, right, wrong, z = batch_at(step)
    x = x.clone().requires_grad_()
    asked = torch.stack([right[k] for k in (0, 1, 0, 1)]) if seeking else right  # two fakes for each of two sentences
    with torch.no_grad():
        shown = g(z[: len(asked)], asked)
    s_r, s_w, s_f = (logits.sigmoid() for logits in (d(x, right), d(x, wrong), d(shown, asked)))
    refused = ((1 - s_w).log().mean() + (1 - s_f).log().mean()) / 2 if aware else (1 - s_f).log().mean()
    loss_d = -(s_r.log().mean() + refused)
    (slopes,) = torch.autograd.grad(d(x, right).sum(), x, create_graph=True)
    whole = loss_d + penalty * slopes.square().sum(dim=1).mean() / 2
    move(d, torch.autograd.grad(whole, list(d.parameters())), 0.1 / (n + 1))
    fakes = g(z[: len(asked)], asked)
    loss_g = -d(fakes, asked).sigmoid().log().mean()
    between = (right + torch.cat([right[-1:], right[:-1]])) / 2
    loss_g = loss_g - weight * d(g(z, between), between).sigmoid().log().mean()
    whole = loss_g
    if seeking:
        ratios = [(z[k] - z[k + 2]).abs().mean() / ((fakes[k] - fakes[k + 2]).abs().mean() + 1e-5) for k in (0, 1)]
        whole = loss_g + seeking * (ratios[0] + ratios[1]) / 2
    move(g, torch.autograd.grad(whole, list(g.parameters())), 0.05 / (n + 1))
    return loss_d.item(), loss_g.item()


def move(player: nn.Module, slopes, rate: float) -> None:
    with torch.no_grad():
        for parameter, slope in zip(player.parameters(), slopes, strict=True):
            parameter -= rate * slope


def check_the_loop(
    candidate, steps: range, weight: float = 1.0, penalties=None, aware: bool = True, seeking: float = 0.0
) -> None:
    """``penalties``: by step, the factor of R1."""
    gan, optimizers, schedulers = prepared()
    asked, logged = [], []

    def asking(step: int) -> TextBatch:
        asked.append(step)
        return batch_at(step)

    def log(step: int, discriminator_loss: float, generator_loss: float) -> None:
        logged.append((step, discriminator_loss, generator_loss))

    candidate(gan, optimizers, schedulers, asking, steps, log, weight)
    assert asked == [step for step, *_ in logged] == list(steps), "one batch a step, in the order of the steps"
    hand, _, _ = prepared()
    factors = [0.0 if penalties is None else penalties[step] for step in steps]
    expected = [by_hand(hand, n, step, weight, factors[n], aware, seeking) for n, step in enumerate(steps)]
    check_close("the losses of both players", torch.tensor([row[1:] for row in logged]), torch.tensor(expected), 1e-6)
    for (which, got), right in zip(gan.named_parameters(), hand.parameters(), strict=True):
        check_close(f"{which} after the last step", got, right)


CANDIDATES = {
    "train_text_to_image": train_text_to_image,
    "penalty 0": partial(train_text_with_penalty, penalty=0.0),
    "loop": misconceptions.loop,
}


@pytest.mark.parametrize("weight", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("steps", [range(4), range(3, 6)], ids=str)
@pytest.mark.parametrize("name", CANDIDATES)
def test_the_loop_by_hand(name: str, steps: range, weight: float) -> None:
    check_the_loop(CANDIDATES[name], steps, weight)


def test_the_loop_with_a_penalty_in_some_steps() -> None:
    """γ = 0.7 in every third step: three times 0.7 in the steps 0, 3 and 6, and nothing between."""
    penalties = {step: 2.1 if step % 3 == 0 else 0.0 for step in range(8)}
    candidate = partial(train_text_with_penalty, penalty=0.7, penalty_every=3)
    check_the_loop(candidate, range(4), penalties=penalties)
    check_the_loop(candidate, range(2, 8), penalties=penalties)
    with pytest.raises(AssertionError):
        check_the_loop(partial(train_text_with_penalty, penalty=0.7, penalty_every=1), range(4), penalties=penalties)


def test_the_plain_game_has_no_wrong_pairs() -> None:
    check_the_loop(partial(train_text_with_penalty, penalty=0.0, matching_aware=False), range(3), aware=False)
    with pytest.raises(AssertionError):
        check_the_loop(partial(train_text_with_penalty, penalty=0.0), range(3), aware=False)


def test_two_fakes_of_a_sentence_are_kept_apart() -> None:
    candidate = partial(train_text_with_penalty, penalty=0.0, mode_seeking=0.2)
    check_the_loop(candidate, range(3), seeking=0.2)
    for wrong in (0.0, 0.1):
        with pytest.raises(AssertionError):
            check_the_loop(partial(train_text_with_penalty, penalty=0.0, mode_seeking=wrong), range(3), seeking=0.2)


def test_mode_seeking_by_hand() -> None:
    """Noises differ by 2 on average. Pictures differ by ½, then by 1: 4 and 2, so 3."""
    noise, pictures = torch.tensor([[1.0, -1.0], [1.0, 3.0]]).double(), torch.zeros(2, 1, 1, 2).double()
    others = torch.tensor([[[[0.0, 1.0]]], [[[1.0, -1.0]]]]).double()
    moved = noise + torch.tensor([2.0, -2.0])
    check_close("mean of the inverse ratios", mode_seeking_loss(pictures, others, noise, moved), 3.0, 1e-4)
    closer = mode_seeking_loss(pictures, others / 2, noise, moved)
    check_close("pictures twice as near cost twice as much", closer, 6.0, 1e-4)


@each(misconceptions.LOOPS)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong, range(3))


@pytest.mark.parametrize("scene", TEXT_CONFIGS)
def test_each_player_has_its_rate(scene: str) -> None:
    config = TEXT_CONFIGS[scene]
    gan = build_text_gan(config, 5, PooledEncoder(2, 5))
    for optimizer, player in zip(build_optimizers(gan, config)[0], (gan.discriminator, gan.generator), strict=True):
        (group,) = optimizer.param_groups
        assert {id(one) for one in group["params"]} == {id(one) for one in player.parameters()}
    assert group["lr"] == config.generator_rate


def two_colours(step: int) -> TextBatch:
    """Pictures of 8×8 pixels, red or blue; the sentence's vector says which."""
    random = torch.Generator().manual_seed(step)
    which = torch.randint(2, (32,), generator=random)
    colours = torch.tensor([[0.8, -0.8, -0.8], [-0.8, -0.8, 0.8]])[which]
    images = colours[:, :, None, None] + 0.1 * torch.randn(32, 3, 8, 8, generator=random)
    names = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    return TextBatch(images, names[which], names[1 - which], torch.randn(32, 4, generator=random))


def test_learns_two_colours() -> None:
    """Chance: half of the fakes have the colour of their sentence. D prefers the true sentence, too."""
    torch.manual_seed(0)
    config = TextConfig(steps=75, generator_rate=1e-2, discriminator_rate=1e-2)
    gan = GAN(TextGenerator(2, 4, 4, (8,)), TextDiscriminator(2, 4, (8,), 8))
    losses = []
    log = lambda step, discriminator_loss, generator_loss: losses.append(discriminator_loss)  # noqa: E731
    train_text_to_image(gan, *build_optimizers(gan, config), two_colours, range(config.steps), log, 0.0)
    assert losses[0] == pytest.approx(2 * math.log(2), abs=0.1), "D knows nothing yet"
    gan.eval()
    batch = two_colours(999)
    fakes = gan.generator(batch.noise, batch.right).mean(dim=(2, 3))
    redder = fakes[:, 0] > fakes[:, 2]
    assert (redder == (batch.right[:, 0] == 1)).double().mean() > 0.9
    better = gan.discriminator(batch.images, batch.right) > gan.discriminator(batch.images, batch.wrong)
    assert better.double().mean() > 0.9
