r"""Training: algorithm 1 of Reed et al. 2016 (arXiv 1605.05396), GAN-CLS, with equation 5, GAN-INT.

The encoder of ``text_encoder.py`` has been trained before and is frozen: a batch has the vectors of its sentences.

Where the paper and its authors' code disagree:

- Algorithm 1 writes D ← D − α ∂L_D/∂D and G ← G − α ∂L_G/∂G, but both values are to become large. Here −L_D and −L_G
  become small, as in the code.
- In algorithm 1 a wrong pair is a real picture with the wrong sentence, and so it is here. The code takes the sentence
  of the batch and draws a wrong picture for it.

What differs from the paper, and why: the fakes are the same in both steps, as in ``train.py``. The interpolated
sentences get the same noise as the others, so that a batch has it once.
"""

from collections.abc import Callable, Iterable

from cgan.loss import interpolated, matching_aware_value, non_saturating_loss
from cgan.model import GAN
from cgan.train import Pair


def train_text_to_image(
    gan: GAN,
    optimizers: Pair,
    schedulers: Pair,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    interpolation: float = 1.0,
) -> None:
    """The loop; see ``train.py`` for the first three arguments. ``interpolation`` is the weight of equation 5."""
    generator, discriminator = gan.generator, gan.discriminator
    for step in steps:
        images, right, wrong, noise = batch_at(step)
        fakes = generator(noise, right)

        seen = discriminator.look(images)
        real_logits = discriminator.match(seen, right)  # s_r: a real picture, a sentence that is true of it
        wrong_logits = discriminator.match(seen, wrong)  # s_w: a real picture, a sentence that is false of it
        fake_logits = discriminator(fakes.detach(), right)  # s_f: a fake, with the sentence that it was made for
        discriminator_loss = -matching_aware_value(real_logits, wrong_logits, fake_logits)
        optimizers.discriminator.zero_grad()
        discriminator_loss.backward()
        optimizers.discriminator.step()

        loss = non_saturating_loss(discriminator(fakes, right))
        if interpolation:  # sentences that nobody wrote: no real picture belongs to them, and G alone learns from them
            between = interpolated(right)
            loss = loss + interpolation * non_saturating_loss(discriminator(generator(noise, between), between))
        optimizers.generator.zero_grad()
        loss.backward(inputs=list(generator.parameters()))
        optimizers.generator.step()

        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item())
