"""The verb ``compare``: soft, hard and no attention, and the penalty of equation 14, on the same toy data."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any

import tyro

from lab import cli, training
from lab.checkpoint import write_text
from show_attend_tell.commands.task import SPLITS, HardTask, Language, ToyTask, check_effect
from show_attend_tell.extensions.hard_attention import HardConfig
from show_attend_tell.figures import draw_captions, draw_comparison
from show_attend_tell.train import CONFIGS, Config

Overrides = cli.overrides(Config, CONFIGS)
VARIANTS: Mapping[str, Mapping[str, Any]] = MappingProxyType(  # what differs from the configuration
    {
        "soft": {"attention": "soft", "penalty_weight": 0.0},
        "soft, λ = 1": {"attention": "soft", "penalty_weight": 1.0},
        "hard": {"attention": "hard", "penalty_weight": 0.0},
        "none": {"attention": "none", "penalty_weight": 0.0},
    }
)
FOLDERS = {"soft": "soft", "soft, λ = 1": "soft-1", "hard": "hard", "none": "none"}
WHATS = ("right", "true", "complete", "pointing")


@dataclass(frozen=True, kw_only=True)
class Compare(cli.TrainingOptions):
    """Train with soft, hard and no attention, and with the doubly stochastic penalty, and compare them."""

    language: Language = "english"  # of the captions
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def execute(self, command: str) -> None:
        for name in ("attention", "penalty_weight"):
            if getattr(self.configuration, name) is not None:
                raise ValueError(f"--{name.replace('_', '-')} is what compare changes itself: leave it out")
        config = cli.overridden(CONFIGS["toy"], self.configuration)
        check_effect(self.configuration, config)
        place = f"compare/{self.run or ('toy' if self.language == 'english' else f'toy-{self.language}')}"
        runs = {name: f"{place}/{FOLDERS[name]}" for name in VARIANTS}
        configs = {name: variant(config, name) for name in VARIANTS}
        for name, run in runs.items():
            training.check_start("show_attend_tell", run, configs[name], self, command)
        tasks = {
            name: (HardTask if name == "hard" else ToyTask)(self.language, configs[name], command, self, run)
            for name, run in runs.items()
        }
        trained = training.compare(tasks, self, command)
        measured = {
            name: {key: one.results[key] for key in ("splits", "validation", "seconds")}
            for name, one in trained.items()
        }
        folder = training.folder_of("show_attend_tell", place)
        draw_comparison(folder / "comparison.png", measured)
        shown = {name: tasks[name].captioned(one.model)[1] for name, one in trained.items()}  # two objects
        draw_captions(folder / "attention.png", list(shown.values()), list(shown))
        content = {
            "paper": "show_attend_tell",
            "what": "comparison",
            "data": {"data": "toy", "language": self.language},
            "command": command,
            "config": training.in_json(asdict(config)),
            "steps": config.steps,
            "seconds": round(sum(one["seconds"] for one in measured.values()), 1),
            "variants": measured,
        }
        write_text(folder / "results.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(comparison_table(measured))
        print(folder / "results.json", folder / "comparison.png", folder / "attention.png", sep="\n")


def variant(config: Config, name: str) -> Config:
    """The configuration of a variant."""
    if name == "hard":
        return HardConfig(**(asdict(config) | VARIANTS[name]))
    return replace(config, **VARIANTS[name])


def comparison_table(variants: Mapping[str, Mapping[str, Any]]) -> str:
    """In %: a row for each variant, a column for each split and measure."""
    columns = [(split, what) for split in SPLITS for what in WHATS]
    heads = [f"{split}, {what}" for split, what in columns]
    width = max(map(len, ("in %", *variants)))
    lines = ["  ".join(["in %".ljust(width), *heads])]
    for name, one in variants.items():
        reached = {split: one["splits"][split]["reached"] for split in SPLITS}
        cells = (f"{100 * reached[split][what]:.2f}" if what in reached[split] else "–" for split, what in columns)
        lines.append("  ".join([name.ljust(width), *(c.rjust(len(h)) for c, h in zip(cells, heads, strict=True))]))
    return "\n".join(lines)
