"""What all verbs share: the task of a training, and how a finished run is opened."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn

from clip_mini.data import Batch
from clip_mini.datasets.features import EfficientNetLite0, Features, LockedFeatures, lock
from clip_mini.datasets.sources import ZERO_SHOT, PartedSource, Source, open_source
from clip_mini.evaluate import IMAGE_TO_TEXT, TEXT_TO_IMAGE, embed, recall, zero_shot
from clip_mini.extensions.fast import faster
from clip_mini.extensions.parallel import train_in_parallel
from clip_mini.figures import draw_retrieval, draw_training
from clip_mini.model import CLIP
from clip_mini.train import Config, build, build_optimizer, train
from lab import folders, training
from lab.checkpoint import CheckpointError
from lab.distributed import on_first, processes, share_size
from toyworld.tokenizer import END, Tokenizer


class ClipTask(training.Task):
    """A model of a configuration on one of the data sets.

    Args:
        data: toy, emoji, folder or shards.
        root: the folder of ``folder``.
        path: the files of ``shards``.
        name: of the run, unless the user gives one.
    """

    paper, parallel = "clip_mini", True

    def __init__(
        self, data: str, config: Config, root: Path | None = None, path: str | None = None, name: str = ""
    ) -> None:
        check_sizes(config)
        self.config, self.steps, self.name = config, config.steps, name or data
        self.data: dict[str, Any] = {"data": data}
        if root is not None:
            self.data["root"] = str(root.resolve())
        if path is not None:
            self.data["path"] = path
        self.source: Source = open_source(data, config, root, path)

    def check(self) -> None:
        share_size(self.config.pairs)
        on_first(self.source.check)  # the others find in the caches what it computes

    def files(self) -> dict[str, str]:
        return {"words.txt": "".join(f"{word}\n" for word in self.source.tokenizer.words)}

    def build(self) -> nn.Module:
        return built(self.config, len(self.source.tokenizer), self.source.image_encoder())

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        """The core's loop; ``faster`` gives the same vectors in less time."""
        source = self.source
        if processes().count == 1:
            train(faster(model), *optimizers.values(), on_device(source.batch_at, device), steps, log)
        elif isinstance(source, PartedSource):
            own_part = on_device(source.part_at, device)
            train_in_parallel(model, *optimizers.values(), own_part, steps, log, share=lambda part: part)
        else:
            train_in_parallel(model, *optimizers.values(), on_device(source.batch_at, device), steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """Recall@1 in each direction on pairs held out of training; the score is their mean."""
        reached = recall(model, self.source.validation())
        first = {f"{direction} R@1": reached[f"{direction} R@1"] for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE)}
        return {"score": sum(first.values()) / 2, **first}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model, each by measure."""
        source, config = self.source, self.config
        splits = {
            split: {**source.baselines(split), "reached": recall(model, source.test(split))} for split in source.splits
        }
        if self.data["data"] == "toy":
            splits |= zero_shot(model, source.tokenizer, config.language, ZERO_SHOT, config.image_size, config.context)
        return {"splits": splits}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        split = self.source.splits[0]
        examples, figures = self.source.test(split), [folder / "retrieval.png", folder / "training.png"]
        images, texts = embed(model, examples)
        first = (255 * self.source.pixels(examples, 0)).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(first).save(folder / "example.png")
        draw_retrieval(figures[0], images @ texts.T, examples, lambda k: self.source.pixels(examples, k))
        chance = next(iter(results["splits"].values()))["chance"][f"{IMAGE_TO_TEXT} R@1"]
        losses = folders.read_metrics(folder, "loss")
        draw_training(figures[1], losses, results["validation"], self.config.pairs, chance)
        return figures


def built(config: Config, words: int, image_encoder: nn.Module | None) -> CLIP:
    """The model of a configuration, with the image encoder of its data if there is one."""
    model = build(config, words, END, image_encoder)
    return lock(model) if isinstance(image_encoder, LockedFeatures) else model


def on_device(batch_at: Callable[[int], Batch], device: torch.device) -> Callable[[int], Batch]:
    """The same batches, on a device."""
    return lambda step: Batch(*(tensor.to(device) for tensor in batch_at(step)))


def check_sizes(config: Config) -> None:
    """Raises ValueError if heads do not divide a width, or patches an image."""
    checks = [("--text-heads", config.text_heads, "--text-width", config.text_width)]
    if config.image_encoder == "vit":
        checks.append(("--heads", config.heads, "--width", config.width))
        checks.append(("--patch", config.patch, "--image-size", config.image_size))
    elif config.image_encoder == "cnn":
        checks.append(("--heads", config.heads, "the last of --channels", config.channels[-1]))
    for heads, count, name, width in checks:
        if width % count:
            raise ValueError(f"{heads} must divide {name}, {width}, got {count}")


def open_model(name: str, command: str) -> tuple[Path, dict[str, Any], Config, Tokenizer, CLIP]:
    """A finished run: its folder, its data, configuration and tokenizer, and the model in evaluation mode.

    Raises:
        ValueError: if there is no finished run of that name, or a file in it is damaged.
    """
    folder, data, config = training.open_run("clip_mini", name, Config, command)
    try:
        tokenizer = Tokenizer((folder / "words.txt").read_text(encoding="utf-8").split("\n")[:-1])
    except (OSError, ValueError) as error:  # deleted, or edited
        raise CheckpointError(f"{folder / 'words.txt'} is damaged or of another version: train anew") from error
    image_encoder = None
    if config.image_encoder == "features" and data["data"] == "emoji":
        image_encoder = LockedFeatures.empty(EfficientNetLite0(), config.common)
    elif config.image_encoder == "features":
        image_encoder = Features.empty(EfficientNetLite0())
    model = built(config, len(tokenizer), image_encoder)
    folders.load_best(folder, {"model": model})
    return folder, data, config, tokenizer, model.eval()


def command_for(data: str) -> str:
    """The command that trains on a data set."""
    options = {"toy": "", "folder": " --data folder --root DIR", "shards": " --data shards --path 'DIR/*.tar'"}
    return "python -m clip_mini" + options.get(data, f" --data {data}")


def command_for_run(name: str) -> str:
    """The command that makes a run of this name."""
    known = ("toy", "emoji", "folder", "shards")
    return command_for(name) if name in known else f"python -m clip_mini --run {shlex.quote(name)}"
