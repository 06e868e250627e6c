r"""Training (Radford et al. 2021, section 2.5): AdamW, with linear warmup and cosine decay of the learning rate.

As in the paper, weight decay spares gains and biases, and the scale of the logits is kept at most 100.

What differs from the paper: the batch has hundreds of pairs, not 32,768. Warmup takes 100 steps, not 2,000. Weight
decay is 0.7 in the toy run, not 0.2. The CNN, too, has the betas and epsilon of the paper's Vision Transformers. A
gradient longer than 1 is scaled to this length: at such a high learning rate, recall falls back without it.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Len
from torch import nn
from torch.nn.utils import clip_grad_norm_
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from clip_mini.image_encoders import ResidualCNN, VisionTransformer
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP, LARGEST_SCALE, TextEncoder

Positive = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, except its data."""

    steps: Positive = 850  # batches
    pairs: Annotated[int, Ge(2)] = 192  # in a batch: of one pair, the loss is always 0
    language: Literal["english", "korean", "both"] = "english"  # of the captions (toy and emoji)
    image_encoder: Literal["cnn", "vit", "features"] = "cnn"  # features: of a frozen network (emoji and folder)
    image_size: Annotated[int, Ge(16)] = 48  # pixels, height and width
    background: Annotated[float, Ge(0), Le(1)] = 0.93  # brightness of an empty pixel, 0 to 1; the cnn subtracts it
    channels: Annotated[tuple[Positive, ...], Len(1)] = (24, 64)  # of the cnn's stages; the others ignore it
    patch: Positive = 8  # pixels, height and width of the vit's patches
    width: Positive = 128  # of the vit; the others ignore it, as they do patch and layers
    layers: Positive = 4  # of the vit
    heads: Positive = 8  # of the image encoder's attention
    context: Annotated[int, Ge(3)] = 32  # token ids in a text at most, with start and end; longer texts are cut
    text_width: Positive = 64  # of the text encoder
    text_layers: Positive = 2  # of the text encoder
    text_heads: Positive = 4  # of the text encoder
    common: Positive = 128  # dimensions of the space in which image and text meet
    learning_rate: Annotated[float, Gt(0)] = 5e-3  # of AdamW; warmup and cosine decay make it smaller
    weight_decay: Annotated[float, Ge(0)] = 0.7  # a step shrinks the weights by this times the learning rate
    warmup: Positive = 100  # batches in which the factor of the warmup rises to 1
    clip: Annotated[float, Gt(0)] | None = 1.0  # the largest length of the gradient; None for no limit
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


FEATURES = Config(
    steps=300, pairs=512, image_encoder="features", text_width=128, common=256, learning_rate=3e-3, clip=None
)  # fmt: skip
CONFIGS = MappingProxyType(
    {
        "toy": Config(),
        "toy-vit": Config(steps=800, image_encoder="vit", width=96, layers=3, learning_rate=1e-3, weight_decay=0.2),
        "emoji": replace(
            FEATURES, steps=800, common=512, text_width=256, text_layers=1, learning_rate=2e-3, weight_decay=0.6
        ),
        "folder": replace(FEATURES, context=20, warmup=50, text_layers=1, weight_decay=0.5),
        "shards": Config(image_size=64, background=0.45, channels=(32, 64, 128, 256), learning_rate=1e-3),
    }
)


def build(config: Config, words: int, end: int, image_encoder: nn.Module | None = None) -> CLIP:
    """The model of a configuration, for ``words`` token ids, of which ``end`` ends a text.

    Args:
        image_encoder: takes the place of the configuration's own; ``"features"`` needs one.
    """
    if image_encoder is None and config.image_encoder == "cnn":
        image_encoder = ResidualCNN(config.image_size, config.channels, config.heads, config.background)
    elif image_encoder is None and config.image_encoder == "vit":
        image_encoder = VisionTransformer(
            config.image_size, config.patch, config.width, config.layers, config.heads, 4 * config.width, "gelu"
        )
    text_encoder = TextEncoder(
        words, config.context, end, config.text_width, config.text_layers, config.text_heads,
        4 * config.text_width, "gelu",
    )  # fmt: skip
    return CLIP(image_encoder, text_encoder, config.common)


def build_optimizer(model: nn.Module, config: Config) -> tuple[Optimizer, LRScheduler]:
    """AdamW without weight decay on gains and biases, and its learning rate: linear warmup times cosine decay to zero.

    Before each step, a gradient (of all weights together) that is longer than ``clip`` is scaled to this length.

    Betas and epsilon are those of the paper's Vision Transformers (table 18); its ResNets have 0.999 and 1e-8.
    """
    matrices = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    others = [
        parameter for parameter in model.parameters() if parameter.ndim <= 1
    ]  # gains, biases, log_scale, the class token
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), eps=1e-6)
    if config.clip is not None:

        def clip(*_) -> None:
            clip_grad_norm_(model.parameters(), config.clip)

        optimizer.register_step_pre_hook(clip)
    return optimizer, LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / config.warmup) * (1 + math.cos(math.pi * step / config.steps)) / 2,
    )


def train(
    model: CLIP,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop. ``log(step, loss=…, scale=…)`` takes the loss in nats, and the scale of the logits."""
    for step in steps:
        images, texts = batch_at(step)  # the same step gives the same batch in every run
        image, text = model(images, texts)  # (n, common) each, unit vectors
        loss = contrastive_loss(pairwise_similarity(image, text, model.log_scale))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        with torch.no_grad():
            model.log_scale.clamp_(max=LARGEST_SCALE)  # section 2.5: the logits are scaled by at most 100
        log(step, loss=loss.item(), scale=model.log_scale.exp().item())
