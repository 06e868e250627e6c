"""Wrong loops, each with the reason why it is tempting. They take the arguments of ``cgan.train.train``."""

import torch

from cgan.loss import minimax_loss, non_saturating_loss, value


def loop(
    gan, optimizers, schedulers, batch_at, steps, log, generator_loss=non_saturating_loss, *, detach=True,
    swap=False, together=False, old=False, zero=True, eval_mode=False, conditioned=True, detach_both=False,
) -> None:  # fmt: skip
    """The loop with one mistake."""
    g, d = gan.generator, gan.discriminator
    for step in steps:
        samples, labels, noise = batch_at(step)
        if eval_mode:
            g.eval()
        fakes = g(noise, labels)
        asked = labels if conditioned else torch.zeros_like(labels)
        shown = fakes.detach() if detach else fakes
        if together:
            both = d(torch.cat([samples, shown]), torch.cat([asked, asked]))
            real_logits, fake_logits = both.chunk(2)
        else:
            real_logits, fake_logits = d(samples, asked), d(shown, asked)
        discriminator_loss = -value(fake_logits, real_logits) if swap else -value(real_logits, fake_logits)
        if zero:
            optimizers.discriminator.zero_grad()
        if not detach:
            optimizers.generator.zero_grad()
        discriminator_loss.backward(retain_graph=True)
        loss = generator_loss(d(fakes.detach() if detach_both else fakes, asked)) if old else None
        optimizers.discriminator.step()
        if loss is None:
            loss = generator_loss(d(fakes.detach() if detach_both else fakes, asked))
        if detach and not old:
            optimizers.generator.zero_grad()
        if not detach_both:
            loss.backward()
        optimizers.generator.step()
        schedulers.discriminator.step()
        schedulers.generator.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item())


def detach_forgotten(*arguments) -> None:
    """Tempting because the loop runs without it. The generator's weights get the gradient of −V, too."""
    loop(*arguments, detach=False)


def detached_for_the_generator_too(*arguments) -> None:
    """Tempting because the line above has it. Then the generator never learns, and its loss only rises."""
    loop(*arguments, detach_both=True)


def real_and_fake_swapped(*arguments) -> None:
    """Tempting because 0 and 1 are only names; the generator's loss does not swap with them."""
    loop(*arguments, swap=True)


def normalised_together(*arguments) -> None:
    """Tempting because one call is faster. With batch normalisation, reals and fakes then share mean and variance, and
    the discriminator reads from them what the other half of the batch is."""
    loop(*arguments, together=True)


def gradients_added_up(*arguments) -> None:
    """Tempting because nothing complains. The discriminator's weights keep the gradient of the generator's step."""
    loop(*arguments, zero=False)


def generator_in_evaluation_mode(*arguments) -> None:
    """Tempting because its samples are only looked at. Its batch normalisation then uses old statistics."""
    loop(*arguments, eval_mode=True)


def discriminator_without_the_label(*arguments) -> None:
    """Tempting because it only has to tell real from fake. Nothing then asks the generator for its label."""
    loop(*arguments, conditioned=False)


def minimax_for_the_generator(gan, optimizers, schedulers, batch_at, steps, log, *others) -> None:
    """Tempting because it is equation 1. A generator that starts badly gets no gradient."""
    loop(gan, optimizers, schedulers, batch_at, steps, log, minimax_loss)


def one_optimizer_step_for_both(gan, optimizers, schedulers, batch_at, steps, log, *others) -> None:
    """Tempting because one loss is simpler: the sum of both. Then the generator makes its own detection better."""
    for step in steps:
        samples, labels, noise = batch_at(step)
        fakes = gan.generator(noise, labels)
        real_logits, fake_logits = gan.discriminator(samples, labels), gan.discriminator(fakes, labels)
        discriminator_loss, loss = -value(real_logits, fake_logits), non_saturating_loss(fake_logits)
        for optimizer in optimizers:
            optimizer.zero_grad()
        (discriminator_loss + loss).backward()
        for part in (*optimizers, *schedulers):
            part.step()
        log(step, discriminator_loss=discriminator_loss.item(), generator_loss=loss.item())


LOOPS = (
    detach_forgotten,
    detached_for_the_generator_too,
    real_and_fake_swapped,
    normalised_together,
    gradients_added_up,
    generator_in_evaluation_mode,
    discriminator_without_the_label,
    minimax_for_the_generator,
    one_optimizer_step_for_both,
)
