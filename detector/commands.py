"""The verbs of ``python -m detector``: train (the default), judge, detect. ``load_detector`` is for all others."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import nn

from detector.data import toy_batches
from detector.decode import detect
from detector.evaluate import SPLITS, evaluate
from detector.figures import draw_detections
from detector.model import Detector
from detector.train import CONFIGS, Config, build_optimizer, train
from lab import cli, training
from lab.checkpoint import read_bytes
from lab.images import load_image

Overrides = cli.overrides(Config, CONFIGS)
VALIDATION_SEED = 1_000_000  # scenes that no training with a usual seed sees
VALIDATION = 200  # scenes


class DetectorTask(training.Task):
    """The detector on the toy world."""

    paper, name = "detector", "toy"
    data: Mapping[str, Any] = {"data": "toy"}

    def __init__(self, config: Config) -> None:
        self.config, self.steps = config, config.steps

    def build(self) -> Detector:
        return Detector()

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        batch_at = toy_batches(self.config.seed, self.config.images, self.config.image_size)
        train(model, *optimizers.values(), lambda step: [t.to(device) for t in batch_at(step)], steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        seed = self.config.seed + VALIDATION_SEED
        found = evaluate(model, "train", seed, self.config.image_size, VALIDATION)
        return {"score": found["all_right"], **found}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        return {"splits": {split: evaluate(model, split, 0, self.config.image_size) for split in SPLITS}}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        draw_detections(folder / "detections.png", model, self.config.image_size)
        return [folder / "detections.png"]


def load_detector(command: str, device: str | None = None, threads: int | None = None) -> tuple[Detector, str]:
    """The pretrained detector, frozen, and a fingerprint of its weights. It is trained now if that was not done yet.

    Args:
        command: the command that needs it, for the message after Ctrl-C.
    """
    task = DetectorTask(CONFIGS["toy"])
    model = training.pretrained(task, command, device, threads)
    weights = read_bytes(training.folder_of(task.paper, task.name) / "best.safetensors")
    return model, hashlib.sha256(weights).hexdigest()[:12]


def table(results: Mapping[str, Any]) -> str:
    """The accuracies of each split, in %."""
    rows = results["splits"]
    names = list(next(iter(rows.values())))
    lines = [f"{'split':<14}" + "".join(f"{name.replace('_', ' '):>12}" for name in names)]
    lines += [f"{split:<14}" + "".join(f"{row[name]:>12.2%}" for name in names) for split, row in rows.items()]
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train the detector on the toy world, and judge it on scenes that it has not seen."""

    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def execute(self, command: str) -> None:
        trained = training.train(DetectorTask(cli.overridden(CONFIGS["toy"], self.configuration)), self, command)
        print(table(trained.results))
        print(trained.folder / "results.json", *trained.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge a trained detector again; nothing is trained."""

    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        folder, _, config = training.open_run("detector", self.run, Config, "python -m detector")
        task = DetectorTask(config)
        judged = training.judge(task, training.open_weights(task, folder), folder)
        print(table(judged.results))
        print(folder / "results.json", *judged.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Detect(cli.Machine):
    """Print the objects of an image file: colour, shape, size, place and confidence."""

    image: tyro.conf.Positional[Path]  # the image file
    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        folder, _, config = training.open_run("detector", self.run, Config, "python -m detector")
        model = training.open_weights(DetectorTask(config), folder)
        pixels = load_image(self.image, config.image_size)[None].float() / 255
        for o in detect(model, pixels)[0]:
            print(f"{o.size:<6} {o.colour:<8} {o.shape:<9} x {o.x:.2f}  y {o.y:.2f}  confidence {o.confidence:.1%}")


VERBS = (Train, Judge, Detect)
DEFAULT = Train
