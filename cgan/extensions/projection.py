r"""What sentences need on a CPU, and Reed et al. 2016 do not have. ``cgan/README.md`` has the ablation of each.

- **Projection** (Miyato & Koyama 2018, arXiv 1802.05637, equation 3). The discriminator's logit is
  :math:`\psi(h) + \varphi(t)^\top V h`, where h is what it sees in the picture. The sentence is multiplied with the
  picture. In the paper's discriminator it is only added, before one more layer.
- **R1 in every fourth step** (Mescheder et al. 2018, "lazy" as in Karras et al. 2020, arXiv 1912.04958, appendix B).
  The penalty is then four times as large. It needs a gradient of a gradient, half of a step's time.
- **Mode seeking** (Mao et al. 2019, arXiv 1903.05628, equation 4). The generator draws two pictures of each of n/2
  sentences, and pays where other noise changes the picture little. Without it the pictures of one sentence become more
  and more alike, because each of them is believed.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Lt
from jaxtyping import Float
from torch import Tensor, nn

from cgan.extensions.anywhere import EncoderDiscriminator, PlacedGenerator
from cgan.extensions.gradient_penalty import slope_penalty
from cgan.extensions.two import PairGenerator, RegionDiscriminator, RegionEncoder
from cgan.loss import interpolated, matching_aware_value, non_saturating_loss, value
from cgan.model import GAN, leaky
from cgan.text_to_image import PLACES, TextDiscriminator, TextGenerator, places
from cgan.train import Pair, Positive

Channels = tuple[Positive, ...]
Discriminator = Literal["projection", "paper", "encoder", "untrained"]  # encoder: φ(v); untrained: the same network
NUMBERS = MappingProxyType({"whole": 3, "placed": 2, "pair": 2})  # of channels, by the kind of generator
GENERATORS = MappingProxyType({"whole": TextGenerator, "placed": PlacedGenerator, "pair": PairGenerator})


@dataclass(frozen=True)
class TextConfig:
    """Everything that the players' training depends on, except its data and the frozen encoder."""

    steps: Positive = 2500  # steps of each player
    batch: Annotated[int, Ge(2)] = 64  # real pictures in a step, and as many fakes
    noise: Positive = 32  # dimensions of z
    compressed: Positive = 32  # numbers in the compressed sentence
    generator: Literal["whole", "placed", "pair"] = "whole"  # it draws the picture, an object and its place, or two
    generator_channels: Channels = (48, 32, 16)  # at 4×4, 8×8 and 16×16 places; placed and pair need two numbers
    discriminator_channels: tuple[Positive, Positive, Positive] = (16, 32, 48)  # at 16×16, 8×8 and 4×4 places
    joint: Positive = 64  # channels of the discriminator's layer that meets the sentence
    discriminator: Discriminator = "projection"  # how it meets the sentence, and how it begins
    game: Literal["matching-aware", "plain"] = "matching-aware"  # plain: no real picture comes with a wrong sentence
    interpolation: Annotated[float, Ge(0)] = 0.0  # weight of GAN-INT, 1 in the paper
    penalty: Annotated[float, Ge(0)] = 1.0  # γ of R1; 0 is the paper's game
    penalty_every: Positive = 4  # steps from one penalty to the next
    mode_seeking: Annotated[float, Ge(0)] = 0.005  # weight of the term that keeps pictures of one sentence apart
    generator_rate: Annotated[float, Gt(0)] = 2e-3  # learning rate at the start
    discriminator_rate: Annotated[float, Gt(0)] = 2e-3  # learning rate at the start
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.0  # of Adam, both players
    seed: Annotated[int, Ge(0)] = 0  # of weights and data

    def __post_init__(self) -> None:
        given, needed = len(self.generator_channels), NUMBERS[self.generator]
        if given != needed:
            raise ValueError(
                f"--generator-channels must be {needed} numbers for --generator {self.generator}, got {given}"
            )
        if self.generator == "pair" and self.noise % 3:
            raise ValueError(f"--noise must be a multiple of 3 for --generator pair, got {self.noise}")


TEXT_CONFIGS = MappingProxyType(
    {
        "close": TextConfig(),
        "anywhere": TextConfig(
            steps=3000, generator="placed", generator_channels=(64, 32), discriminator="encoder", penalty=0.1
        ),
        "two": TextConfig(
            steps=10_000, noise=48, generator="pair", generator_channels=(64, 32), discriminator="encoder", penalty=0.1
        ),
    }
)


class ProjectionDiscriminator(nn.Module):
    r""":math:`\psi(h) + \varphi(t)^\top V h / \sqrt{d}`, where d is the size of h, and ψ is a linear layer.

    Args:
        sentence: numbers in φ(t).
        channels: after each convolution. Three of them lead from 32×32 pixels to 4×4 places.
        joint: d.
    """

    def __init__(self, sentence: int, channels: Sequence[int], joint: int) -> None:
        super().__init__()
        self.looking = TextDiscriminator(sentence, 1, channels, 1).downs
        self.joint = nn.Linear(channels[-1] * PLACES**2, joint)
        self.project = nn.Linear(sentence, joint)
        self.output = nn.Linear(joint, 1)

    def forward(self, images: Float[Tensor, "n 3 h w"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        return self.match(self.look(images), vectors)

    def look(self, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n joint"]:
        """h, what the discriminator sees in a picture before it knows the sentence."""
        return leaky(self.joint(places(self.looking, images).flatten(1)))

    def match(self, seen: Float[Tensor, "n joint"], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        products = (seen * self.project(vectors)).sum(dim=1) / seen.shape[1] ** 0.5
        return self.output(seen)[:, 0] + products


def mode_seeking_loss(
    pictures: Float[Tensor, "n ..."],
    others: Float[Tensor, "n ..."],
    noise: Float[Tensor, "n z"],
    other_noise: Float[Tensor, "n z"],
) -> Float[Tensor, ""]:
    r"""Mao's ratio, inverted: the mean of :math:`d(z_1, z_2) \,/\, d(G(z_1, h), G(z_2, h))` over n pairs.

    Both distances are mean absolute differences. Row k of both has the same sentence.
    """
    apart = (pictures - others).abs().flatten(1).mean(dim=1)
    return ((noise - other_noise).abs().mean(dim=1) / (apart + 1e-5)).mean()


def build_text_gan(config: TextConfig, sentence: int, picture: nn.Module | None = None) -> GAN:
    """Both players, for sentences with this many numbers.

    Args:
        picture: φ(v), a ``PooledEncoder`` or a ``RegionEncoder``. The discriminators ``encoder`` and ``untrained``
            begin as a copy of it, the first with its weights.
    """
    generator = GENERATORS[config.generator](sentence, config.noise, config.compressed, config.generator_channels)
    return GAN(generator, build_discriminator(config, sentence, picture))


def build_discriminator(config: TextConfig, sentence: int, picture: nn.Module | None) -> nn.Module:
    if config.discriminator == "paper":
        return TextDiscriminator(sentence, config.compressed, config.discriminator_channels, config.joint)
    if config.discriminator == "projection":
        return ProjectionDiscriminator(sentence, config.discriminator_channels, config.joint)
    if config.discriminator == "untrained":
        encoder = type(picture)(picture.first.out_channels, picture.output.out_features)
    else:
        encoder = copy.deepcopy(picture).requires_grad_()  # it was frozen, and now it learns on
    return (RegionDiscriminator if isinstance(encoder, RegionEncoder) else EncoderDiscriminator)(encoder)


def train_text_with_penalty(
    gan: GAN,
    optimizers: Pair,
    schedulers: Pair,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    interpolation: float = 1.0,
    penalty: float = 1.0,
    penalty_every: int = 4,
    matching_aware: bool = True,
    mode_seeking: float = 0.0,
) -> None:
    """The loop of ``train_text_to_image.py`` with the penalty in some of the discriminator's steps. The log has the
    losses of the game, without penalty and mode seeking.

    Args:
        interpolation: weight of the generator's term on interpolated sentences.
        penalty: γ of R1, for the real pictures with their right sentences.
        penalty_every: steps from one penalty to the next.
        matching_aware: without it the game is that of ``train.py``, and a wrong sentence is never shown.
        mode_seeking: weight of ``mode_seeking_loss``. With it, the first half of the sentences gets two fakes each, and
            the second half none.
    """
    generator, discriminator = gan.generator, gan.discriminator
    for step in steps:
        images, right, wrong, noise = batch_at(step)
        asked = right[: len(right) // 2].repeat(2, 1) if mode_seeking else right  # the fakes' sentences
        fakes = generator(noise[: len(asked)], asked)
        penalised = penalty > 0 and step % penalty_every == 0

        images = images.requires_grad_(penalised)
        seen = discriminator.look(images)
        real_logits = discriminator.match(seen, right)
        fake_logits = discriminator(fakes.detach(), asked)
        if matching_aware:
            value_now = matching_aware_value(real_logits, discriminator.match(seen, wrong), fake_logits)
        else:
            value_now = value(real_logits, fake_logits)
        slope = slope_penalty(real_logits, images) if penalised else real_logits.new_zeros(())
        optimizers.discriminator.zero_grad()
        (-value_now + penalty_every * penalty * slope).backward()
        optimizers.discriminator.step()

        loss = non_saturating_loss(discriminator(fakes, asked))
        if interpolation:
            between = interpolated(right)
            loss = loss + interpolation * non_saturating_loss(discriminator(generator(noise, between), between))
        whole = loss
        if mode_seeking:
            whole = loss + mode_seeking * mode_seeking_loss(*fakes.chunk(2), *noise[: len(asked)].chunk(2))
        optimizers.generator.zero_grad()
        whole.backward(inputs=list(generator.parameters()))
        optimizers.generator.step()

        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=-value_now.item(), generator_loss=loss.item())
