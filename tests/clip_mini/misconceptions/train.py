"""Wrong loops and optimizers that people really write. The tests of ``clip_mini.train`` catch each."""

import math
from dataclasses import replace

import torch
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim.lr_scheduler import LambdaLR

from clip_mini import train as right
from clip_mini.loss import contrastive_loss, pairwise_similarity


def rate_of_the_next_step(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because the first rate is small anyway; the scheduler steps after the optimizer."""
    scheduler.step()
    right.train(model, optimizer, scheduler, batch_at, steps, log)


def without_scheduler(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because nothing complains when ``scheduler.step()`` is forgotten."""
    scheduler.step = lambda: None
    right.train(model, optimizer, scheduler, batch_at, steps, log)


def gradients_added_up(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because nothing complains when ``zero_grad`` is forgotten."""
    optimizer.zero_grad = lambda: None
    right.train(model, optimizer, scheduler, batch_at, steps, log)


def _without_clamp(model, optimizer, scheduler, batch_at, steps, log, after=lambda model: None, before=lambda m: None):
    for step in steps:
        before(model)
        images, texts = batch_at(step)
        image, text = model(images, texts)
        loss = contrastive_loss(pairwise_similarity(image, text, model.log_scale))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        after(model)
        log(step, loss=loss.item(), scale=model.log_scale.exp().item())


def never_clamped(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because the loss falls faster; the paper clips to keep the training stable."""
    _without_clamp(model, optimizer, scheduler, batch_at, steps, log)


def logarithm_clamped_at_100(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because the paper says 100; that is of the scale, and e¹⁰⁰ is no limit at all."""
    _without_clamp(model, optimizer, scheduler, batch_at, steps, log, lambda m: m.log_scale.data.clamp_(max=100))


def clamped_before_the_step(model, optimizer, scheduler, batch_at, steps, log):
    """Tempting because the loss then never sees more than 100; what is saved and used afterwards does."""
    highest = math.log(100)
    _without_clamp(
        model, optimizer, scheduler, batch_at, steps, log, before=lambda m: m.log_scale.data.clamp_(max=highest)
    )


def _optimizer(model, config, spared, rate=lambda step: 1.0):
    decayed = [p for name, p in model.named_parameters() if not spared(name, p)]
    others = [p for name, p in model.named_parameters() if spared(name, p)]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-6)
    return optimizer, LambdaLR(optimizer, rate)


def decay_on_everything(model, config):
    """Tempting because ``model.parameters()`` is one word; decay pulls gains to 0, and log_scale to a scale of 1."""
    return _optimizer(model, config, lambda name, parameter: False)


def decay_on_the_scale(model, config):
    """Tempting because a scale is neither gain nor bias; its logarithm is then pulled to 0."""
    return _optimizer(model, config, lambda name, parameter: parameter.ndim == 1)


def decay_by_name(model, config):
    """Tempting because biases are called so; gains of layer norm are called "weight"."""
    return _optimizer(model, config, lambda name, parameter: "bias" in name or "scale" in name)


def no_decay(model, config):
    """Tempting because AdamW has its own default; in two groups, the one that matters must get it."""
    return _optimizer(model, config, lambda name, parameter: True)


def scale_left_out(model, config):
    """Tempting because one splits by ``ndim == 1`` and ``ndim > 1``; a scalar has none, and never learns."""
    optimizer, scheduler = right.build_optimizer(model, config)
    for group in optimizer.param_groups:
        group["params"] = [parameter for parameter in group["params"] if parameter.ndim]
    return optimizer, scheduler


def adam_with_l2(model, config):
    """Tempting because ``Adam`` has a ``weight_decay``, too; it is divided by the size of the gradients."""
    optimizer, scheduler = right.build_optimizer(model, config)
    groups = [{name: group[name] for name in ("params", "weight_decay")} for group in optimizer.param_groups]
    return torch.optim.Adam(groups, lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-6), scheduler


def warmup_from_zero(model, config):
    """Tempting because step 0 is 0 of the warmup; the first batch is then wasted."""
    return _optimizer(
        model, config, lambda name, p: p.ndim <= 1,
        lambda step: min(1, step / config.warmup) * (1 + math.cos(math.pi * step / config.steps)) / 2,
    )  # fmt: skip


def no_decay_of_the_rate(model, config):
    """Tempting because Adam adapts; without the end of the cosine the last steps still jump."""
    return _optimizer(model, config, lambda name, p: p.ndim <= 1, lambda step: min(1, (step + 1) / config.warmup))


def _clipping(model, config, clip):
    optimizer, scheduler = right.build_optimizer(model, replace(config, clip=None))
    if config.clip is not None:
        clip(optimizer, model.parameters, config.clip)
    return optimizer, scheduler


def each_tensor_by_itself(model, config):
    """Tempting because it is a loop over parameters; the direction of the whole gradient is then another."""

    def clip(optimizer, parameters, limit):
        def scale(*_):
            for parameter in parameters():
                clip_grad_norm_([parameter], limit)

        optimizer.register_step_pre_hook(scale)

    return _clipping(model, config, clip)


def each_number_by_itself(model, config):
    """Tempting because ``clip_grad_value_`` stands beside ``clip_grad_norm_``; large entries become equal."""

    def clip(optimizer, parameters, limit):
        def cut(*_):
            clip_grad_value_(parameters(), limit)

        optimizer.register_step_pre_hook(cut)

    return _clipping(model, config, clip)


def clipped_after_the_step(model, config):
    """Tempting because the gradient is then small in the log; the step has used the large one."""

    def clip(optimizer, parameters, limit):
        def scale(*_):
            clip_grad_norm_(parameters(), limit)

        optimizer.register_step_post_hook(scale)

    return _clipping(model, config, clip)


def always_of_that_length(model, config):
    """Tempting because it is one division; small gradients at the end of the training then grow."""

    def clip(optimizer, parameters, limit):
        def scale(*_):
            length = math.hypot(*(parameter.grad.norm() for parameter in parameters()))
            for parameter in parameters():
                parameter.grad *= limit / length

        optimizer.register_step_pre_hook(scale)

    return _clipping(model, config, clip)


LOOPS = (
    rate_of_the_next_step, without_scheduler, gradients_added_up, never_clamped, logarithm_clamped_at_100,
    clamped_before_the_step,
)  # fmt: skip
GROUPS = (decay_on_everything, decay_on_the_scale, decay_by_name, no_decay, scale_left_out)
OPTIMIZERS = (decay_on_everything, no_decay, adam_with_l2)
RATES = (warmup_from_zero, no_decay_of_the_rate)
CLIPPINGS = (each_tensor_by_itself, each_number_by_itself, clipped_after_the_step, always_of_that_length)
