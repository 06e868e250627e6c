"""A configuration as small as can be, for tests of commands, and a stand-in for the frozen network."""

from pathlib import Path

import pytest
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d

from clip_mini.commands import task
from clip_mini.datasets import sources
from clip_mini.datasets.features import EfficientNetLite0
from clip_mini.train import Config
from tests.runs import flags_of

CONFIG = Config(
    steps=3, pairs=4, image_size=16, channels=(4, 8), heads=2, width=8, layers=1, text_width=8, text_layers=1,
    text_heads=2, common=8, warmup=2,
)  # fmt: skip
SCENES = 12


FLAGS = flags_of(CONFIG)


class Colours:
    """In the place of EfficientNet-Lite0: 1,280 numbers at each of 7 by 7 places, all of them mean colours."""

    def extract_features(self, pixels: Float[Tensor, "n 3 224 224"]) -> Float[Tensor, "n 1280 7 7"]:
        return adaptive_avg_pool2d(pixels, 7).repeat(1, 427, 1, 1)[:, :1280]


def make_small(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on ``folder`` is the working directory, and a model is validated and judged on few scenes."""
    patch.chdir(folder)
    patch.setattr(sources, "TOY_VALIDATION", SCENES)
    patch.setattr(sources, "TOY_TEST", SCENES)
    patch.setattr(task, "ZERO_SHOT", SCENES)
    patch.setattr(EfficientNetLite0, "network", Colours())
    patch.setattr("lab.training.advise_on_threads", lambda: None)  # how busy this machine is, is no matter here


def same_weights(a: torch.nn.Module, b: torch.nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
