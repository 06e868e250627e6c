r"""Training (Antol et al. 2015, section 5.2): cross-entropy over the most frequent answers.

What differs: AdamW with a short rise and a cosine's fall of the learning rate, where the authors' code uses RMSprop
with an exponential fall; and one picture is asked several questions in a batch: the convolutions are paid once.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vqa.model import VQA, ImageStream, QuestionStream

Batch = tuple[Float[Tensor, "m 3 h w"], Int[Tensor, "n t"], Int[Tensor, " n"]]


@dataclass(frozen=True)
class Config:
    """Everything that a training run depends on, but its data."""

    steps: int = 1300  # batches
    pictures: int = 64  # in a batch
    questions: int = 8  # about each picture of a batch
    lessons: int = 1000  # batches on seeing things, before all others; then what sees is frozen (toy data)
    lesson_pictures: int = 16  # in such a batch
    image_size: int = 64  # pixels, height and width
    fold: int = 2  # squares of that many pixels become channels before the first convolution
    ground: float = 0.93  # the pixel value that counts as nothing, 0 to 1
    form: tuple[int, ...] = (32, 64, 96)  # channels of the 3×3 convolutions that see shapes
    colour: int = 32  # channels of the 1×1 convolution that sees colours
    attributes: tuple[int, ...] = (8, 6, 2)  # names of each attribute of a thing: colours, shapes, sizes
    top: int = 256  # channels of the 1×1 convolution on top
    embedding: int = 64  # of a word
    hidden: int = 64  # of each of the two LSTM layers
    common: int = 1024  # the space in which the streams meet
    dropout: float = 0.0  # after the fusion
    fusion: str = "product"  # product, sum or concat
    streams: str = "both"  # both, question or image
    answers: int = 1000  # at most so many answers, the most frequent ones (real data)
    learning_rate: float = 8e-3  # the highest one
    lesson_learning_rate: float = 1e-2  # the highest one in the lessons
    weight_decay: float = 0.03  # a batch takes that share of the weights away, times the learning rate
    warmup: int = 50  # batches until the highest learning rate, in the lessons too
    seed: int = 0  # of weights and data

    def check(self) -> None:
        """Raises ValueError, and names the field, if a number is out of range or the grid would be too coarse."""
        least = {"lessons": 0, "warmup": 0, "dropout": 0, "weight_decay": 0, "seed": 0, "ground": 0}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if isinstance(value, tuple) and (not value or min(value) < 1):
                raise ValueError(f"{name} must be one or more numbers from 1 on, got {value}")
            if isinstance(value, int) and value < least.get(name, 1):
                raise ValueError(f"{name} must be at least {least.get(name, 1)}, got {value}")
            if isinstance(value, float) and not (value >= 0 if name in least else value > 0):
                raise ValueError(f"{name} must be {'at least' if name in least else 'above'} 0, got {value}")
        cell = self.fold * 2 ** (len(self.form) - 1)  # pixels, the side of a place of the grid
        if self.image_size % cell or self.image_size < 2 * cell:
            raise ValueError(f"image_size must be a multiple of {cell} from {2 * cell} on, got {self.image_size}")


CONFIGS = {
    "toy": Config(),
    "easy-vqa": Config(steps=1000, lessons=0, questions=8, learning_rate=2e-3),
    "vqa-v2": Config(
        steps=20_000, lessons=0, questions=3, image_size=128, ground=0.45, dropout=0.5, learning_rate=1e-3
    ),
    "paper": Config(
        steps=150_000,
        lessons=0,
        pictures=500,
        questions=1,
        image_size=224,
        ground=0.45,
        form=(64, 128, 256, 512, 512),
        colour=64,
        attributes=(64, 64, 64),
        top=1024,
        fold=1,
        embedding=200,
        hidden=512,
        common=1024,
        dropout=0.5,
        learning_rate=3e-4,
    ),
}


def build(config: Config, words: int, answers: int) -> VQA:
    """The model of a configuration, for so many words (the padding included) and answers."""
    return VQA(
        QuestionStream(words, config.embedding, config.hidden),
        ImageStream(config.form, config.colour, config.attributes, config.top, config.fold, config.ground),
        answers,
        config.common,
        config.dropout,
        config.fusion,
        config.streams,
    )


def build_optimizer(model: nn.Module, config: Config) -> torch.optim.Optimizer:
    """AdamW (Loshchilov & Hutter 2019); the second beta is below the usual 0.999, because runs are short."""
    return torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )


def learning_rate(highest: float, warmup: int, steps: int, step: int) -> float:
    """A linear rise over ``warmup`` steps under half a cosine that ends at zero."""
    return highest * min(1.0, (step + 1) / max(1, warmup)) * 0.5 * (1 + math.cos(math.pi * step / steps))


def answer_loss(
    model: nn.Module, images: Float[Tensor, "m 3 h w"], questions: Int[Tensor, "n t"], answers: Int[Tensor, " n"]
) -> Float[Tensor, ""]:
    r"""The mean of :math:`-\ln p(\text{answer})` over a batch, in nats."""
    return cross_entropy(model(images, questions), answers)


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batch_at: Callable[[int], tuple[Tensor, ...]],
    steps: Iterable[int],
    log: Callable[..., None],
    rate_at: Callable[[int], float],
    loss_of: Callable[..., Float[Tensor, ""]] = answer_loss,
) -> None:
    """The loop. ``steps`` may be any range of whole numbers; ``log(step, loss=…)`` takes the loss in nats.

    ``loss_of(model, *batch_at(step))`` is what goes down: that of the answers, or that of the lessons before them.
    """
    for step in steps:
        loss = loss_of(model, *batch_at(step))  # the same step, the same batch, in every run
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        log(step, loss=loss.item())
