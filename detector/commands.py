"""The verbs of ``python -m detector``: train (the default), judge, detect, unlike.

``load_detector`` and ``warn_of_unlike`` are for all others.
"""

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import nn

from detector.data import toy_batches
from detector.decode import Detection, detect
from detector.evaluate import SPLITS, evaluate
from detector.extensions.unlike import measure, unlikeness
from detector.figures import draw_detections
from detector.model import Detector
from detector.train import CONFIGS, Config, build_optimizer, train
from lab import cli, training
from lab.checkpoint import read_bytes
from lab.images import load_image

Overrides = cli.overrides(Config, CONFIGS)
VALIDATION_SEED = 1_000_000  # scenes that no training with a usual seed sees
VALIDATION = 200  # scenes
NAMED = 3  # files that a warning names


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
        size = self.config.image_size
        limit, warned = measure(model, self.config.seed + VALIDATION_SEED, size)
        splits = {split: evaluate(model, split, 0, size) for split in SPLITS}
        return {"splits": splits, "unlike": {"limit": limit, "warned": warned}}

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


def warn_of_unlike(files: Sequence[Path], command: str, machine: cli.Machine) -> list[Path]:
    """One line on stderr if image files are unlike the toy world: a model that learned there knows nothing else.
    Gives these files.

    The detector is trained now if that was not done yet; ``command`` is the one that needs it.
    """
    model, _ = load_detector(command, machine.device, machine.threads)
    task = DetectorTask(CONFIGS["toy"])
    return warn(files, model, task, training.folder_of(task.paper, task.name))


def warn(files: Sequence[Path], model: Detector, task: DetectorTask, folder: Path) -> list[Path]:
    """``warn_of_unlike`` with a detector that is loaded already; ``folder`` is that of its run."""
    limit = limit_of(task, folder)
    scores = scores_of_files(model, files, task.config.image_size)
    unlike = [(file, score) for file, score in zip(files, scores, strict=True) if score > limit]
    if unlike:
        named = ", ".join(f"{file} ({score:.2f})" for file, score in unlike[:NAMED])
        more = f" and {len(unlike) - NAMED} more" if len(unlike) > NAMED else ""
        print(
            f"warning: unlike all training images (score above {limit:.2f}), so the model may be wrong: {named}{more}",
            file=sys.stderr,
        )
    return [file for file, _ in unlike]


def read_objects(file: Path, command: str, machine: cli.Machine) -> list[Detection]:
    """The objects of an image file, as the toy world's detector reads them."""
    model, _ = load_detector(command, machine.device, machine.threads)
    return detect(model, load_image(file, CONFIGS["toy"].image_size)[None].float() / 255)[0]


def limit_of(task: DetectorTask, folder: Path) -> float:
    """The highest score of a familiar image, as it was measured after the training; it is measured now if it was not.

    Raises:
        CheckpointError: if the run's ``results.json`` is damaged.
    """
    results = training.read_results(folder)
    if results is None or "unlike" not in results:
        results = training.judge(task, training.open_weights(task, folder), folder).results
    return results["unlike"]["limit"]


def scores_of_files(model: Detector, files: Sequence[Path], image_size: int) -> list[float]:
    """How unlike each image file is to the toy world."""
    images = (load_image(file, image_size)[None].float() / 255 for file in files)
    return [unlikeness(model, image).item() for image in images]


def table(results: Mapping[str, Any]) -> str:
    """The accuracies of each split, in %; then the images that get a warning."""
    rows = results["splits"]
    names = list(next(iter(rows.values())))
    lines = [f"{'split':<14}" + "".join(f"{name.replace('_', ' '):>12}" for name in names)]
    lines += [f"{split:<14}" + "".join(f"{row[name]:>12.2%}" for name in names) for split, row in rows.items()]
    warned = "".join(f"\n  {name:<14}{share:>10.2%}" for name, share in results["unlike"]["warned"].items())
    return "\n".join(lines) + f"\nunlike the toy world (score above {results['unlike']['limit']:.3f}):{warned}"


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
        task = DetectorTask(config)
        model = training.open_weights(task, folder)
        pixels = load_image(self.image, config.image_size)[None].float() / 255
        warn([self.image], model, task, folder)
        for o in detect(model, pixels)[0]:
            print(f"{o.size:<6} {o.colour:<8} {o.shape:<9} x {o.x:.2f}  y {o.y:.2f}  confidence {o.confidence:.1%}")


@dataclass(frozen=True, kw_only=True)
class Unlike(cli.Machine):
    """Print how unlike image files are to the toy world, and which are above the limit."""

    files: tyro.conf.Positional[tuple[Path, ...]]  # the image files
    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        if not self.files:
            raise ValueError("unlike needs at least one image file, got none")
        folder, _, config = training.open_run("detector", self.run, Config, "python -m detector")
        task = DetectorTask(config)
        scores = scores_of_files(training.open_weights(task, folder), self.files, config.image_size)
        limit = limit_of(task, folder)
        for file, score in zip(self.files, scores, strict=True):
            print(f"{score:.3f}  {'unlike' if score > limit else 'like':<6}  {file}")
        unlike = sum(score > limit for score in scores)
        print(f"{unlike} of {len(scores)} unlike (limit {limit:.3f}; scores {min(scores):.3f} to {max(scores):.3f})")


VERBS = (Train, Judge, Detect, Unlike)
DEFAULT = Train
