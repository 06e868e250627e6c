"""A finished run, opened: what ``judge``, ``caption`` and ``evaluate`` share."""

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import UInt8
from torch import Tensor

from lab import cli, folders, training
from lab.checkpoint import CheckpointError
from lab.device import choose_device
from lab.efficientnet import EfficientNetLite
from show_attend_tell.commands.task import ANNOTATION, FREQUENT, PHOTOGRAPHS, annotations_of, fingerprint, hard
from show_attend_tell.datasets import scores
from show_attend_tell.datasets.features import vectors_of
from show_attend_tell.evaluate import LONGEST
from show_attend_tell.extensions.hard_attention import HardConfig
from show_attend_tell.extensions.photographs import PhotoConfig, build_for_photographs
from show_attend_tell.model import Captioner
from show_attend_tell.train import Config, build
from toyworld.tokenizer import Tokenizer

Reader = Callable[[UInt8[Tensor, "3 h w"]], Tensor]  # an image, 0 to 255, to a batch of one for the model


@dataclass(frozen=True)
class Opened:
    """A finished run. The model is in evaluation mode."""

    folder: Path
    data: dict[str, Any]
    config: Config
    tokenizer: Tokenizer
    model: Captioner

    @property
    def is_toy(self) -> bool:
        return self.data["data"] == "toy"

    @property
    def longest(self) -> int:
        """Of words in a caption that is written, <end> included."""
        return LONGEST if self.is_toy else scores.LONGEST

    def most_frequent(self) -> list[str]:
        """The most frequent training caption of a run on photographs."""
        try:
            return (self.folder / FREQUENT).read_text(encoding="utf-8").split()
        except (OSError, ValueError) as error:
            raise CheckpointError(f"{self.folder / FREQUENT} is damaged or missing: train anew") from error

    def reader(self, command: str, machine: cli.Machine) -> tuple[int, Reader]:
        """What the model needs of an image file: its size in pixels, and what turns the pixels into annotations. Those
        of a photograph are of the image and of its mirror image.

        Raises:
            ValueError: if the network is not known, or is not the one of the training.
        """
        if self.is_toy:
            of_pixels, detector = annotations_of(self.config, command, machine)
            if detector != self.data["detector"]:
                raise ValueError(f"{self.folder} was trained on another detector than runs/detector/toy: train it anew")
            return self.config.image_size, lambda image: of_pixels(image[None].float() / 255)
        if self.data["features"]:
            raise ValueError(
                f"{self.folder} was trained on the features in {self.data['features']}, and what computed them is not "
                "known: caption needs a run without --features"
            )
        encoder = EfficientNetLite()
        return encoder.size, lambda image: torch.cat([vectors_of(encoder, one) for one in (image, image.flip(2))])[None]


def open_run(name: str, device: str | None = None) -> Opened:
    """A finished run of this name.

    Raises:
        ValueError: if there is none, or its vocabulary is another one than in its training.
        CheckpointError: if a file in it is damaged.
    """
    folder = training.find_run("show_attend_tell", name, command_for_run(name))
    before = folders.read_summary(folder)["config"]
    hard_attention = before.get("attention") == "hard"
    kind = PhotoConfig if before.get("data") in PHOTOGRAPHS else HardConfig if hard_attention else Config
    folder, data, config = training.open_run("show_attend_tell", name, kind, command_for_run(name))
    file = folder / "vocabulary.json"
    try:
        tokenizer = Tokenizer(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged or of another version: train anew") from error
    if fingerprint(tokenizer) != data.get("words"):
        raise ValueError(f"{file} is another vocabulary than that of the training: train anew")
    if isinstance(config, PhotoConfig):
        model = build_for_photographs(config, len(tokenizer), data["width"])
    else:
        model = build(config, len(tokenizer), ANNOTATION)
        model = hard(model) if hard_attention else model
    folders.load_best(folder, {"model": model})
    return Opened(folder, data, config, tokenizer, model.to(choose_device(device)).eval())


def command_for_run(name: str) -> str:
    """The command that makes a run of this name."""
    options = {"toy": "", "toy-korean": " --language korean"}
    options |= {data: f" --data {data} --root DIR" for data in PHOTOGRAPHS}
    return "python -m show_attend_tell" + options.get(name, f" --run {shlex.quote(name)}")
