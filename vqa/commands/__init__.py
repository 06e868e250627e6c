"""The verbs of ``python -m vqa``: train (the default), judge, compare, ask."""

import json
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from PIL import Image
from torch import nn

from detector import commands as detector_commands
from detector.commands import load_detector
from lab import cli, training
from lab.checkpoint import write_text
from lab.device import choose_device
from vqa.commands.ask import Ask
from vqa.commands.opened import command_for_run, features_of, open_model
from vqa.datasets.sources import Source, open_source
from vqa.evaluate import ALL, PROMISES, Examples, accuracies, baselines
from vqa.figures import draw_answers, draw_comparison, draw_training, first_error, one_of_each_kind
from vqa.model import VQA
from vqa.train import CONFIGS, Config, build, build_optimizer, train

Language = Literal["english", "korean"]
DataName = Literal["toy", "easy-vqa", "vqa-v2"]
ConfigName = Literal["toy", "easy-vqa", "vqa-v2", "paper"]
Configuration = Annotated[
    ConfigName | None, tyro.conf.arg(metavar=cli.metavar(ConfigName), help_behavior_hint="(default: that of the data)")
]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed for vqa-v2)")]
Overrides = cli.overrides(Config, CONFIGS)
VARIANTS: Mapping[str, Mapping[str, str]] = {  # of the comparison: what differs from the configuration
    "product": {"fusion": "product", "inputs": "both"},
    "sum": {"fusion": "sum", "inputs": "both"},
    "concat": {"fusion": "concat", "inputs": "both"},
    "question only": {"fusion": "product", "inputs": "question"},
    "image only": {"fusion": "product", "inputs": "image"},
}


class VQATask(training.Task):
    """A model of a configuration on one of the data sets.

    Args:
        data: toy, easy-vqa or vqa-v2.
        root: the folder of VQA v2.
        command: the command that is running; it goes on with the detector's training after Ctrl-C.
        machine: device and threads, for the detector.
        language: of the toy world's questions.
    """

    paper = "vqa"

    def __init__(
        self,
        data: str,
        config: Config,
        command: str,
        machine: cli.Machine,
        root: Path | None = None,
        name: str = "",
        language: str = "english",
    ) -> None:
        self.config, self.steps, self.name = config, config.steps, name or data
        self.data: dict[str, Any] = {"data": data} | ({"language": language} if data == "toy" else {})

        def grid() -> Callable:  # called when all else is in order: the detector may have to be trained
            size = detector_commands.CONFIGS["toy"].image_size
            if config.image_size != size:
                raise ValueError(f"--image-size must be {size}, as in the detector's training, got {config.image_size}")
            detector, self.data["detector"] = load_detector(command, machine.device, machine.threads)
            return detector.grid

        self.source: Source = open_source(data, config, grid, root, language)

    def check(self) -> None:
        self.source.check()

    def files(self) -> dict[str, str]:
        return {"vocabulary.json": self.source.vocabulary.to_json()}

    def build(self) -> VQA:
        vocabulary = self.source.vocabulary
        return build(self.config, len(vocabulary.tokenizer), len(vocabulary.answers))

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        def batch_at(step: int) -> list[torch.Tensor]:
            return [tensor.to(device) for tensor in self.source.batch_at(step)]

        train(model, *optimizers.values(), batch_at, steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        reached = accuracies(model, self.source.vocabulary, self.source.validation())
        return {"score": reached.pop(ALL), **reached}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model, each by kind of question."""
        source, splits = self.source, {}
        for split in source.splits:
            splits[split] = baselines(
                source.asked("train"), source.asked(split), source.vocabulary.answers, source.possible
            ) | {"reached": accuracies(model, source.vocabulary, source.test(split))}
        return {"splits": splits}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        split, examples = self.source.splits[0], self.first_examples()
        figures = [folder / "answers.png", folder / "training.png", folder / "example.png"]
        error = first_error(model, self.source.vocabulary, examples)
        draw_answers(figures[0], model, self.source.vocabulary, one_of_each_kind(examples, last=error))
        draw_training(figures[1], results["validation"], results["splits"][split]["chance"])
        pixels = (255 * examples.pixels[examples.image_of[0]]).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(pixels).save(figures[2])
        return figures

    def first_examples(self) -> Examples:
        """The first chunk of the first test split."""
        return next(iter(self.source.test(self.source.splits[0])))


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on a data set, judge the best weights on its test splits, and draw what was learned."""

    data: DataName = "toy"  # the data set
    config: Configuration = None  # one of the configurations in vqa/train.py
    root: Folder = None  # the folder with VQA v2's questions, annotations and images
    language: Language = "english"  # of the toy world's questions and answers
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> Config:
        """The configuration with the user's changes."""
        chosen = CONFIGS[self.config or self.data]
        if self.config == "paper" and self.data == "toy":
            chosen = replace(chosen, background=CONFIGS["toy"].background)
        return cli.overridden(chosen, self.configuration)

    @property
    def name(self) -> str:
        """Of the run."""
        return self.run or (self.data if self.language == "english" else f"{self.data}-{self.language}")

    def execute(self, command: str) -> None:
        config = self.chosen_config()
        training.check_start("vqa", self.name, config, self, command)
        task = VQATask(self.data, config, command, self, self.root, self.name, self.language)
        trained = training.train(task, self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")
        words = ["--run", self.name] if self.name != "toy" else []
        example = [str(trained.figures[-1]), task.first_examples().texts[0]]
        print("ask it:", shlex.join(["python", "-m", "vqa", "ask", *words, *example]))


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge a trained model again on the test splits; nothing is trained."""

    run: str = "toy"  # the name of the run
    root: Folder = None  # the folder with VQA v2's questions, annotations and images

    def execute(self, command: str) -> None:
        folder, data, config, vocabulary, model = open_model(self.run, command_for_run(self.run))
        features_of(data, config, command, self)
        language = data.get("language", "english")
        task = VQATask(data["data"], config, command, self, self.root, self.run, language)
        if task.source.vocabulary.to_json() != vocabulary.to_json():
            raise ValueError(f"{folder} was trained on data with other words or answers: judge it on its own data")
        task.check()
        judged = training.judge(task, model.to(choose_device(self.device)), folder)
        print(result_table(judged.results))
        print(folder / "results.json", *judged.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Compare(Train):
    """Train the three fusions, the question alone and the image alone, one after the other, and compare them."""

    def execute(self, command: str) -> None:
        folder = f"compare/{self.name}"
        runs = {name: f"{folder}/{name.replace(' ', '-')}" for name in VARIANTS}
        configs = {name: replace(self.chosen_config(), **changes) for name, changes in VARIANTS.items()}
        for name, config in configs.items():
            training.check_start("vqa", runs[name], config, self, command)
        tasks = {
            name: VQATask(self.data, config, command, self, self.root, runs[name], self.language)
            for name, config in configs.items()
        }
        trained = training.compare(tasks, self, command)
        split = tasks["product"].source.splits[0]
        measured = {name: one.results["splits"][split] for name, one in trained.items()}
        reached = {name: rows["reached"] for name, rows in measured.items()}
        chance, place, data = measured["product"]["chance"], training.folder_of("vqa", folder), tasks["product"].data
        draw_comparison(place / "comparison.png", reached, chance)
        results = {"paper": "vqa", "what": "comparison", "data": data, "split": split, "command": command}
        results["variants"] = measured
        write_text(place / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        print(f"{data_name(data)}, {split} split\n{table({'chance': chance, **reached})}\n{place / 'comparison.png'}")


def result_table(results: Mapping[str, Any]) -> str:
    """For each test split a table in %: a row for each kind of question; columns for the baselines and the model."""
    data = data_name(results["data"])
    return "\n\n".join(
        f"{data}, {split} split\n"
        + table(columns, {kind: PROMISES.get((results["data"]["data"], split, kind)) for kind in columns["reached"]})
        for split, columns in results["splits"].items()
    )


def data_name(data: Mapping[str, Any]) -> str:
    """Of the data of a run: toy, toy-korean, easy-vqa or vqa-v2."""
    return data["data"] if data.get("language", "english") == "english" else f"{data['data']}-{data['language']}"


def table(columns: Mapping[str, Mapping[str, float]], promised: Mapping[str, float | None] | None = None) -> str:
    """Columns of accuracies in %, a row for each kind; a column of promises where there are any."""
    if promised and any(value is not None for value in promised.values()):
        columns = {**columns, "promised": promised}
    kinds = list(next(iter(columns.values())))
    width = max(map(len, ("kind", *kinds)))
    lines = ["  ".join(["kind".ljust(width), *(f"{name:>8}" for name in columns)])]
    for kind in kinds:
        cells = (percent(column[kind]).rjust(max(8, len(name))) for name, column in columns.items())
        lines.append("  ".join([kind.ljust(width), *cells]))
    return "\n".join(lines)


def percent(accuracy: float | None) -> str:
    return "" if accuracy is None else f"{100 * accuracy:.2f}%"


VERBS = (Train, Judge, Compare, Ask)
DEFAULT = Train
