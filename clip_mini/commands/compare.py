"""The verb ``compare``: every objective on the same toy data, one after the other."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from torch import nn

from clip_mini.commands.task import ClipTask
from clip_mini.extensions.objectives import (
    OBJECTIVES,
    Labelled,
    ObjectiveConfig,
    ShapeClasses,
    labelled_batches,
    train_relative,
    with_objective,
)
from clip_mini.figures_compare import DIRECTIONS, draw_comparison
from clip_mini.train import CONFIGS, Config
from lab import cli, training
from lab.checkpoint import write_text

Overrides = cli.overrides(Config, CONFIGS)


class RelativeTask(ClipTask):
    """A CLIP on the toy world with any objective. Its module has two parts: ``"model"`` and ``"objective"``."""

    config: ObjectiveConfig

    def __init__(self, config: ObjectiveConfig, name: str = "") -> None:
        super().__init__("toy", config, name)

    def build(self) -> nn.ModuleDict:
        model = super().build()  # first, so that all objectives begin with the same encoders
        return nn.ModuleDict({"model": model, "objective": OBJECTIVES[self.config.objective](self.config.common)})

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        labelled_at = labelled_batches(self.source.batch_at, ShapeClasses(self.source.tokenizer))

        def batch_at(step: int) -> Labelled:
            return Labelled(*(tensor.to(device) for tensor in labelled_at(step)))

        train_relative(model["model"], model["objective"], *optimizers.values(), batch_at, steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        return super().validate(model["model"])

    def judge(self, model: nn.Module) -> dict[str, Any]:
        return super().judge(model["model"])

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        return super().draw(folder, model["model"], results)


@dataclass(frozen=True, kw_only=True)
class Compare(cli.TrainingOptions):
    """Train on the toy world with every objective, one after the other, and compare their recall."""

    config: Literal["toy", "toy-vit"] = "toy"  # where the defaults of the options below come from: clip_mini/train.py
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> Config:
        """The configuration with the user's changes."""
        return cli.overridden(CONFIGS[self.config], self.configuration)

    def execute(self, command: str) -> None:
        config, place = self.chosen_config(), f"compare/{self.run or 'toy'}"
        configs = {name: with_objective(config, name) for name in OBJECTIVES}
        for name in OBJECTIVES:
            training.check_start("clip_mini", f"{place}/{name}", configs[name], self, command)
        tasks = {name: RelativeTask(configs[name], f"{place}/{name}") for name in OBJECTIVES}
        trained = training.compare(tasks, self, command)
        variants = {
            name: {key: one.results[key] for key in ("splits", "validation", "seconds")}
            for name, one in trained.items()
        }
        chance = next(iter(variants.values()))["splits"]["test"]["chance"][f"{DIRECTIONS[0]} R@1"]
        folder = training.folder_of("clip_mini", place)
        draw_comparison(folder / "comparison.png", variants, chance)
        results = {
            "paper": "clip_mini",
            "what": "comparison",
            "data": "toy",
            "command": command,
            "steps": config.steps,
            "seed": config.seed,
            "chance": chance,
            "variants": variants,
        }
        write_text(folder / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        print(f"{comparison_table(variants, chance)}\n{folder / 'comparison.png'}")


def comparison_table(variants: Mapping[str, Mapping[str, Any]], chance: float) -> str:
    """Recall@1 in %: a row for each objective and for chance, a column for each split and direction."""
    splits = list(next(iter(variants.values()))["splits"])
    columns = [(split, direction) for split in splits for direction in DIRECTIONS]
    width = max(map(len, ("recall@1", *variants)))
    lines = ["  ".join(["recall@1".ljust(width), *(f"{split}, {direction}" for split, direction in columns)])]
    rows = {"chance": [chance] * len(columns)}
    for name, variant in variants.items():
        rows[name] = [variant["splits"][split]["reached"][f"{direction} R@1"] for split, direction in columns]
    for name, row in rows.items():
        cells = (f"{recall:.2%}".rjust(len(f"{s}, {d}")) for recall, (s, d) in zip(row, columns, strict=True))
        lines.append("  ".join([name.ljust(width), *cells]))
    return "\n".join(lines)
