r"""A penalty on the discriminator's slope at real samples, R1 (Mescheder et al. 2018, arXiv 1801.04406, equation 9).

With few pictures the discriminator soon knows them by heart. It is then sure of every fake, and the generator
collapses.
:math:`R_1 = \frac\gamma2 \mathbb E_x \lVert \nabla_x a(x) \rVert^2` asks that the logit a changes little around a real
picture. So a fake that is near to real ones gets a logit near to theirs, and a gradient that leads to them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import torch
from annotated_types import Ge
from jaxtyping import Float
from torch import Tensor

from cgan.loss import non_saturating_loss, value
from cgan.model import GAN
from cgan.train import Config, Pair


@dataclass(frozen=True)
class PenaltyConfig(Config):
    """A configuration with the penalty."""

    penalty: Annotated[float, Ge(0)] = 1.0  # γ of R1; 0 is the papers' game


DIGITS = PenaltyConfig(steps=3000, batch=64, network="conv", noise=32, generator_rate=2e-3, discriminator_rate=2e-3)
PICTURE_CONFIGS = MappingProxyType({"digits": DIGITS, "mnist": DIGITS})


def slope_penalty(logits: Float[Tensor, " n"], samples: Float[Tensor, "n *shape"]) -> Float[Tensor, ""]:
    r""":math:`\frac12 \mathbb E_x \lVert \nabla_x a(x) \rVert^2`, of which a gradient can be taken again."""
    (slopes,) = torch.autograd.grad(logits.sum(), samples, create_graph=True)  # logit i depends on sample i alone
    return slopes.flatten(1).square().sum(dim=1).mean() / 2


def train_with_penalty(
    gan: GAN,
    optimizers: Pair,
    schedulers: Pair,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    generator_loss: Callable = non_saturating_loss,
    penalty: float = 1.0,
) -> None:
    """The loop of ``train.py`` with the penalty in the discriminator's step; the log has it beside its loss."""
    generator, discriminator = gan.generator, gan.discriminator
    for step in steps:
        samples, labels, noise = batch_at(step)
        fakes = generator(noise, labels)

        samples = samples.requires_grad_()
        real_logits = discriminator(samples, labels)
        fake_logits = discriminator(fakes.detach(), labels)
        discriminator_loss = -value(real_logits, fake_logits)
        slope = slope_penalty(real_logits, samples)
        optimizers.discriminator.zero_grad()
        (discriminator_loss + penalty * slope).backward()
        optimizers.discriminator.step()

        loss = generator_loss(discriminator(fakes, labels))
        optimizers.generator.zero_grad()
        loss.backward(inputs=list(generator.parameters()))
        optimizers.generator.step()

        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item(), slope=slope.item())
