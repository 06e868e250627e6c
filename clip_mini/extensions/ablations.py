r"""What each part of figure 3 is for: the contrastive loss without it (``python -m clip_mini ablate``).

Each variant leaves one thing out. All else is the same: encoders, data, optimizer, steps.
"""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from clip_mini.extensions.objectives import Contrastive, Objective
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP, LARGEST_SCALE


class ImagesChoose(Contrastive):
    """Only the rows: each image chooses a text. No text chooses an image."""

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        similarity = pairwise_similarity(image, text, self.log_scale)
        return cross_entropy(similarity, torch.arange(len(image), device=image.device))


class FixedScale(Objective):
    """The scale of the logits is a constant, and not learned."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.register_buffer("log_scale", torch.tensor(math.log(scale)), persistent=False)

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        return contrastive_loss(pairwise_similarity(image, text, self.log_scale))


class AnyLength(Contrastive):
    """Dot products of vectors of any length, in the place of cosines. The model must be a ``CLIPWithAnyLength``."""

    def forward(
        self, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], classes: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        return contrastive_loss(self.log_scale.exp() * image @ text.T)


class CLIPWithAnyLength(CLIP):
    """A CLIP whose vectors are not scaled to unit length."""

    def encode_image(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n common"]:
        return self.image_projection(self.image_encoder(images))

    def encode_text(self, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n common"]:
        return self.text_projection(self.text_encoder(texts))


ABLATIONS: Mapping[str, Callable[[int], Objective]] = MappingProxyType(  # from the dimensions of the common space
    {
        "as in the paper": lambda common: Contrastive(),
        "images choose only": lambda common: ImagesChoose(),
        "scale fixed at 1": lambda common: FixedScale(1.0),
        "scale fixed at 100": lambda common: FixedScale(math.exp(LARGEST_SCALE)),
        "any length": lambda common: AnyLength(),
    }
)
