"""The verbs ``compare`` and ``ablate``: several objectives on the same toy data, one after the other."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
import tyro
from torch import nn

from clip_mini.commands.task import ClipTask
from clip_mini.extensions.ablations import ABLATIONS, CLIPWithAnyLength
from clip_mini.extensions.objectives import (
    OBJECTIVES,
    Labelled,
    ObjectiveConfig,
    ShapeClasses,
    labelled_batches,
    train_relative,
    with_objective,
)
from clip_mini.figures import DIRECTIONS, draw_ablations, draw_comparison
from clip_mini.train import CONFIGS, Config
from lab import cli, folders, training
from lab.checkpoint import write_text

Overrides = cli.overrides(Config, CONFIGS)
BUILDERS = {**OBJECTIVES, **ABLATIONS}


class RelativeTask(ClipTask):
    """A CLIP on the toy world with any objective. Its module has two parts: ``"model"`` and ``"objective"``."""

    config: ObjectiveConfig

    parallel = False

    def __init__(self, config: ObjectiveConfig, name: str = "") -> None:
        super().__init__("toy", config, name=name)

    def build(self) -> nn.ModuleDict:
        model = super().build()  # first, so that all objectives begin with the same encoders
        if self.config.objective == "any length":
            model.__class__ = CLIPWithAnyLength  # the same weights
        return nn.ModuleDict({"model": model, "objective": BUILDERS[self.config.objective](self.config.common)})

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
class Several(cli.TrainingOptions):
    """Options of the verbs that train several objectives."""

    config: Literal["toy", "toy-vit"] = "toy"  # where the defaults of the options below come from: clip_mini/train.py
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def train_all(self, kind: str, names: Iterable[str], command: str) -> tuple[Path, Config, dict[str, Any]]:
        """Trains each in a run of its own. Gives their common folder, the configuration, and what was measured."""
        config = cli.overridden(CONFIGS[self.config], self.configuration)
        place = f"{kind}/{self.run or self.config}"
        runs = {name: f"{place}/{name.replace(' ', '-')}" for name in names}
        configs = {name: with_objective(config, name) for name in runs}
        for name, run in runs.items():
            training.check_start("clip_mini", run, configs[name], self, command)
        tasks = {name: RelativeTask(configs[name], run) for name, run in runs.items()}
        measured = {
            name: {key: one.results[key] for key in ("splits", "validation", "seconds")}
            | {"losses": folders.read_metrics(one.folder, "loss")}
            for name, one in training.compare(tasks, self, command).items()
        }
        return training.folder_of("clip_mini", place), config, measured


@dataclass(frozen=True, kw_only=True)
class Compare(Several):
    """Train on the toy world with every objective, one after the other, and compare their recall."""

    def execute(self, command: str) -> None:
        folder, config, measured = self.train_all("compare", OBJECTIVES, command)
        chance = chance_of(measured)
        draw_comparison(folder / "comparison.png", measured, chance)
        write_results(folder, "comparison", command, config, measured)
        print(f"{comparison_table(measured, chance)}\n{folder / 'comparison.png'}")


@dataclass(frozen=True, kw_only=True)
class Ablate(Several):
    """Train on the toy world without one part of the loss at a time, and draw what each is for."""

    def execute(self, command: str) -> None:
        folder, config, measured = self.train_all("ablate", ABLATIONS, command)
        draw_ablations(folder / "ablations.png", measured, config.pairs)
        write_results(folder, "ablations", command, config, measured)
        print(f"{comparison_table(measured, chance_of(measured))}\n{folder / 'ablations.png'}")


def chance_of(measured: Mapping[str, Mapping[str, Any]]) -> float:
    """Recall@1 by chance, on the test split."""
    return next(iter(measured.values()))["splits"]["test"]["chance"][f"{DIRECTIONS[0]} R@1"]


def write_results(
    folder: Path, what: str, command: str, config: Config, measured: Mapping[str, Mapping[str, Any]]
) -> None:
    """The ``results.json`` of several runs; the losses stay in the runs' own folders."""
    content = {
        "paper": "clip_mini",
        "what": what,
        "command": command,
        "steps": config.steps,
        "seed": config.seed,
        "seconds": round(sum(variant["seconds"] for variant in measured.values()), 1),
        "variants": {
            name: {"splits": variant["splits"], "validation": variant["validation"], "seconds": variant["seconds"]}
            for name, variant in measured.items()
        },
    }
    write_text(folder / "results.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def comparison_table(variants: Mapping[str, Mapping[str, Any]], chance: float) -> str:
    """Recall@1 in %: a row for each objective and for chance, a column for each split and direction."""
    splits = [
        split
        for split, one in next(iter(variants.values()))["splits"].items()
        if f"{DIRECTIONS[0]} R@1" in one["reached"]
    ]
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
