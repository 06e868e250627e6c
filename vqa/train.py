r"""Training (Antol et al. 2015, section 5.2): cross-entropy over the most frequent answers.

What differs from the paper: AdamW, with linear warmup and cosine decay of the learning rate; the authors' code uses
RMSprop with exponential decay. Several questions of a batch are about one image, so that its features are computed
once. The authors' code clamps gradients and has dropout in several places; here dropout follows the fusion only.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Len, Lt
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from vqa.encoders import GridEncoder, SmallCNN
from vqa.model import VQA, QuestionEncoder

Positive = Annotated[int, Ge(1)]


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, except its data."""

    steps: Positive = 4800  # batches
    images: Positive = 64  # in a batch
    questions: Positive = 8  # about each image of a batch
    encoder: Literal["grid", "cnn"] = "grid"  # grid reads the frozen detector's grid (toy data), cnn reads pixels
    image_size: Annotated[int, Ge(16)] = 64  # pixels, height and width
    background: Annotated[float, Ge(0), Le(1)] = 0.93  # brightness of an empty pixel, 0 to 1; the cnn subtracts it
    channels: Annotated[tuple[Positive, ...], Len(1)] = (256,)  # of the image encoder: one number for grid
    embedding: Positive = 64  # dimensions of a word's vector
    hidden: Positive = 64  # dimensions of each of the two LSTM layers
    common: Positive = 1024  # dimensions of the space in which question and image meet
    dropout: Annotated[float, Ge(0), Lt(1)] = 0.0  # after the fusion
    fusion: Literal["product", "sum", "concat"] = "product"  # how the two sides meet
    inputs: Literal["both", "question", "image"] = "both"  # what the model looks at
    answers: Positive = 1000  # size of the answer vocabulary: the most frequent ones (real data)
    learning_rate: Annotated[float, Gt(0)] = 8e-3  # at the end of the warmup
    weight_decay: Annotated[float, Ge(0)] = 0.1  # a step shrinks the weights by this times the learning rate
    warmup: Positive = 50  # batches until the highest learning rate
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


PHOTOS = Config(encoder="cnn", background=0.45, dropout=0.5, learning_rate=4e-4, weight_decay=0.03)
CONFIGS = MappingProxyType(
    {
        "toy": Config(),
        "easy-vqa": Config(steps=1200, encoder="cnn", channels=(8, 16, 32), learning_rate=5e-3),
        "vqa-v2": replace(PHOTOS, steps=20_000, questions=3, image_size=128, channels=(32, 64, 128, 256)),
        "paper": replace(
            PHOTOS,
            steps=150_000,
            images=500,
            questions=1,
            image_size=224,
            channels=(64, 128, 256, 512),
            embedding=200,
            hidden=512,
        ),
    }
)


def build(config: Config, words: int, answers: int) -> VQA:
    """The model of a configuration, for ``words`` token ids (the padding included) and ``answers`` answers."""
    read_questions = QuestionEncoder(words, config.embedding, config.hidden)
    if config.encoder == "grid":
        read_images = GridEncoder(config.channels[-1])
    else:
        read_images = SmallCNN(config.channels, config.background)
    return VQA(read_questions, read_images, answers, config.common, config.dropout, config.fusion, config.inputs)


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
) -> None:
    """The loop. ``steps`` is any iterable of step numbers; ``log(step, loss=…)`` takes the loss in nats."""
    for step in steps:
        images, questions, image_of, answers = batch_at(step)  # the same step gives the same batch in every run
        logits = model(images, questions, image_of)  # (n, answers)
        loss = cross_entropy(logits, answers)  # -ln p(answer), the mean over n questions
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())
