r"""A classifier, which judges the players' pictures. It is trained on pictures that the players never see.

A small convolutional network with one or more answers: the digit, or the object's colour, shape and size. Its features
are the last hidden layer; obedience, diversity and FID are measured with it. Its architecture is not that of a
discriminator: 3×3 convolutions with batch normalisation and max-pooling.

There are few digits to train on. So they are turned, sheared, resized and moved a little at random.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, grid_sample
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler, OneCycleLR

from cgan.data import random_at

FEATURES = 64
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
    """Three convolutions, one hidden layer, and one linear layer for all answers.

    Args:
        planes, side: of the pictures, such as 3 colours and 32 pixels.
        channels: of the first convolution; twice and four times as many follow.
        answers: how many values each answer has.
    """

    def __init__(self, planes: int, side: int, channels: int, answers: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((planes, channels), (channels, 2 * channels), (2 * channels, 4 * channels)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            if side % 2 == 0:  # 28 pixels become 14 and 7, 32 become 16, 8 and 4
                layers, side = [*layers, nn.MaxPool2d(2)], side // 2
        self.features = nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * channels * side**2, FEATURES), nn.ReLU())
        self.output = nn.Linear(FEATURES, sum(answers))
        self.answers = tuple(answers)

    def forward(self, images: Float[Tensor, "n c h w"]) -> tuple[tuple[Tensor, ...], Float[Tensor, "n d"]]:
        """Logits of each answer; features."""
        features = self.features(images)
        return self.output(features).split(self.answers, dim=1), features


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
        images, wanted = batch_at(step)
        logits, _ = judge(images)
        loss = sum(cross_entropy(one, answer) for one, answer in zip(logits, wanted.T, strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())


def judge_batches(
    images: Float[Tensor, "m c h w"],
    wanted: Int[Tensor, "m a"],
    config: JudgeConfig,
    change: Callable[[Tensor, torch.Generator], Tensor] = lambda pictures, random: pictures,
) -> Callable[[int], tuple[Tensor, Tensor]]:
    """``batch_at``: pictures at random, drawn with replacement, each changed at random; and the right answers."""

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (config.batch,), generator=random_at("train", config.seed, step))
        return change(images[chosen], random_at("validation", config.seed, step)), wanted[chosen]

    return batch_at


def read_pictures(
    judge: nn.Module, images: Float[Tensor, "n c h w"], chunk: int = 500
) -> tuple[Int[Tensor, "n a"], Float[Tensor, "n d"]]:
    """The judge's answers for each picture, and features, in evaluation mode, in chunks, on the CPU."""
    device, was_training, rows = next(judge.parameters()).device, judge.training, []
    judge.eval()
    try:
        with torch.no_grad():
            for part in images.split(chunk):
                logits, features = judge(part.to(device))
                rows.append((torch.stack([one.argmax(dim=1) for one in logits], dim=1).cpu(), features.cpu()))
    finally:
        judge.train(was_training)
    return torch.cat([read for read, _ in rows]), torch.cat([features for _, features in rows])


def accuracy(judge: nn.Module, images: Float[Tensor, "n c h w"], wanted: Int[Tensor, "n a"]) -> float:
    """The share of pictures of which all answers are right."""
    return (read_pictures(judge, images)[0] == wanted).all(dim=1).double().mean().item()
