"""The task of a training on photographs."""

from collections.abc import Callable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lab.images import load_image
from show_attend_tell.commands.task import FREQUENT, CaptionTask, fingerprint
from show_attend_tell.datasets import scores
from show_attend_tell.datasets.cache import GridFeatures
from show_attend_tell.datasets.sources import PhotoSource, open_source
from show_attend_tell.datasets.views import on_image
from show_attend_tell.extensions.fast import quick
from show_attend_tell.extensions.photographs import PhotoConfig, build_for_photographs, train_on_photographs
from show_attend_tell.extensions.self_critical import (
    END_WORD,
    Reward,
    build_self_critical_optimizer,
    train_self_critically,
)
from show_attend_tell.figures import draw_attention, draw_photo_training
from show_attend_tell.model import Captioner
from toyworld.tokenizer import END


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
        """On a part of dev; the score is the mean of BLEU-1 to 4 without brevity penalty, as in the paper."""
        names, references = self.source.validation()
        config, vectors = self.config, self.source.judged
        found = scores.captions_of(model, scores.in_chunks(vectors, names), config.beam, config.length_penalty)
        reached = scores.scores(scores.words_of_captions(found, self.tokenizer), references)
        return {"score": sum(reached[f"BLEU-{n} without brevity penalty"] for n in range(1, 5)) / 4, **reached}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model."""
        source, config = self.source, self.config
        often = source.most_frequent_caption()
        return {
            "splits": {
                split: scores.judge(
                    model, self.tokenizer, source.judged, source.examples(split), often,
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
        (caption,) = scores.captions_of(model, [source.judged([name])], self.config.beam, self.config.length_penalty)
        weights, size = caption.weights, 224
        if isinstance(source.vectors, GridFeatures):
            weights, size = on_image(weights), source.vectors.encoder.size
        if not is_square(weights.shape[1]):
            return [curves]
        image = load_image(source.images.paths[name], size).float() / 255
        draw_attention(figure, image, self.tokenizer.decode(caption.ids).split(), weights)
        return [curves, figure]


def is_square(places: int) -> bool:
    """Whether the places can be drawn as a square grid."""
    return round(places**0.5) ** 2 == places
