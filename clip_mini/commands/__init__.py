"""The verbs of ``python -m clip_mini``: train (the default), judge, compare, ablate, search, tag, pack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from clip_mini.commands.compare import Ablate, Compare
from clip_mini.commands.pack import Pack
from clip_mini.commands.search import Search
from clip_mini.commands.tag import Tag
from clip_mini.commands.task import ClipTask, command_for_run, open_model
from clip_mini.evaluate import PROMISES
from clip_mini.train import CONFIGS, Config
from lab import cli, training
from lab.device import choose_device

DataName = Literal["toy", "emoji", "folder", "shards"]
ConfigName = Literal["toy", "toy-vit", "emoji", "folder", "shards"]
Configuration = Annotated[
    ConfigName | None, tyro.conf.arg(metavar=cli.metavar(ConfigName), help_behavior_hint="(default: that of the data)")
]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed for folder)")]
Files = Annotated[str | None, tyro.conf.arg(metavar="FILES", help_behavior_hint="(needed for shards)")]
Overrides = cli.overrides(Config, CONFIGS)


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on a data set, judge the best weights on its test splits, and draw what was learned."""

    data: DataName = "toy"  # the data set
    config: Configuration = None  # one of the configurations in clip_mini/train.py
    root: Folder = None  # the folder with captions.csv and the images
    path: Files = None  # the tar shards, such as 'DIR/*.tar', in quotation marks
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def execute(self, command: str) -> None:
        name = self.config or self.data
        config, run = cli.overridden(CONFIGS[name], self.configuration), self.run or name
        training.check_start("clip_mini", run, config, self, command)
        trained = training.train(ClipTask(self.data, config, self.root, self.path, run), self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge a trained model again on the test splits; nothing is trained."""

    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        folder, data, config, tokenizer, model = open_model(self.run, command_for_run(self.run))
        root = Path(data["root"]) if "root" in data else None
        task = ClipTask(data["data"], config, root, data.get("path"), self.run)
        if task.source.tokenizer.words != tokenizer.words:
            raise ValueError(f"{folder} was trained on data with other words: judge it on its own data")
        task.check()
        judged = training.judge(task, model.to(choose_device(self.device)), folder)
        print(result_table(judged.results))
        print(folder / "results.json", *judged.figures, sep="\n")


def result_table(results: Mapping[str, Any]) -> str:
    """In %: a row for each split and measure; columns for the baselines and the model, and what is promised."""
    data, splits = results["what"], results["splits"]
    names = list(dict.fromkeys(name for columns in splits.values() for name in columns))
    promised = {split: {m: PROMISES.get((data, split, m)) for m in splits[split]["reached"]} for split in splits}
    if any(value is not None for values in promised.values() for value in values.values()):
        names, splits = [*names, "promised"], {s: {**splits[s], "promised": promised[s]} for s in splits}
    rows = [
        [f"{split}: {measure}", *(percent(columns.get(name, {}).get(measure)) for name in names)]
        for split, columns in splits.items()
        for measure in columns["reached"]
    ]
    head = [data, *names]
    widths = [max(len(row[k]) for row in (head, *rows)) for k in range(len(head))]
    return "\n".join(
        "  ".join(cell.rjust(n) if k else cell.ljust(n) for k, (cell, n) in enumerate(zip(row, widths, strict=True)))
        for row in (head, *rows)
    )


def percent(value: float | None) -> str:
    return "" if value is None else f"{100 * value:.2f}%"


VERBS = (Train, Judge, Compare, Ablate, Search, Tag, Pack)
DEFAULT = Train
