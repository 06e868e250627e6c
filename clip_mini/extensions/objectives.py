r"""The objectives of ``python -m clip_mini compare``: figure 3's contrastive loss, and its relatives.

An objective is a module, because some have parameters of their own: a learned scale, a bias, a classifier. They are
trained together with the two encoders, by one loop.

What differs from the papers: encoders, data and optimizer are the same for all, those of ``clip_mini``. Each objective
keeps its own scale, bias and margin as published. Salvador et al. train the image side and the recipe side in turns;
here both are trained at once. Their classes come from the words of recipe titles; ours come from the words of captions.

One number differs, because our encoders begin with random weights: there, half of the pairs of the recipe objective are
matched, not 20%. At first all cosines are nearly equal. As long as they are above the margin, matched pairs pull with
their share, mismatched ones push with theirs. With shares of 0.2 and 0.8, the push wins. All cosines fall to the margin
0.1 and stay there, at a loss of 0.2 (1 - 0.1) = 0.18. With equal shares both sides cancel, and only the differences
between pairs are left. The authors begin with pretrained networks, whose vectors already differ.

``hardest_negative_loss`` is not among the objectives for the same reason. With random weights it stays where all
cosines are equal, at a loss of twice the margin.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from clip_mini import train as core
from clip_mini.data import Batch
from clip_mini.extensions.relatives import (
    cosine_loss,
    devise_loss,
    ranking_loss,
    semantic_loss,
    sigmoid_loss,
)
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP, FIRST_SCALE, LARGEST_SCALE
from toyworld import english, korean
from toyworld.scenes import SHAPES
from toyworld.tokenizer import Tokenizer


class Labelled(NamedTuple):
    """n pairs with the classes of their scenes."""

    images: Float[Tensor, "n ..."]
    texts: Int[Tensor, "n t"]  # token ids
    classes: Int[Tensor, " n"]  # 0 for a pair without a class


class ShapeClasses:
    """The class of a caption: the set of shapes that it names.

    It is coarser than the caption: colours, sizes, numbers and places do not count. Bit k of the number is shape k of
    ``SHAPES``, so there are 64 classes. Class 0 names no shape: it is the background class, which has no label. (In the
    recipe data, too, classes come from words, and about half of the recipes are background.)

    ``count`` is the number of classes.
    """

    count = 2 ** len(SHAPES)

    def __init__(self, tokenizer: Tokenizer) -> None:
        nouns = [(english.NOUNS[shape][0], korean.NOUNS[shape].split()[0]) for shape in SHAPES]  # 십자, of 십자 모양
        shapes = [[word.startswith(noun) for noun in nouns] for word in tokenizer.words]  # circles, 원이: with endings
        special = [[False] * len(SHAPES)] * (len(tokenizer) - len(tokenizer.words))
        self.names_shape = torch.tensor(special + shapes)  # (words, shapes)

    def __call__(self, texts: Int[Tensor, "n t"]) -> Int[Tensor, " n"]:
        named = self.names_shape.to(texts.device)[texts].any(dim=1)  # (n, shapes)
        return (named * 2 ** torch.arange(len(SHAPES), device=texts.device)).sum(dim=1)


def labelled_batches(batch_at: Callable[[int], Batch], classes: ShapeClasses) -> Callable[[int], Labelled]:
    """The same batches, with the class of each pair."""

    def labelled_at(step: int) -> Labelled:
        images, texts = batch_at(step)
        return Labelled(images, texts, classes(texts))

    return labelled_at


class Objective(nn.Module):
    """A loss of n pairs of unit vectors, with what it learns itself."""

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        raise NotImplementedError

    def constrain(self) -> None:
        """Is called after each update, and brings the parameters back into their range. Most have no range."""


class Contrastive(Objective):
    """Radford et al. 2021, figure 3; the scale starts at 1/0.07 and is at most 100."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(FIRST_SCALE))

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        return contrastive_loss(pairwise_similarity(image, text, self.log_scale))

    @torch.no_grad()
    def constrain(self) -> None:
        self.log_scale.clamp_(max=LARGEST_SCALE)


class Sigmoid(Objective):
    r"""SigLIP (Zhai et al. 2023, section 3.2): scale and bias are learned, and start at t' = ln 10 and b = -10.

    With b = -10, every pair is at first called mismatched. That is right for n(n - 1) of n² pairs, so that the first
    updates do not have to correct them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.tensor(math.log(10)))
        self.bias = nn.Parameter(torch.tensor(-10.0))

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        return sigmoid_loss(image @ text.T, self.log_scale, self.bias)


class Ranking(Objective):
    """A ranking loss of the cosines, with its margin."""

    def __init__(self, loss: Callable[[Tensor, float], Tensor], margin: float) -> None:
        super().__init__()
        self.loss, self.margin = loss, margin

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        return self.loss(image @ text.T, self.margin)


class Recipe(Objective):
    r"""Salvador et al. 2017: :math:`L = L_{cos} + \lambda L_{reg}`. One linear classifier reads both sides.

    Args:
        common: dimensions of the vectors.
        classes: how many there are, the background class included.
        margin: alpha, the cosine up to which mismatched pairs are left alone.
        matched: the share of matched pairs.
        weight: lambda, of the classification.
    """

    def __init__(
        self, common: int, classes: int, margin: float = 0.1, matched: float = 0.2, weight: float = 0.02
    ) -> None:
        super().__init__()
        self.classify = nn.Linear(common, classes)
        self.margin, self.matched, self.weight = margin, matched, weight

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        cosine = cosine_loss(image @ text.T, self.margin, self.matched)
        return cosine + self.weight * semantic_loss(self.classify(image), self.classify(text), classes)


OBJECTIVES: Mapping[str, Callable[[int], Objective]] = MappingProxyType(  # from the dimensions of the common space
    {
        "contrastive": lambda common: Contrastive(),
        "sigmoid": lambda common: Sigmoid(),
        "devise": lambda common: Ranking(devise_loss, 0.1),
        "ranking": lambda common: Ranking(ranking_loss, 0.2),
        "recipe": lambda common: Recipe(common, ShapeClasses.count, matched=0.5),
    }
)


@dataclass(frozen=True)
class ObjectiveConfig(core.Config):
    """The settings of a run with any objective."""

    objective: str = "contrastive"  # the loss: its name in ``OBJECTIVES`` or ``ABLATIONS``


def with_objective(config: core.Config, objective: str) -> ObjectiveConfig:
    return ObjectiveConfig(**{**asdict(config), "objective": objective})


def train_relative(
    model: CLIP,
    objective: Objective,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable[[int], Labelled],
    steps: Iterable[int],
    log: Callable[..., None],
) -> None:
    """The loop of ``clip_mini.train`` with any objective. ``log(step, loss=…)`` takes the loss."""
    for step in steps:
        images, texts, classes = batch_at(step)  # the same step gives the same batch in every run
        image, text = model(images, texts)  # (n, common) each
        loss = objective(image, text, classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        objective.constrain()
        log(step, loss=loss.item())
