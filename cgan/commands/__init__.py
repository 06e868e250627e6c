"""The verbs of ``python -m cgan``: train (the default), judge, draw, interpolate."""

import dataclasses
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro

from cgan.commands.task import interpolated, task_of
from cgan.data import MODES, random_at
from cgan.datasets.digits import LABELS
from cgan.evaluate import PROMISES, samples_of
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS, PenaltyConfig
from cgan.figures import draw_pictures
from cgan.model import GAN
from cgan.train import CONFIGS, Config, build
from lab import cli, folders, training

DataName = Literal["ring", "digits", "mnist"]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed for mnist)")]
Output = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: in the run's folder)")]
Overrides = cli.overrides(PenaltyConfig, {**CONFIGS, **PICTURE_CONFIGS})
ONLY_PICTURES = ("channels", "penalty")  # fields without effect on the ring


def open_gan(name: str, command: str) -> tuple[Path, dict[str, Any], Config, GAN]:
    """A finished run: its folder, its data, its configuration, and the players in evaluation mode."""
    folder = training.find_run("cgan", name, command)
    kind = PenaltyConfig if "penalty" in folders.read_summary(folder)["config"] else Config
    folder, data, config = training.open_run("cgan", name, kind, command)
    if data.get("data") not in ("ring", *PICTURE_CONFIGS):
        raise ValueError(f"{folder} holds no players: it is a run of {data.get('data')}")
    gan = build(config, MODES if data["data"] == "ring" else LABELS)
    folders.load_best(folder, {"model": gan})
    return folder, data, config, gan.eval()


def command_for_run(name: str) -> str:
    """The command that makes a run of this name."""
    options = {"ring": "", "digits": " --data digits", "mnist": " --data mnist --root DIR"}
    return "python -m cgan" + options.get(name, f" --run {shlex.quote(name)}")


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train both players on a data set, judge the fakes, and draw them."""

    data: DataName = "ring"  # the data set
    root: Folder = None  # the folder with the four IDX files of MNIST
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> Config:
        """The configuration with the user's changes.

        Raises:
            ValueError: if an option has no effect on this data set.
        """
        if self.data != "ring":
            return cli.overridden(PICTURE_CONFIGS[self.data], self.configuration)
        given = {name: value for name, value in asdict(self.configuration).items() if value is not None}
        if wrong := sorted(given.keys() & set(ONLY_PICTURES)):
            raise ValueError(f"--{wrong[0]} is for digits and mnist only, ring does not use it")
        return dataclasses.replace(CONFIGS["ring"], **given)

    def execute(self, command: str) -> None:
        config, name = self.chosen_config(), self.run or self.data
        training.check_start("cgan", name, config, self, command)
        trained = training.train(task_of(self.data, config, command, self, self.root, name), self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge the fakes of a trained generator again; nothing is trained."""

    run: str = "ring"  # the name of the run
    root: Folder = None  # the folder with the four IDX files of MNIST; by default that of the training

    def execute(self, command: str) -> None:
        folder, data, config, gan = open_gan(self.run, command_for_run(self.run))
        root = self.root or (Path(data["root"]) if data.get("root") else None)
        task = task_of(data["data"], config, command, self, root, self.run)
        results = training.judge(task, gan, folder)
        print(result_table(results.results))
        print(folder / "results.json", *results.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Draw(cli.Threads):
    """Draw pictures of a label with a trained generator."""

    label: int  # what to draw
    count: int = 16  # how many pictures
    seed: int = 0  # of the noise
    run: str = "digits"  # the name of the run
    output: Output = None  # the PNG file

    def execute(self, command: str) -> None:
        if self.count < 1:
            raise ValueError(f"--count must be at least 1, got {self.count}")
        folder, config, gan = open_pictures(self.run, self.seed, self.label)
        noise = torch.randn(self.count, config.noise, generator=random_at("test", self.seed, 0))
        pictures = samples_of(gan.generator, noise, torch.full((self.count,), self.label))
        rows = {f"{self.label}" + " " * k: part for k, part in enumerate(pictures.split(8))}
        path = self.output or folder / f"draw-{self.label}.png"
        draw_pictures(path, rows)
        print(path)


@dataclass(frozen=True, kw_only=True)
class Interpolate(cli.Threads):
    """Draw the way from one label to another: between two labels lie points of the embedding that no label has."""

    from_: Annotated[int, tyro.conf.arg(name="from")]  # the first label
    to: int  # the last label
    seed: int = 0  # of the noise
    run: str = "digits"  # the name of the run
    output: Output = None  # the PNG file

    def execute(self, command: str) -> None:
        folder, config, gan = open_pictures(self.run, self.seed, self.from_, self.to)
        path = self.output or folder / f"interpolate-{self.from_}-{self.to}.png"
        with torch.no_grad():
            draw_pictures(path, interpolated(gan, config.noise, self.from_, self.to, self.seed))
        print(path)


def open_pictures(run: str, seed: int, *labels: int) -> tuple[Path, Config, GAN]:
    """A finished run on pictures, for these labels.

    Raises:
        ValueError: if a label or the seed is out of range, or the run is on the ring.
    """
    for label in labels:
        if not 0 <= label < LABELS:
            raise ValueError(f"a label must be from 0 to {LABELS - 1}, got {label}")
    if seed < 0:
        raise ValueError(f"--seed must be at least 0, got {seed}")
    folder, data, config, gan = open_gan(run, command_for_run(run))
    if data["data"] == "ring":
        raise ValueError(f"{folder} was trained on the ring and draws no pictures: name another with --run")
    return folder, config, gan


def result_table(results: Mapping[str, Any]) -> str:
    """A row for each measure; columns for chance, for real samples in the place of fakes, for the fakes, and for what
    is promised."""
    columns = results["splits"]["test"]
    promised = {what: value for (data, _, what), value in PROMISES.items() if data == results["what"]}
    shown = {**columns, **({"promised": promised} if promised else {})}
    lines = ["  ".join([f"{results['what']}, test".ljust(16), *(f"{name:>9}" for name in shown)])]
    for what in columns["reached"]:
        cells = (f"{column[what]:.3f}" if what in column else "" for column in shown.values())
        lines.append("  ".join([what.ljust(16), *(f"{cell:>9}" for cell in cells)]).rstrip())
    if "judge" in results:
        lines.append(f"the judge gives {100 * results['judge']:.1f}% of the real test digits their own label")
    return "\n".join(lines)


VERBS = (Train, Judge, Draw, Interpolate)
DEFAULT = Train
