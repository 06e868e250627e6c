r"""Training (Xu et al. 2015, sections 4.2.1 and 4.3): the loss of equation 14, L_d.

What differs from the paper: AdamW, with linear warmup and cosine decay of the learning rate; the paper uses RMSprop for
Flickr8k and Adam for the others. The paper's L_d is of one image. Here the sum over a batch is divided by its number of
words, so that the loss is in nats per word. λ keeps its meaning: it weighs the penalty against all words of a caption.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Len, Lt
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from show_attend_tell.encoders import SmallCNN
from show_attend_tell.loss import PAD, caption_loss, doubly_stochastic
from show_attend_tell.model import Captioner

Positive = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, except its data."""

    steps: Positive = 800  # batches
    images: Positive = 32  # in a batch
    captions: Positive = 2  # of each image of a batch
    encoder: Literal["grid", "cnn"] = "grid"  # grid reads features of a frozen network, cnn reads pixels and learns
    image_size: Annotated[int, Ge(16)] = 64  # pixels, height and width
    background: Annotated[float, Ge(0), Le(1)] = 0.93  # brightness of an empty pixel, 0 to 1; the cnn subtracts it
    channels: Annotated[tuple[Positive, ...], Len(1)] = (16, 32, 64)  # of the cnn's convolutions
    attention: Literal["soft", "none"] = "soft"  # none is "Show and Tell"
    embedding: Positive = 32  # dimensions of a word's vector
    hidden: Positive = 64  # dimensions of the LSTM's states
    attention_hidden: Positive = 32  # hidden units of the attention network
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0  # before the last layer
    penalty_weight: Annotated[float, Ge(0)] = 0.0  # λ of equation 14; 1 in the authors' script for COCO
    learning_rate: Annotated[float, Gt(0)] = 1e-2  # at the end of the warmup
    weight_decay: Annotated[float, Ge(0)] = 0.1  # a step shrinks the weights by this times the learning rate
    warmup: Positive = 40  # batches until the highest learning rate
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


CONFIGS = MappingProxyType({"toy": Config()})


def build(config: Config, vocabulary_size: int, annotation: int) -> Captioner:
    """The model of a configuration, for ``vocabulary_size`` token ids, with the special ones.

    Args:
        annotation: the length of the annotations that a frozen network gives; the ``cnn`` has its own.
    """
    encoder = SmallCNN(config.channels, config.background) if config.encoder == "cnn" else None
    length = annotation if encoder is None else encoder.annotation
    attention = None if config.attention == "none" else config.attention_hidden
    return Captioner(vocabulary_size, length, config.embedding, config.hidden, attention, config.dropout, encoder)


def build_optimizer(model: nn.Module, config: Config) -> tuple[Optimizer, LRScheduler]:
    """AdamW (Loshchilov & Hutter 2019), and its learning rate: linear warmup times cosine decay to zero.

    The second beta is 0.98 and not the usual 0.999, because the runs are short.
    """
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    return optimizer, LambdaLR(
        optimizer,
        lambda step: min(1, (step + 1) / config.warmup) * (1 + math.cos(math.pi * step / config.steps)) / 2,
    )


def train(
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    penalty_weight: float = 0.0,
) -> None:
    """The loop. ``steps`` is any iterable of step numbers; ``log(step, loss=…)`` takes the loss in nats per word."""
    for step in steps:
        annotations, captions = batch_at(step)  # the same step gives the same batch in every run
        logits, weights = model(annotations, captions)  # (n, *several, t-1, words) and (n, *several, t-1, L)
        targets = captions[..., 1:]  # each word is predicted from those before it
        lengths = (targets != PAD).sum(dim=-1)
        penalty = doubly_stochastic(weights, lengths).sum() / lengths.sum()
        loss = caption_loss(logits, targets) + penalty_weight * penalty  # equation 14, per word
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())
