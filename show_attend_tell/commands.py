"""The verbs of ``python -m show_attend_tell``: train (the default), judge, caption."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from PIL import Image
from torch import Tensor, nn

from detector import commands as detector_commands
from detector.commands import load_detector
from lab import cli, training
from lab.checkpoint import CheckpointError
from lab.device import choose_device
from lab.images import load_image
from show_attend_tell.data import decode, toy_batches, toy_words
from show_attend_tell.decode import beam_search
from show_attend_tell.encoders import of_detector
from show_attend_tell.evaluate import LONGEST, PROMISES, captions_of, measure, most_frequent_caption, toy_examples
from show_attend_tell.figures import draw_attention, draw_training
from show_attend_tell.train import CONFIGS, Config, build, build_optimizer, train
from toyworld.tokenizer import Tokenizer

Language = Literal["english", "korean"]
Overrides = cli.overrides(Config, CONFIGS)
SPLITS = ("test", "compositional")
VALIDATION, TEST = 300, 2000  # scenes
VALIDATION_SEED = 1_000_000  # added to the run's seed: scenes that no training with a usual seed sees
ANNOTATION = 19  # length of an annotation vector of the detector's grid: 17 channels, x and y


class CaptionTask(training.Task):
    """A captioner on the toy world.

    Args:
        language: of the captions.
        command: the command that is running; it goes on with the detector's training after Ctrl-C.
        machine: device and threads, for the detector.
    """

    paper = "show_attend_tell"

    def __init__(self, language: str, config: Config, command: str, machine: cli.Machine, name: str = "") -> None:
        self.config, self.steps, self.language = config, config.steps, language
        self.name = name or ("toy" if language == "english" else f"toy-{language}")
        self.tokenizer = toy_words(language)
        self.annotations_of, fingerprint = annotations_of(config, command, machine)
        self.data: dict[str, Any] = {"data": "toy", "language": language, "detector": fingerprint}

    def files(self) -> dict[str, str]:
        return {"vocabulary.json": json.dumps(self.tokenizer.words, ensure_ascii=False) + "\n"}

    def build(self) -> nn.Module:
        return build(self.config, len(self.tokenizer), ANNOTATION)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        config = self.config
        batches = toy_batches(
            self.annotations_of, self.language, config.seed, config.images, config.captions, config.image_size
        )
        penalty, smoothing = config.doubly_stochastic, config.smoothing
        train(
            model,
            *optimizers.values(),
            lambda step: [t.to(device) for t in batches(step)],
            steps,
            log,
            penalty,
            smoothing,
        )

    def measured(self, model: nn.Module, split: str, seed: int, count: int) -> dict[str, dict[str, float]]:
        """The model beside its baselines, on the first scenes of a split."""
        examples = toy_examples(self.annotations_of, split, seed, count, self.config.image_size)
        often = most_frequent_caption(self.language, self.config.seed)
        return measure(model, self.tokenizer, self.language, self.annotations_of, examples, often)

    def validate(self, model: nn.Module) -> dict[str, float]:
        reached = self.measured(model, "train", self.config.seed + VALIDATION_SEED, VALIDATION)["reached"]
        return {"score": reached["right"], **reached}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """By split: the baselines, and under ``"reached"`` the model."""
        return {"splits": {split: self.measured(model, split, 0, TEST) for split in SPLITS}}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        figures = [folder / "attention.png", folder / "training.png", folder / "example.png"]
        (examples,) = toy_examples(self.annotations_of, "test", 0, 2, self.config.image_size)
        caption = captions_of(model, examples.annotations)[-1]  # of a scene with two objects
        image = examples.pixels[-1]
        draw_attention(figures[0], image, self.tokenizer.decode(caption.ids).split(), caption.weights)
        draw_training(figures[1], results["validation"])
        Image.fromarray((255 * image).round().byte().permute(1, 2, 0).numpy()).save(figures[2])
        return figures


def annotations_of(config: Config, command: str, machine: cli.Machine) -> tuple[Callable[[Tensor], Tensor], str]:
    """What turns pixels into what the model reads, and the fingerprint of the detector ("" without one).

    Raises:
        ValueError: if the image size is not that of the detector.
    """
    if config.encoder == "cnn":
        return lambda pixels: pixels, ""
    size = detector_commands.CONFIGS["toy"].image_size
    if config.image_size != size:
        raise ValueError(f"--image-size must be {size}, as in the detector's training, got {config.image_size}")
    detector, fingerprint = load_detector(command, machine.device, machine.threads)
    return lambda pixels: of_detector(detector.grid(pixels)), fingerprint


def open_model(name: str, command: str, machine: cli.Machine) -> tuple[Path, CaptionTask, nn.Module]:
    """A finished run: its folder, its task, and its model in evaluation mode.

    Raises:
        ValueError: if there is no finished run of that name, or it was trained on another detector or vocabulary.
        CheckpointError: if a file in it is damaged.
    """
    folder, data, config = training.open_run("show_attend_tell", name, Config, "python -m show_attend_tell")
    task = CaptionTask(data["language"], config, command, machine, name)
    if task.data["detector"] != data["detector"]:
        raise ValueError(f"{folder} was trained on another detector than runs/detector/toy: train it anew")
    try:
        words = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        tokenizer = Tokenizer(words)
    except (OSError, ValueError, TypeError) as error:
        raise CheckpointError(f"{folder / 'vocabulary.json'} is damaged or of another version: train anew") from error
    if tokenizer.words != task.tokenizer.words:
        raise ValueError(f"{folder} was trained with another vocabulary: train it anew")
    return folder, task, training.open_weights(task, folder)


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on the toy world, judge the best weights on its test splits, and draw where the model looks."""

    language: Language = "english"  # of the captions
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def execute(self, command: str) -> None:
        config = cli.overridden(CONFIGS["toy"], self.configuration)
        name = self.run or ("toy" if self.language == "english" else f"toy-{self.language}")
        training.check_start("show_attend_tell", name, config, self, command)
        task = CaptionTask(self.language, config, command, self, name)
        trained = training.train(task, self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")
        run = "" if name == "toy" else f" --run {name}"
        print(f"caption it: python -m show_attend_tell caption{run} {trained.figures[-1]}")


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge a trained model again on the test splits; nothing is trained."""

    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        folder, task, model = open_model(self.run, command, self)
        judged = training.judge(task, model.to(choose_device(self.device)), folder)
        print(result_table(judged.results))
        print(folder / "results.json", *judged.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Caption(cli.Machine):
    """Print captions of image files with their log p, and draw the attention at each word."""

    files: tyro.conf.Positional[tuple[Path, ...]]  # the image files
    run: str = "toy"  # the name of the run
    beam: Annotated[int, tyro.conf.arg(metavar="N")] = 5  # width of the beam search; 1 is greedy decoding
    length_penalty: float = 0.0  # log p is divided by the number of words to this power

    def execute(self, command: str) -> None:
        if not self.files:
            raise ValueError("caption needs at least one image file, got none")
        if self.beam < 1:
            raise ValueError(f"--beam must be at least 1, got {self.beam}")
        folder, task, model = open_model(self.run, command, self)
        for file in self.files:
            pixels = load_image(file, task.config.image_size)[None].float() / 255
            (found,) = beam_search(model, task.annotations_of(pixels), self.beam, LONGEST, self.length_penalty)
            best = found[0]
            print(f"{file}: {decode(task.tokenizer, best.ids)}  (log p {best.log_probability:.3f})")
            picture = folder / f"attention-{file.stem}.png"
            draw_attention(picture, pixels[0], task.tokenizer.decode(best.ids).split(), best.weights)
            print(picture)


def result_table(results: Mapping[str, Any]) -> str:
    """For each test split a table in %: columns for the model and its baselines; the promises where there are any."""
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


VERBS = (Train, Judge, Caption)
DEFAULT = Train
