"""The verbs of ``python -m cgan``: train (the default), judge, draw, interpolate."""

import dataclasses
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import torch
import tyro

from cgan.commands.frozen import suffix
from cgan.commands.sentences import Language, TextGAN, TextTask, build_game, text_interpolated
from cgan.commands.task import interpolated, task_of
from cgan.commands.two import PairTask
from cgan.data import MODES, random_at
from cgan.datasets.digits import LABELS
from cgan.evaluate import PROMISES, samples_of
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS, PenaltyConfig
from cgan.extensions.obedience import text_samples
from cgan.extensions.pretraining import sentence_vectors
from cgan.extensions.projection import TEXT_CONFIGS, TextConfig
from cgan.figures import draw_pictures
from cgan.model import GAN
from cgan.train import CONFIGS, Config, build
from lab import cli, folders, training
from toyworld.tokenizer import Tokenizer, split_words

DataName = Literal["ring", "digits", "mnist", "toy"]
SceneName = Literal["close", "anywhere", "two"]
Folder = Annotated[Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(needed for mnist)")]
Sentence = Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]
RunName = Annotated[str | None, tyro.conf.arg(metavar="NAME", help_behavior_hint="")]
Output = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="(default: in the run's folder)")]
ONLY_PICTURES = ("channels", "penalty")  # fields of a configuration without effect on the ring


@dataclass(frozen=True)
class AnyConfig(TextConfig, PenaltyConfig):
    """The fields of all configurations."""


TOY = {f"toy, {scene}": config for scene, config in TEXT_CONFIGS.items()}
Overrides = cli.overrides(AnyConfig, {**CONFIGS, **PICTURE_CONFIGS, **TOY})


def open_gan(name: str, command: str) -> tuple[Path, dict[str, Any], Config, GAN]:
    """A finished run on labels: its folder, its data, its configuration, and the players in evaluation mode."""
    folder = training.find_run("cgan", name, command)
    kind = PenaltyConfig if "penalty" in folders.read_summary(folder)["config"] else Config
    folder, data, config = training.open_run("cgan", name, kind, command)
    if data.get("data") not in ("ring", *PICTURE_CONFIGS):
        raise ValueError(f"{folder} holds no players that know labels: it is a run of {data.get('data')}")
    gan = build(config, MODES if data["data"] == "ring" else LABELS)
    folders.load_best(folder, {"model": gan})
    return folder, data, config, gan.eval()


def open_text_gan(name: str) -> tuple[Path, dict[str, Any], TextConfig, TextGAN, Tokenizer]:
    """A finished run on sentences: its folder, its data, its configuration, the players, and the known words."""
    folder, data, config = training.open_run("cgan", name, TextConfig, command_for_run(name))
    if not is_toy(data):
        raise ValueError(f"{folder} holds no players that know sentences: it is a run of {data.get('data')}")
    tokenizer = Tokenizer((folder / "words.txt").read_text(encoding="utf-8").split())
    gan = build_game(data["data"].removeprefix("toy-"), config, len(tokenizer))
    folders.load_best(folder, {"model": gan})
    return folder, data, config, gan.eval(), tokenizer


def is_toy(data: Mapping[str, Any]) -> bool:
    """Whether a run is one of players that know sentences."""
    return data.get("data") in [f"toy-{scene}" for scene in TEXT_CONFIGS]


def text_task(kind: str, *others: Any) -> TextTask:
    """The task of a kind of scenes."""
    return (PairTask if kind == "two" else TextTask)(kind, *others)


def command_for_run(name: str) -> str:
    """The command that makes a run of this name."""
    options = {"ring": "", "digits": " --data digits", "mnist": " --data mnist --root DIR"}
    for scene, language in product(TEXT_CONFIGS, get_args(Language)):
        said = "" if language == "english" else f" --language {language}"
        options[f"toy-{scene}{suffix(language)}"] = f" --data toy --scene {scene}{said}"
    return "python -m cgan" + options.get(name, f" --run {shlex.quote(name)}")


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train both players on a data set, judge the fakes, and draw them."""

    data: DataName = "ring"  # the data set
    root: Folder = None  # the folder with the four IDX files of MNIST
    scene: SceneName | None = None  # of the toy world: one object close up (the default), one anywhere, or two
    language: Language | None = None  # of the toy world's sentences; by default english
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> Config | TextConfig:
        """The configuration with the user's changes.

        Raises:
            ValueError: if an option has no effect on this data set, or beside the other options.
        """
        config = (
            TEXT_CONFIGS[self.scene or "close"] if self.data == "toy" else {**CONFIGS, **PICTURE_CONFIGS}[self.data]
        )
        given = {name: value for name, value in asdict(self.configuration).items() if value is not None}
        used = {one.name for one in dataclasses.fields(config)} - (set(ONLY_PICTURES) if self.data == "ring" else set())
        toys = {name for name in ("scene", "language") if getattr(self, name) is not None and self.data != "toy"}
        if wrong := sorted((given.keys() - used) | toys):
            raise ValueError(
                f"--{wrong[0].replace('_', '-')} is for {having(wrong[0])} only, {self.data} does not use it"
            )
        if given.get("penalty") == 0 and "penalty_every" in given:
            raise ValueError("--penalty-every has no effect beside --penalty 0")
        chosen = dataclasses.replace(config, **given)
        if self.data == "toy" and chosen.generator == "pair" and self.chosen_scene != "two":
            raise ValueError("--generator pair is for --scene two only")
        if self.data == "toy" and chosen.discriminator in ("encoder", "untrained"):
            if self.chosen_scene == "close":
                raise ValueError(f"--discriminator {chosen.discriminator} is for --scene anywhere and two only")
            if idle := [name for name in ("discriminator_channels", "joint") if name in given]:
                name = idle[0].replace("_", "-")
                raise ValueError(f"--{name} has no effect beside --discriminator {chosen.discriminator}")
        return chosen

    def execute(self, command: str) -> None:
        config = self.chosen_config()
        name = self.run or (
            self.data if self.data != "toy" else f"toy-{self.chosen_scene}{suffix(self.chosen_language)}"
        )
        training.check_start("cgan", name, config, self, command)
        if self.data == "toy":
            if self.root is not None:
                raise ValueError("--root is for mnist only, toy needs no folder")
            task = text_task(self.chosen_scene, self.chosen_language, config, command, self, name)
        else:
            task = task_of(self.data, config, command, self, self.root, name)
        trained = training.train(task, self, command)
        print(result_table(trained.results))
        print(f"\n{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")

    @property
    def chosen_scene(self) -> str:
        return self.scene or "close"

    @property
    def chosen_language(self) -> str:
        return self.language or "english"


def having(option: str) -> str:
    """The data sets that use an option."""
    if option in ("scene", "language"):
        return "toy"
    known = {"ring": set(ONLY_PICTURES), "digits": set(), "mnist": set(), "toy": set()}
    fields = {"ring": CONFIGS["ring"], **PICTURE_CONFIGS, "toy": TEXT_CONFIGS["close"]}
    names = [data for data, one in fields.items() if hasattr(one, option) and option not in known[data]]
    return f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]


@dataclass(frozen=True, kw_only=True)
class Judge(cli.Machine):
    """Judge the fakes of a trained generator again; nothing is trained."""

    run: str = "ring"  # the name of the run
    root: Folder = None  # the folder with the four IDX files of MNIST; by default that of the training

    def execute(self, command: str) -> None:
        folder = training.find_run("cgan", self.run, command_for_run(self.run))
        if is_toy(folders.read_summary(folder)["config"]):
            if self.root is not None:
                raise ValueError("--root is for mnist only, toy needs no folder")
            folder, data, config, gan, _ = open_text_gan(self.run)
            kind = data["data"].removeprefix("toy-")
            task = text_task(kind, data["language"], config, command, self, self.run)
        else:
            folder, data, config, gan = open_gan(self.run, command_for_run(self.run))
            root = self.root or (Path(data["root"]) if data.get("root") else None)
            task = task_of(data["data"], config, command, self, root, self.run)
        results = training.judge(task, gan, folder)
        print(result_table(results.results))
        print(folder / "results.json", *results.figures, sep="\n")


@dataclass(frozen=True, kw_only=True)
class Draw(cli.Threads):
    """Draw pictures of a label, or of a sentence, with a trained generator."""

    label: cli.Number = None  # what to draw: a digit
    text: Sentence = None  # what to draw: a sentence, such as "a large blue star"
    count: int = 16  # how many pictures
    seed: int = 0  # of the noise
    run: RunName = None  # the name of the run; by default digits for a label, toy-close for a sentence
    output: Output = None  # the PNG file

    def execute(self, command: str) -> None:
        if self.count < 1:
            raise ValueError(f"--count must be at least 1, got {self.count}")
        if (self.label is None) == (self.text is None):
            raise ValueError("draw needs either --label or --text")
        random = random_at("test", check_seed(self.seed), 0)
        if self.text is None:
            folder, config, gan = open_pictures(self.run or "digits", self.label)
            noise = torch.randn(self.count, config.noise, generator=random)
            pictures = samples_of(gan.generator, noise, torch.full((self.count,), self.label))
            path = self.output or folder / f"draw-{self.label}.png"
        else:
            folder, _, config, gan, tokenizer = open_text_gan(self.run or "toy-close")
            known(self.text, tokenizer)
            vectors = sentence_vectors(gan.encoder, tokenizer.encode([self.text])).expand(self.count, -1)
            pictures = text_samples(gan.generator, torch.randn(self.count, config.noise, generator=random), vectors)
            path = self.output or folder / f"draw-{'-'.join(split_words(self.text))}.png"
        what = str(self.label) if self.text is None else self.text
        draw_pictures(path, {what + " " * k: part for k, part in enumerate(pictures.split(8))})
        print(path)


@dataclass(frozen=True, kw_only=True)
class Interpolate(cli.Threads):
    """Draw the way from one label or sentence to another: what lies between them, nobody has named."""

    from_: Annotated[str, tyro.conf.arg(name="from")]  # the first label or sentence
    to: str  # the last label or sentence
    seed: int = 0  # of the noise
    run: RunName = None  # the name of the run; by default digits for labels, toy-close for sentences
    output: Output = None  # the PNG file

    def execute(self, command: str) -> None:
        ends, seed = (self.from_, self.to), check_seed(self.seed)
        if all(re.fullmatch(r"-?\d+", end) for end in ends):
            start, end = map(int, ends)
            folder, config, gan = open_pictures(self.run or "digits", start, end)
            with torch.no_grad():
                rows = interpolated(gan, config.noise, start, end, seed)
        else:
            folder, _, config, gan, tokenizer = open_text_gan(self.run or "toy-close")
            for end in ends:
                known(end, tokenizer)
            rows = text_interpolated(gan, tokenizer, config.noise, *ends, seed)
        path = self.output or folder / f"interpolate-{'-'.join(word for end in ends for word in split_words(end))}.png"
        draw_pictures(path, rows)
        print(path)


def check_seed(seed: int) -> int:
    if seed < 0:
        raise ValueError(f"--seed must be at least 0, got {seed}")
    return seed


def known(text: str, tokenizer: Tokenizer) -> None:
    """Raises ValueError if a sentence has no words, or a word that training never showed; the word is named."""
    if not split_words(text):
        raise ValueError(f"a sentence must have at least one word, got {text!r}")
    if unknown := tokenizer.unknown(text):
        raise ValueError(f"unknown word {unknown[0]!r} in {text!r}: the known words are {', '.join(tokenizer.words)}")


def open_pictures(run: str, *labels: int) -> tuple[Path, Config, GAN]:
    """A finished run on pictures, for these labels.

    Raises:
        ValueError: if a label is out of range, or the run is on the ring.
    """
    for label in labels:
        if not 0 <= label < LABELS:
            raise ValueError(f"a label must be from 0 to {LABELS - 1}, got {label}")
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
        share, toy = f"{100 * results['judge']:.1f}% of the real test", results["what"].startswith("toy")
        answer = "pictures their colour, shape and size" if toy else "digits their own label"
        both = f"the judge reads {share} pictures of two objects without a mistake"
        lines.append(both if results["what"] == "toy-two" else f"the judge gives {share} {answer}")
    return "\n".join(lines)


VERBS = (Train, Judge, Draw, Interpolate)
DEFAULT = Train
