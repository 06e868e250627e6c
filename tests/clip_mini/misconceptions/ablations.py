"""Wrong versions of the variants in ``extensions/ablations.py``."""

import torch
from torch import nn

from clip_mini.extensions.ablations import ABLATIONS, AnyLength, CLIPWithAnyLength, FixedScale, ImagesChoose
from clip_mini.loss import contrastive_loss, pairwise_similarity


class ColumnsOnly(ImagesChoose):
    """Tempting: "images choose" sounds like a softmax over images. But a softmax over images is a text's choice."""

    def forward(self, image, text, classes):
        return super().forward(text, image, classes)


class HalfTheLoss(ImagesChoose):
    """Tempting: figure 3 halves the sum of both directions, so one direction seems to be a half. It is a whole loss."""

    def forward(self, image, text, classes):
        return super().forward(image, text, classes) / 2


class StillLearned(FixedScale):
    """Tempting: a parameter that starts at the constant. The optimizer moves it in the first step."""

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        log_scale = self.log_scale
        del self.log_scale
        self.log_scale = nn.Parameter(log_scale)


class ScaleForItsLogarithm(FixedScale):
    """Tempting: to store the scale itself. The loss takes e to the power of it: 1 becomes 2.718, 100 overflows."""

    def __init__(self, scale: float) -> None:
        super().__init__(scale)
        self.log_scale = torch.tensor(scale)


class StillCosines(AnyLength):
    """Tempting: to reuse ``pairwise_similarity``. It normalises again, and nothing is left out."""

    def forward(self, image, text, classes):
        return contrastive_loss(pairwise_similarity(image, text, self.log_scale))


class OnlyImagesAnyLength(CLIPWithAnyLength):
    """Tempting: the longer method was copied and the other one forgotten. Texts keep unit length."""

    def encode_text(self, texts):
        return nn.functional.normalize(super().encode_text(texts), dim=-1)


SWAPPED = ABLATIONS | {"scale fixed at 1": ABLATIONS["scale fixed at 100"]}
