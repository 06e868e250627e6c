"""A network that reads colour, shape and size of the one object in a picture of the toy world. It judges the fakes.

It is trained on real pictures only, on other scenes than the players. Its architecture is not that of the
discriminator: 3×3 convolutions with batch normalisation and max-pooling. It sees all pairs of colour and shape, also
those that the players' training never shows.
"""

from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from cgan.data import random_at
from cgan.datasets.toy import ATTRIBUTES, SIDE, attributes, pictures, toy_scene

FEATURES = 64
SCENES = 12_000  # that the judge learns from; a quarter of them have pairs that the players' training never shows
SEED = 1000  # of its scenes; the players' are those of small seeds


class ToyJudge(nn.Module):
    """Three convolutions, one hidden layer, and one linear layer for all attributes."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, channels), (channels, 2 * channels), (2 * channels, 4 * channels)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(4 * channels * (SIDE // 8) ** 2, FEATURES), nn.ReLU()
        )
        self.output = nn.Linear(FEATURES, sum(map(len, ATTRIBUTES.values())))

    def forward(self, images: Float[Tensor, "n 3 32 32"]) -> tuple[tuple[Tensor, ...], Float[Tensor, "n d"]]:
        """Logits of the colours, of the shapes and of the sizes; features."""
        features = self.features(images)
        return self.output(features).split([len(names) for names in ATTRIBUTES.values()], dim=1), features


def judge_scenes(kind: str, seed: int, count: int) -> tuple[Float[Tensor, "m 3 32 32"], Int[Tensor, "m 3"]]:
    """Pictures with the attributes of their object; every fourth has a pair that the players never see."""
    splits = ("compositional", "train", "train", "train")
    scenes = [toy_scene(kind, splits[index % 4], seed, index) for index in range(count)]
    return pictures(scenes), attributes(scenes)


def toy_judge_batches(
    images: Float[Tensor, "m 3 32 32"], wanted: Int[Tensor, "m 3"], seed: int, n: int
) -> Callable[[int], tuple[Tensor, Tensor]]:
    """``batch_at``: n pictures, drawn with replacement, and the attributes of their objects."""

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(images), (n,), generator=random_at("train", seed, step))
        return images[chosen], wanted[chosen]

    return batch_at


def train_toy_judge(
    judge: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop of a classifier with three answers."""
    for step in steps:
        images, wanted = batch_at(step)
        logits, _ = judge(images)
        loss = sum(cross_entropy(one, answer) for one, answer in zip(logits, wanted.T, strict=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())


def read_pictures(
    judge: nn.Module, images: Float[Tensor, "n 3 32 32"], chunk: int = 500
) -> tuple[Int[Tensor, "n 3"], Float[Tensor, "n d"]]:
    """The attributes of each picture's object, and features, in evaluation mode, in chunks, on the CPU."""
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
