"""What all verbs share: the tasks of a training on the toy world."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Int
from PIL import Image
from torch import Tensor, nn

from detector import commands as detector_commands
from detector.commands import load_detector
from lab import cli, training
from show_attend_tell.data import Batch, encode, toy_batches, toy_words
from show_attend_tell.encoders import of_detector
from show_attend_tell.evaluate import Examples, measure, most_frequent_caption, toy_examples
from show_attend_tell.extensions.fast import quick
from show_attend_tell.extensions.free_running import forced_and_free, wordings
from show_attend_tell.extensions.hard_attention import HardCaptioner, HardConfig, train_hard
from show_attend_tell.figures import (
    Captioned,
    captioned,
    chosen,
    draw_attention,
    draw_captions,
    draw_forcing,
    draw_training,
)
from show_attend_tell.model import Captioner
from show_attend_tell.train import Config, build, build_optimizer, train
from toyworld.tokenizer import Tokenizer

Language = Literal["english", "korean"]
PHOTOGRAPHS = ("flickr8k", "coco")  # data sets
SELF_CRITICAL = ("self_critical_images", "self_critical_rate", "drawn_captions", "precision_weight")  # options
SPLITS = ("test", "compositional")  # of the toy world
VALIDATION, TEST = 300, 2000  # scenes
FORCED = 100  # scenes whose true captions are read
SHOWN = 1000  # scenes of which the figure shows some; few captions are not true
VALIDATION_SEED = 1_000_000  # added to the run's seed: scenes that no training with a usual seed sees
ANNOTATION = 19  # length of an annotation vector of the detector's grid: 17 channels, x and y
FREQUENT = "most-frequent.txt"


class CaptionTask(training.Task):
    """What a captioner on any data needs: the vocabulary, the optimizer, the loop."""

    paper = "show_attend_tell"
    config: Config
    tokenizer: Tokenizer
    batch_at: Callable[[int], Batch]

    def files(self) -> dict[str, str]:
        return {"vocabulary.json": json.dumps(self.tokenizer.words, ensure_ascii=False) + "\n"}

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        """The core's loop, with the fast form of the model."""
        train(quick(model), *optimizers.values(), self.batches(device), steps, log, self.config.penalty_weight)

    def batches(self, device: torch.device) -> Callable[[int], Batch]:
        return lambda step: Batch(*(tensor.to(device) for tensor in self.batch_at(step)))


class ToyTask(CaptionTask):
    """A captioner on the toy world.

    Args:
        language: of the captions.
        command: the command that is running; it goes on with the detector's training after Ctrl-C.
        machine: device and threads, for the detector.
    """

    def __init__(self, language: str, config: Config, command: str, machine: cli.Machine, name: str) -> None:
        self.config, self.steps, self.language, self.name = config, config.steps, language, name
        self.tokenizer = toy_words(language)
        self.annotations_of, detector = annotations_of(config, command, machine)
        self.data: dict[str, Any] = {
            "data": "toy", "language": language, "detector": detector, "words": fingerprint(self.tokenizer)
        }  # fmt: skip
        self.wordings: Tensor | None = None  # of the scenes of the validation
        self.batch_at = toy_batches(
            self.annotations_of, language, config.seed, config.images, config.captions, config.image_size
        )

    def build(self) -> Captioner:
        return build(self.config, len(self.tokenizer), ANNOTATION)

    def measured(self, model: nn.Module, split: str, seed: int, count: int) -> dict[str, dict[str, float]]:
        """The model beside its baselines, on the first scenes of a split."""
        examples = toy_examples(self.annotations_of, split, seed, count, self.config.image_size)
        often = most_frequent_caption(self.language, self.config.seed)
        return measure(model, self.tokenizer, self.language, self.annotations_of, examples, often)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """On scenes held out of training: the captions, and the losses with the true words and with the model's own."""
        seed = self.config.seed + VALIDATION_SEED
        reached = self.measured(model, "train", seed, VALIDATION)["reached"]
        (examples,) = toy_examples(self.annotations_of, "train", seed, min(FORCED, VALIDATION), self.config.image_size)
        device = next(model.parameters()).device
        losses = forced_and_free(model, examples.annotations.to(device), self.true_captions(examples).to(device))
        return {"score": reached["right"], **reached, **losses}

    def true_captions(self, examples: Examples) -> Int[Tensor, "n several t"]:
        """All true captions of each scene. They are drawn once, not at each validation."""
        if self.wordings is None:
            texts = wordings(examples.scenes, self.language)
            ids = encode(self.tokenizer, [text for captions in texts for text in captions])
            self.wordings = ids.view(len(texts), len(texts[0]), -1)
        return self.wordings

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model."""
        return {"splits": {split: self.measured(model, split, 0, TEST) for split in SPLITS}}

    def captioned(self, model: nn.Module) -> list[Captioned]:
        """Captions of the first scenes of the test split."""
        chunks = toy_examples(self.annotations_of, "test", 0, SHOWN, self.config.image_size)
        return [one for examples in chunks for one in captioned(model, self.tokenizer, self.language, examples)]

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        names = ("captions", "attention", "training", "forcing", "example")
        captions, attention, training_curves, forcing, example = (folder / f"{name}.png" for name in names)
        shown = self.captioned(model)
        draw_captions(captions, chosen(shown))
        second = shown[1]  # of a scene with two objects
        draw_attention(attention, second.image, second.words, second.weights)
        draw_training(training_curves, results["validation"])
        draw_forcing(forcing, results["validation"])
        Image.fromarray((255 * second.image).round().byte().permute(1, 2, 0).numpy()).save(example)
        return [captions, attention, training_curves, forcing, example]


class HardTask(ToyTask):
    """The same with hard attention. It begins with the same weights as soft attention."""

    config: HardConfig

    def build(self) -> HardCaptioner:
        return hard(super().build())

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        config = self.config
        tricks = config.expected_share, config.reinforce_weight, config.entropy_weight
        train_hard(model, *optimizers.values(), self.batches(device), steps, log, *tricks)


def check_effect(given: Any, config: Config) -> None:
    """Raises ValueError if an option that the user gave, in an instance of ``cli.overrides``, has no effect."""
    cnn, attention = config.encoder == "cnn", config.attention != "none"
    critical = getattr(config, "self_critical_steps", 0) > 0
    for name, has_effect, needs in (
        *((name, critical, "--self-critical-steps") for name in SELF_CRITICAL),
        ("channels", cnn, "--encoder cnn"),
        ("background", cnn, "--encoder cnn"),
        ("attention_hidden", attention, "--attention soft"),
        ("penalty_weight", attention or config.penalty_weight == 0, "--attention soft"),
    ):
        if getattr(given, name, None) is not None and not has_effect:
            raise ValueError(f"--{name.replace('_', '-')} has no effect without {needs}: leave it out")


def fingerprint(tokenizer: Tokenizer) -> str:
    """Another one for other words, or the same in another order: the weights of one vocabulary fit no other."""
    return hashlib.sha256("\n".join(tokenizer.words).encode()).hexdigest()[:12]


def hard(model: Captioner) -> HardCaptioner:
    """The same weights, with hard attention."""
    model.__class__ = HardCaptioner
    model.register_buffer("baseline", torch.zeros(()))
    return model


def annotations_of(config: Config, command: str, machine: cli.Machine) -> tuple[Callable[[Tensor], Tensor], str]:
    """What turns pixels into what the model reads, and the fingerprint of the detector ("" without one).

    Raises:
        ValueError: if the image size is not that of the detector.
    """
    if config.encoder == "cnn":
        return lambda pixels: pixels, ""
    size = detector_commands.CONFIGS["toy"].image_size
    if config.image_size != size:
        raise ValueError(f"--image-size must be {size}, as in the detector's training, got {config.image_size}")
    detector, of_weights = load_detector(command, machine.device, machine.threads)
    return lambda pixels: of_detector(detector.grid(pixels)), of_weights
