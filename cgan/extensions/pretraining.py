"""Trains the sentence encoder beside a picture encoder."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Literal, NamedTuple

import torch
from annotated_types import Ge, Gt
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cgan.data import random_at
from cgan.datasets.toy import Captioned, truth
from cgan.extensions.anywhere import PooledEncoder
from cgan.extensions.two import RegionEncoder, sentence_size
from cgan.text_encoder import PictureEncoder, SentenceEncoder, joint_embedding_loss

PICTURE_ENCODERS = MappingProxyType({"flat": PictureEncoder, "pooled": PooledEncoder, "regions": RegionEncoder})


@dataclass(frozen=True)
class EncoderConfig:
    """Everything that the encoders' training depends on, except its data."""

    steps: Annotated[int, Ge(1)] = 800  # batches
    batch: Annotated[int, Ge(2)] = 64  # pictures in a batch, each with one sentence
    size: Annotated[int, Ge(1)] = 64  # numbers in φ; of regions, in each part of φ(t)
    channels: Annotated[int, Ge(1)] = 16  # of the picture encoder's first convolution
    picture: Literal["flat", "pooled", "regions"] = "flat"  # how φ(v) sums up its places
    false_sentences: Annotated[float, Ge(0)] = 0.0  # weight of a hinge on each picture's own false sentence
    learning_rate: Annotated[float, Gt(0)] = 3e-3  # the highest one
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


class EncoderBatch(NamedTuple):
    """n pictures, a sentence of each, and which is true of which picture; for each picture also a false sentence."""

    images: Float[Tensor, "n 3 32 32"]
    ids: Int[Tensor, "n t"]
    true: Bool[Tensor, "n n"]
    false_ids: Int[Tensor, "n t"]


class Encoders(nn.Module):
    """Both encoders, so that they are saved together."""

    def __init__(self, words: int, config: EncoderConfig) -> None:
        super().__init__()
        regions = config.picture == "regions"
        self.sentence = SentenceEncoder(words, sentence_size(config.size) if regions else config.size)
        self.picture = PICTURE_ENCODERS[config.picture](config.channels, config.size)

    def score(self, seen: Float[Tensor, "n ..."], vectors: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
        """φ(v) · φ(t) of each picture with its sentence; of regions, what they define."""
        if isinstance(self.picture, RegionEncoder):
            return self.picture.score(seen, vectors)
        return (seen * vectors).sum(dim=1)

    def scores(self, seen: Float[Tensor, "n ..."], vectors: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
        """The same for each picture with each sentence."""
        return self.picture.scores(seen, vectors) if isinstance(self.picture, RegionEncoder) else seen @ vectors.T


def build_encoder_optimizer(encoders: Encoders, config: EncoderConfig) -> tuple[Optimizer, LRScheduler]:
    """Adam; its learning rate rises and falls once."""
    optimizer = torch.optim.Adam(encoders.parameters(), lr=config.learning_rate, fused=True)
    return optimizer, OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)


def encoder_batches(examples: Captioned, ids: Int[Tensor, "s t"], seed: int, n: int) -> Callable[[int], EncoderBatch]:
    """``batch_at``: n pictures, drawn with replacement, each with one of its right and one of its wrong sentences."""

    def batch_at(step: int) -> EncoderBatch:
        random = random_at("train", seed, step)
        chosen = torch.randint(len(examples.images), (n,), generator=random)
        one = torch.randint(examples.right.shape[1], (n,), generator=random)  # of each picture's sentences
        rows, wrong = examples.right[chosen, one], examples.wrong[chosen, one]
        true = truth([examples.scenes[k] for k in chosen.tolist()], [examples.facts[k] for k in rows.tolist()])
        return EncoderBatch(examples.images[chosen], ids[rows], true, ids[wrong])

    return batch_at


def train_encoders(
    encoders: Encoders,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    false_sentences: float = 0.0,
) -> None:
    """The loop: pictures and sentences of a batch, each with each.

    Args:
        false_sentences: weight of max(0, 1 + s(v, t') − s(v, t)); t' is the picture's own false sentence, s the score.
            The sentences of other pictures are soon too easy to tell from t.
    """
    for step in steps:
        images, ids, true, false_ids = batch_at(step)
        seen = encoders.picture(images)
        vectors = encoders.sentence(torch.cat([ids, false_ids]) if false_sentences else ids)
        right, wrong = vectors[: len(ids)], vectors[len(ids) :]
        loss = joint_embedding_loss(encoders.scores(seen, right), true)
        if false_sentences:
            hinges = (1 + encoders.score(seen, wrong) - encoders.score(seen, right)).relu()
            loss = loss + false_sentences * hinges.mean()
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
