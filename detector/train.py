"""Training of the detector (Zhou et al. 2019, section 5): Adam, on scenes of the toy world's training split.

What differs, because the run is short: the learning rate has linear warmup and cosine decay; the paper divides it by
ten, twice. Adam's second beta is 0.98 and not 0.999.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

import torch
from annotated_types import Ge, Gt, MultipleOf
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from detector.loss import detection_loss
from detector.model import CELL, Detector


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, except its data."""

    steps: Annotated[int, Ge(1)] = 800  # batches
    images: Annotated[int, Ge(1)] = 16  # in a batch
    image_size: Annotated[int, Ge(8), MultipleOf(CELL)] = 64  # pixels, height and width
    learning_rate: Annotated[float, Gt(0)] = 1e-2  # at the end of the warmup
    warmup: Annotated[int, Ge(1)] = 50  # batches until the highest learning rate
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


CONFIGS = MappingProxyType({"toy": Config()})


def build_optimizer(model: Detector, config: Config) -> tuple[Optimizer, LRScheduler]:
    """Adam, and its learning rate: linear warmup times cosine decay to zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98))
    return optimizer, LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / config.warmup) * (1 + math.cos(math.pi * step / config.steps)) / 2,
    )


def train(
    model: Detector,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop. ``batch_at(step)`` gives a ``detector.data.Batch``; ``log(step, loss=…)`` takes the loss."""
    for step in steps:
        images, image_of, centres, radii, labels = batch_at(step)  # the same step gives the same batch in every run
        logits = model(images)  # (m, channels, rows, columns)
        loss = detection_loss(logits, image_of, centres, radii, labels, model.attributes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())
