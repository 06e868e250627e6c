"""What all verbs share: the tasks of a training, one on the toy world and one on photographs."""

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Int
from PIL import Image
from torch import Tensor, nn

from detector import commands as detector_commands
from detector.commands import load_detector
from lab import cli, training
from lab.images import load_image
from show_attend_tell.data import Batch, encode, toy_batches, toy_words
from show_attend_tell.datasets import scores
from show_attend_tell.datasets.features import GridFeatures
from show_attend_tell.datasets.sources import PhotoSource, open_source
from show_attend_tell.encoders import of_detector
from show_attend_tell.evaluate import Examples, measure, most_frequent_caption, toy_examples
from show_attend_tell.extensions.fast import quick
from show_attend_tell.extensions.free_running import forced_and_free, wordings
from show_attend_tell.extensions.hard_attention import HardCaptioner, HardConfig, train_hard
from show_attend_tell.extensions.photographs import PhotoConfig, build_for_photographs, train_on_photographs
from show_attend_tell.extensions.self_critical import (
    END_WORD,
    Reward,
    build_self_critical_optimizer,
    train_self_critically,
)
from show_attend_tell.figures import (
    Captioned,
    captioned,
    chosen,
    draw_attention,
    draw_captions,
    draw_forcing,
    draw_photo_training,
    draw_training,
)
from show_attend_tell.model import Captioner
from show_attend_tell.train import Config, build, build_optimizer, train
from toyworld.tokenizer import END, Tokenizer

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


class PhotoTask(CaptionTask):
    """A captioner on photographs.

    Args:
        data: flickr8k or coco.
        root: its folder.
        features: a folder of precomputed features; without it, EfficientNet-Lite0 computes them now, once.
        trains: judging sees whole images only, and takes no step.
    """

    config: PhotoConfig

    def __init__(
        self, data: str, config: PhotoConfig, root: Path | None, features: Path | None, name: str, trains: bool = True
    ) -> None:
        self.config, self.steps, self.name = config, config.steps + config.self_critical_steps, name
        self.trains = trains
        self.source: PhotoSource = open_source(
            data, root, config.seed, config.images, config.least, features, config.views if trains else 1
        )
        self.tokenizer, self.batch_at = self.source.tokenizer, self.source.batch_at
        self.data: dict[str, Any] = {
            "data": data, "root": str(root.resolve()), "features": str(features.resolve()) if features else "",
            "width": self.source.vectors.channels, "words": fingerprint(self.tokenizer),
        }  # fmt: skip

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        steps, rate = self.config.self_critical_steps, self.config.self_critical_rate
        optimizer, scheduler = build_self_critical_optimizer(model, steps, rate)
        return {
            **super().optimizers(model), "self_critical_optimizer": optimizer, "self_critical_scheduler": scheduler
        }  # fmt: skip

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        """First trains on the true captions, then on captions that the model draws."""
        config = self.config
        for is_critical, part in groupby(steps, key=lambda step: step >= config.steps):
            if is_critical:
                train_self_critically(
                    model, optimizers["self_critical_optimizer"], optimizers["self_critical_scheduler"],
                    self.images_at(device), self.words_of, self.reward(), part, log, config.drawn_captions,
                )  # fmt: skip
            else:
                train_on_photographs(
                    quick(model), optimizers["optimizer"], optimizers["scheduler"], self.batches(device), part, log,
                    config.penalty_weight, config.smoothing,
                )  # fmt: skip

    def reward(self) -> Reward:
        return Reward(self.source.references(), self.config.precision_weight)

    def words_of(self, ids: list[int]) -> list[str]:
        """The words of a caption, <end> too."""
        return [*self.tokenizer.decode(ids).split(), *([END_WORD] if END in ids else [])]

    def images_at(self, device: torch.device) -> Callable[[int], tuple[list[str], Tensor]]:
        def at(step: int) -> tuple[list[str], Tensor]:
            names, annotations = self.source.images_at(step, self.config.self_critical_images)
            return names, annotations.to(device)

        return at

    def check(self) -> None:
        if self.trains and self.config.self_critical_steps:
            self.source.images_at(0, self.config.self_critical_images)
        self.source.vectors.blank()  # judging needs the network, also where all features are in the cache

    def files(self) -> dict[str, str]:
        return {**super().files(), FREQUENT: " ".join(self.source.most_frequent_caption()) + "\n"}

    def build(self) -> Captioner:
        return build_for_photographs(self.config, len(self.tokenizer), self.source.vectors.channels)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """On a part of dev; the score is BLEU-4 without brevity penalty, as the paper reports it."""
        names, references = self.source.validation()
        config, vectors = self.config, self.source.vectors
        found = scores.captions_of(model, scores.in_chunks(vectors, names), config.beam, config.length_penalty)
        reached = scores.scores(scores.words_of_captions(found, self.tokenizer), references)
        return {"score": reached["BLEU-4 without brevity penalty"], **reached}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model."""
        source, config = self.source, self.config
        often = source.most_frequent_caption()
        return {
            "splits": {
                split: scores.judge(
                    model, self.tokenizer, source.vectors, source.examples(split), often,
                    config.beam, config.length_penalty,
                )
                for split in source.splits
            }
        }  # fmt: skip

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        """The training, and the attention over the first photograph of the first test split."""
        source, curves, figure = self.source, folder / "training.png", folder / "attention.png"
        draw_photo_training(curves, results["validation"])
        name = source.images.splits[source.splits[0]][0]
        (caption,) = scores.captions_of(model, [source.vectors([name])], self.config.beam, self.config.length_penalty)
        if not is_square(caption.weights.shape[1]):
            return [curves]
        size = source.vectors.encoder.size if isinstance(source.vectors, GridFeatures) else 224
        image = load_image(source.images.paths[name], size).float() / 255
        draw_attention(figure, image, self.tokenizer.decode(caption.ids).split(), caption.weights)
        return [curves, figure]


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


def is_square(places: int) -> bool:
    """Whether the places can be drawn as a square grid."""
    return round(places**0.5) ** 2 == places


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
