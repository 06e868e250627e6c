"""The verbs of ``python -m show_attend_tell``: train (the default), judge, compare, caption, evaluate."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from lab import cli, training
from show_attend_tell.commands.caption import Caption
from show_attend_tell.commands.compare import Compare
from show_attend_tell.commands.evaluate import Evaluate
from show_attend_tell.commands.opened import open_run
from show_attend_tell.commands.photographs import PhotoTask
from show_attend_tell.commands.task import CaptionTask, HardTask, Language, ToyTask, check_effect
from show_attend_tell.datasets import scores
from show_attend_tell.evaluate import PROMISES
from show_attend_tell.extensions.hard_attention import HardConfig
from show_attend_tell.extensions.photographs import PHOTO_CONFIGS, PhotoConfig
from show_attend_tell.train import CONFIGS, Config

DataName = Literal["toy", "flickr8k", "coco"]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed for flickr8k and coco)")]
Features = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: they are computed)")]
Moved = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: that of the training)")]
Overrides = cli.overrides(PhotoConfig, {**CONFIGS, **PHOTO_CONFIGS})
ONLY_TOY = ("captions", "encoder", "image_size", "background", "channels")  # fields without effect on photographs


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on a data set, judge the best weights on its test splits, and draw where the model looks."""

    data: DataName = "toy"  # the data set
    root: Folder = None  # the folder with the photographs and their captions
    features: Features = None  # a folder of precomputed features of the photographs, one .npy an image
    language: Language = "english"  # of the toy world's captions
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> Config:
        """The configuration with the user's changes.

        Raises:
            ValueError: if an option has no effect on this data set, or beside the other options.
        """
        toy = self.data == "toy"
        given = {
            f.name for f in dataclasses.fields(self.configuration) if getattr(self.configuration, f.name) is not None
        }
        if toy:
            given |= {name for name in ("root", "features") if getattr(self, name) is not None}
            wrong = given - {f.name for f in dataclasses.fields(Config)}
        else:
            wrong = (given & set(ONLY_TOY)) | ({"language"} if self.language != "english" else set())
        if wrong:
            option, others = f"--{min(wrong).replace('_', '-')}", "flickr8k and coco" if toy else "toy"
            raise ValueError(f"{option} is for {others} only, {self.data} does not use it")
        config = cli.overridden(CONFIGS["toy"] if toy else PHOTO_CONFIGS[self.data], self.configuration)
        if self.features is not None:
            if self.configuration.views is not None:
                raise ValueError(
                    "--views has no effect with --features, which has one view of each image: leave it out"
                )
            config = dataclasses.replace(config, views=1)
        check_effect(self.configuration, config)
        return config

    def execute(self, command: str) -> None:
        config, name = self.chosen_config(), self.run or self.data
        if self.language != "english" and not self.run:
            name = f"toy-{self.language}"
        training.check_start("show_attend_tell", name, config, self, command)
        task: CaptionTask
        if self.data == "toy":
            task = ToyTask(self.language, config, command, self, name)
        else:
            task = PhotoTask(self.data, config, self.root, self.features, name)
        trained = training.train(task, self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")
        if self.data == "toy":
            run = "" if name == "toy" else f" --run {name}"
            print(f"caption it: python -m show_attend_tell caption{run} {trained.figures[-1]}")


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge a trained model again on its test splits; nothing is trained."""

    run: str = "toy"  # the name of the run
    root: Moved = None  # the folder with the photographs and their captions

    def execute(self, command: str) -> None:
        opened = open_run(self.run, self.device)
        if opened.is_toy and self.root is not None:
            raise ValueError("--root is for flickr8k and coco only, toy does not use it")
        folder, data, config = opened.folder, opened.data, opened.config
        task: CaptionTask
        if isinstance(config, PhotoConfig):
            features = Path(data["features"]) if data["features"] else None
            task = PhotoTask(data["data"], config, self.root or Path(data["root"]), features, self.run, trains=False)
        else:
            kind = HardTask if isinstance(config, HardConfig) else ToyTask
            task = kind(data["language"], config, command, self, self.run)
        for what, now in task.data.items():
            if what != "root" and now != data.get(what):
                raise ValueError(f"{folder} was trained with other data: {what} was {data.get(what)} and is {now} now")
        task.check()
        judged = training.judge(task, opened.model, folder)
        print(result_table(judged.results))
        print(folder / "results.json", *judged.figures, sep="\n")


def result_table(results: Mapping[str, Any]) -> str:
    """For each test split a table: columns for the model and its baselines; the promises where there are any."""
    data = results["what"]
    if data != "toy":
        return "\n\n".join(f"{data}, {split}\n{scores.table(judged)}" for split, judged in results["splits"].items())
    data = "toy" if results["data"]["language"] == "english" else f"toy-{results['data']['language']}"
    parts = []
    for split, columns in results["splits"].items():
        promised = {what: PROMISES[key] for what in columns["reached"] if (key := (data, split, what)) in PROMISES}
        shown = {**columns, **({"promised": promised} if promised else {})}
        lines = ["  ".join([f"{data}, {split}".ljust(24), *(name.rjust(16) for name in shown)])]
        for what in columns["reached"]:
            cells = (f"{100 * column[what]:.2f}%" if what in column else "" for column in shown.values())
            lines.append("  ".join([what.ljust(24), *(cell.rjust(16) for cell in cells)]))
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


VERBS = (Train, Judge, Compare, Caption, Evaluate)
DEFAULT = Train
