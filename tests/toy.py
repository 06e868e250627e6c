"""The toy task in a few steps, for tests of what is around it: few scenes and questions, small models."""

from pathlib import Path

import pytest

from detector import commands as detector_commands
from detector.evaluate import evaluate
from detector.extensions.unlike import measure
from detector.train import Config as DetectorConfig
from tests.pictures import blank_figures
from tests.runs import flags_of
from vqa.datasets import sources
from vqa.train import Config

DETECTOR = DetectorConfig(steps=2, images=2, image_size=16, warmup=1)
VQA = Config(
    steps=3, images=4, questions=2, image_size=16, channels=(4,), embedding=4, hidden=4, common=8, warmup=2
)  # fmt: skip
VQA_FLAGS = flags_of(VQA)


def few_scenes(model, split: str, seed: int, image_size: int, count: int = 5) -> dict[str, float]:
    return evaluate(model, split, seed, image_size, min(count, 5))


def few_measured(model, validation_seed: int, image_size: int) -> tuple[float, dict[str, float]]:
    return measure(model, validation_seed, image_size, 10)


def make_small(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on ``folder`` is the working directory, and what is trained and judged on the toy world is small.
    Figures are blank."""
    patch.chdir(folder)
    patch.setattr(sources, "TOY_VALIDATION", 40)
    patch.setattr(sources, "TOY_TEST", 40)
    patch.setattr(detector_commands, "CONFIGS", {"toy": DETECTOR})
    patch.setattr(detector_commands, "evaluate", few_scenes)
    patch.setattr(detector_commands, "measure", few_measured)
    blank_figures(patch)
