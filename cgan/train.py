r"""Training: algorithm 1 of Goodfellow et al. 2014 with k = 1, and with labels (Mirza & Osindero 2014, equation 2).

In each step both players learn once. The discriminator takes its step on a batch of real samples and a batch of fakes.
The generator then takes its step against the new discriminator.

What differs from the papers, and why:

- The two steps share their fakes, so that the generator runs once and not twice. Algorithm 1 draws new noise.
- A fake gets the label of a real sample of the batch. So both batches have the same labels.
- Adam without momentum for both players, each with its own learning rate, which a cosine takes to 0. The papers use
  stochastic gradient descent with momentum; Mirza's learning rate decays, too. In a game, momentum goes on in the
  direction in which the other player was.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt, Lt
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from cgan.loss import minimax_loss, non_saturating_loss, value
from cgan.model import GAN, ConvDiscriminator, ConvGenerator, MLPDiscriminator, MLPGenerator

Positive = Annotated[int, Ge(1)]
GENERATOR_LOSSES = MappingProxyType({"non-saturating": non_saturating_loss, "minimax": minimax_loss})


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, except its data."""

    steps: Positive = 3000  # steps of each player
    batch: Annotated[int, Ge(2)] = 256  # real samples in a step, and as many fakes
    network: Literal["mlp", "conv"] = "mlp"  # mlp for points of the plane, conv for pictures of 28×28 pixels
    noise: Positive = 2  # dimensions of z
    hidden: Positive = 64  # units of a layer of the mlp, and of conv's joint layer
    channels: Annotated[int, Ge(2)] = 32  # of conv at 7×7 places; the mlp has none
    generator_loss: Literal["non-saturating", "minimax"] = "non-saturating"  # what the generator makes small
    generator_rate: Annotated[float, Gt(0)] = 1e-3  # learning rate at the start
    discriminator_rate: Annotated[float, Gt(0)] = 5e-3  # learning rate at the start
    beta1: Annotated[float, Ge(0), Lt(1)] = 0.0  # of Adam, both players
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


CONFIGS = MappingProxyType({"ring": Config()})


class Pair(NamedTuple):
    """Two optimizers, or two schedulers: one for each player."""

    discriminator: Optimizer | LRScheduler
    generator: Optimizer | LRScheduler


def build(config: Config, labels: int) -> GAN:
    """Both players of a configuration, for this many labels."""
    if config.network == "mlp":
        generator = MLPGenerator(labels, config.noise, 2, config.hidden)
        return GAN(generator, MLPDiscriminator(labels, 2, config.hidden))
    generator = ConvGenerator(labels, config.noise, config.channels)
    return GAN(generator, ConvDiscriminator(labels, config.channels, config.hidden))


def build_optimizers(gan: GAN, config: Any) -> tuple[Pair, Pair]:
    """Adam (Kingma & Ba 2015) for each player, and their learning rates: a cosine from the first one to 0.

    The configuration is any that has ``steps``, ``beta1`` and both rates.

    ``fused`` changes all weights in one call. On the ring that saves a tenth of a step's time.
    """
    optimizers = Pair(
        *(
            torch.optim.Adam(player.parameters(), lr=rate, betas=(config.beta1, 0.99), fused=True)
            for player, rate in (
                (gan.discriminator, config.discriminator_rate),
                (gan.generator, config.generator_rate),
            )
        )
    )
    falling = (LambdaLR(one, lambda step: (1 + math.cos(math.pi * step / config.steps)) / 2) for one in optimizers)
    return optimizers, Pair(*falling)


def train(
    gan: GAN,
    optimizers: Pair,
    schedulers: Pair,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    generator_loss: Callable = non_saturating_loss,
) -> None:
    """The loop. ``steps`` is any iterable of step numbers; ``log`` takes the losses of both players in nats."""
    generator, discriminator = gan.generator, gan.discriminator
    for step in steps:
        samples, labels, noise = batch_at(step)  # the same step gives the same batch in every run
        fakes = generator(noise, labels)

        real_logits = discriminator(samples, labels)  # real and fake in two calls: each normalised by itself
        fake_logits = discriminator(fakes.detach(), labels)  # detached: this step is not the generator's
        discriminator_loss = -value(real_logits, fake_logits)
        optimizers.discriminator.zero_grad()
        discriminator_loss.backward()
        optimizers.discriminator.step()

        loss = generator_loss(discriminator(fakes, labels))  # not detached: the gradient goes through D into G
        optimizers.generator.zero_grad()
        loss.backward(inputs=list(generator.parameters()))  # D's weights get no gradient: it is not their step
        optimizers.generator.step()

        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item())
