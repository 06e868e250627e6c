"""Trains the sentence encoder beside a picture encoder."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import torch
from annotated_types import Ge, Gt
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cgan.data import random_at
from cgan.datasets.toy import Captioned, truth
from cgan.extensions.anywhere import PooledEncoder
from cgan.text_encoder import PictureEncoder, SentenceEncoder, joint_embedding_loss


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that the encoders' training depends on, except its data."""

    steps: Annotated[int, Ge(1)] = 800  # batches
    batch: Annotated[int, Ge(2)] = 64  # pictures in a batch, each with one sentence
    size: Annotated[int, Ge(1)] = 64  # numbers in φ
    channels: Annotated[int, Ge(1)] = 16  # of the picture encoder's first convolution
    pooled: bool = False  # whether the picture encoder takes the maximum over the places
    learning_rate: Annotated[float, Gt(0)] = 3e-3  # the highest one
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


class EncoderBatch(NamedTuple):
    """n pictures, a sentence of each, and which sentence is true of which picture."""

    images: Float[Tensor, "n 3 32 32"]
    ids: Int[Tensor, "n t"]
    true: Bool[Tensor, "n n"]


class Encoders(nn.Module):
    """Both encoders, so that they are saved together."""

    def __init__(self, words: int, config: EncoderConfig) -> None:
        super().__init__()
        self.sentence = SentenceEncoder(words, config.size)
        self.picture = (PooledEncoder if config.pooled else PictureEncoder)(config.channels, config.size)


def build_encoder_optimizer(encoders: Encoders, config: EncoderConfig) -> tuple[Optimizer, LRScheduler]:
    """Adam; its learning rate rises and falls once."""
    optimizer = torch.optim.Adam(encoders.parameters(), lr=config.learning_rate, fused=True)
    return optimizer, OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)


def encoder_batches(examples: Captioned, ids: Int[Tensor, "s t"], seed: int, n: int) -> Callable[[int], EncoderBatch]:
    """``batch_at``: n pictures, drawn with replacement, each with one of its right sentences."""

    def batch_at(step: int) -> EncoderBatch:
        random = random_at("train", seed, step)
        chosen = torch.randint(len(examples.images), (n,), generator=random)
        rows = examples.right[chosen, torch.randint(examples.right.shape[1], (n,), generator=random)]
        true = truth([examples.scenes[k] for k in chosen.tolist()], [examples.facts[k] for k in rows.tolist()])
        return EncoderBatch(examples.images[chosen], ids[rows], true)

    return batch_at


def train_encoders(
    encoders: Encoders,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop: pictures and sentences of a batch, each with each."""
    for step in steps:
        images, ids, true = batch_at(step)
        scores = encoders.picture(images) @ encoders.sentence(ids).T  # (n, n)
        loss = joint_embedding_loss(scores, true)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())


def sentence_vectors(encoder: SentenceEncoder, ids: Int[Tensor, "s t"], chunk: int = 500) -> Float[Tensor, "s d"]:
    """φ(t) of each sentence, without gradients, on the CPU."""
    device = next(encoder.parameters()).device
    with torch.no_grad():
        return torch.cat([encoder(part.to(device)) for part in ids.split(chunk)]).cpu()
