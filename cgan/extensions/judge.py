r"""A classifier of digits, which judges the players' pictures. It is trained on digits that the players never see.

A small convolutional network. Its training pictures are turned, sheared, resized and moved a little at random, because
there are few of them. Its features are the last hidden layer; obedience, diversity and FID are measured with it.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cgan.data import picture_batches, random_at

LABELS, FEATURES = 10, 64
DEGREES, SHEAR, RESIZE, MOVE = 12, 0.25, 0.12, 0.1  # at most; the last two are shares of the picture


@dataclass(frozen=True)
class JudgeConfig:
    """Everything that the judge's training depends on, except its data."""

    steps: Annotated[int, Ge(1)] = 800  # batches
    batch: Annotated[int, Ge(2)] = 64  # pictures in a batch
    channels: Annotated[int, Ge(1)] = 16  # of the first convolution; twice and four times as many follow
    learning_rate: Annotated[float, Gt(0)] = 3e-3  # the highest one
    seed: Annotated[int, Ge(0)] = 0  # of weights and data


class JudgeNetwork(nn.Module):
    """Three convolutions and two linear layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((1, channels), (channels, 2 * channels), (2 * channels, 4 * channels)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        del layers[-1]  # 7×7 places stay
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * channels * 49, FEATURES), nn.ReLU())
        self.output = nn.Linear(FEATURES, LABELS)

    def forward(self, pictures: Float[Tensor, "n 1 28 28"]) -> tuple[Float[Tensor, "n 10"], Float[Tensor, "n d"]]:
        """Logits and features."""
        features = self.features(pictures)
        return self.output(features), features


def jitter(pictures: Float[Tensor, "n 1 h w"], random: torch.Generator) -> Float[Tensor, "n 1 h w"]:
    """Each picture turned, sheared, resized and moved at random; what comes in from outside is background, −1."""
    n = len(pictures)
    turn, shear, size, right, down = 2 * torch.rand(5, n, generator=random) - 1  # each from -1 to 1
    angle, size = turn * (DEGREES * math.pi / 180), 1 + RESIZE * size
    rows = (
        torch.stack([angle.cos() * size, SHEAR * shear - angle.sin() * size, MOVE * right], dim=1),
        torch.stack([angle.sin() * size, angle.cos() * size, MOVE * down], dim=1),
    )
    grid = affine_grid(torch.stack(rows, dim=1), list(pictures.shape), align_corners=False)
    return grid_sample(pictures + 1, grid, align_corners=False) - 1


def build_judge_optimizer(judge: nn.Module, config: JudgeConfig) -> tuple[Optimizer, LRScheduler]:
    """AdamW; its learning rate rises and falls once."""
    optimizer = torch.optim.AdamW(judge.parameters(), lr=config.learning_rate, weight_decay=0.05)
    return optimizer, OneCycleLR(optimizer, config.learning_rate, total_steps=config.steps)


def train_judge(
    judge: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop of a classifier."""
    for step in steps:
        pictures, labels = batch_at(step)
        loss = cross_entropy(judge(pictures)[0], labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())


def judge_batches(
    images: Float[Tensor, "m 1 28 28"], labels: Int[Tensor, " m"], config: JudgeConfig
) -> Callable[[int], tuple[Tensor, Tensor]]:
    """``batch_at``: pictures at random, each changed at random, and their labels."""
    plain_at = picture_batches(images, labels, "train", config.seed, config.batch, 1)

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        batch = plain_at(step)
        return jitter(batch.samples, random_at("validation", config.seed, step)), batch.labels

    return batch_at


def judged(judge: nn.Module, pictures: Float[Tensor, "n 1 28 28"], chunk: int = 500) -> tuple[Tensor, Tensor]:
    """Logits and features in evaluation mode, in chunks, on the CPU."""
    device, was_training = next(judge.parameters()).device, judge.training
    judge.eval()
    try:
        with torch.no_grad():
            parts = [judge(part.to(device)) for part in pictures.split(chunk)]
    finally:
        judge.train(was_training)
    return torch.cat([logits for logits, _ in parts]).cpu(), torch.cat([features for _, features in parts]).cpu()


def accuracy(judge: nn.Module, pictures: Float[Tensor, "n 1 28 28"], labels: Int[Tensor, " n"]) -> float:
    """The share of pictures that get their own label."""
    return (judged(judge, pictures)[0].argmax(dim=1) == labels).double().mean().item()
