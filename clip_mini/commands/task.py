"""A stub, for the work on ``compare`` only. The lead's version replaces it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from clip_mini.data import Batch, caption, encode, toy_batches, toy_tokenizer
from clip_mini.evaluate import Examples, recall_at_k
from clip_mini.train import Config, build, build_optimizer, train
from lab import training
from toyworld.drawing import draw
from toyworld.rng import Rng
from toyworld.scenes import scene_at
from toyworld.tokenizer import END

TOY_TEST = 256  # scenes of two objects with different captions
VALIDATION_SEED = 1_000_000


class ToySource:
    splits = ("test", "compositional")

    def __init__(self, config: Config) -> None:
        self.config, self.tokenizer, self.end = config, toy_tokenizer("english"), END
        self.words = len(self.tokenizer)

    @property
    def batch_at(self) -> Callable[[int], Batch]:
        c = self.config
        return toy_batches(self.tokenizer, "english", c.seed, c.pairs, c.image_size, c.context)

    def examples(self, split: str, seed: int) -> Examples:
        scenes, texts, k = [], [], 0
        while len(texts) < TOY_TEST:
            scene = scene_at(split, seed, k, 2)
            text = caption(scene, "english", Rng(f"clip_mini/{split}/{seed}/{k}"))
            if text not in texts:
                scenes.append(scene)
                texts.append(text)
            k += 1
        images = draw(scenes, self.config.image_size)
        return Examples(
            images, encode(self.tokenizer, texts, self.config.context), torch.arange(len(texts)), tuple(texts), ()
        )

    def validation(self) -> Examples:
        return self.examples("train", self.config.seed + VALIDATION_SEED)

    def test(self, split: str) -> Examples:
        return self.examples(split, 0)


class ClipTask(training.Task):
    """Args: ``data`` is toy; ``name`` is that of the run."""

    paper = "clip_mini"

    def __init__(self, data: str, config: Config, name: str = "") -> None:
        self.config, self.steps, self.name, self.data = config, config.steps, name or data, {"data": data}
        self.source = ToySource(config)

    def build(self) -> nn.Module:
        return build(self.config, self.source.words, self.source.end)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        def batch_at(step: int) -> Batch:
            return Batch(*(tensor.to(device) for tensor in self.source.batch_at(step)))

        train(model, *optimizers.values(), batch_at, steps, log)

    def recalls(self, model: nn.Module, examples: Examples) -> dict[str, float]:
        device = model.log_scale.device
        image, text = model(examples.images.to(device), examples.texts.to(device))
        return recall_at_k((image @ text.T).cpu(), examples.image_of)

    def validate(self, model: nn.Module) -> dict[str, float]:
        reached = self.recalls(model, self.source.validation())
        return {"score": (reached["image→text R@1"] + reached["text→image R@1"]) / 2, **reached}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        splits = {}
        for split in self.source.splits:
            examples = self.source.test(split)
            reached = self.recalls(model, examples)
            chance = {name: int(name.split("@")[1]) / len(examples.texts) for name in reached}
            splits[split] = {"chance": chance, "reached": reached}
        return {"splits": splits}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        return []
