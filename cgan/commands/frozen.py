"""What is trained before the players, once, and then frozen: the judges and the encoders."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cgan.datasets.digits import LABELS, Digits
from cgan.datasets.toy import ATTRIBUTES, SIDE, Captioned, captioned, judge_scenes, pictures
from cgan.datasets.two import captioned_pairs, two_scene
from cgan.extensions.judge import (
    JudgeConfig,
    JudgeNetwork,
    accuracy,
    build_judge_optimizer,
    jitter,
    judge_batches,
    train_judge,
)
from cgan.extensions.pretraining import (
    EncoderConfig,
    Encoders,
    build_encoder_optimizer,
    encoder_batches,
    sentence_vectors,
    train_encoders,
)
from cgan.extensions.relations import found_in, pair_batches
from detector.evaluate import score
from detector.model import CELL, Detector
from detector.train import Config as DetectorConfig
from detector.train import build_optimizer as build_detector_optimizer
from detector.train import train as train_detector
from lab import cli, folders, training
from toyworld.scenes import Scene
from toyworld.tokenizer import Tokenizer

POOL = 16_000  # toy scenes that the players and the encoders learn from; they are drawn once
TEST = 2_000  # real toy pictures to compare with; the judge and the encoders are tested on them, too
SCENES = 12_000  # that the toy world's judge learns from; a quarter of them have pairs that the players never see
SEED = 1000  # of its scenes; the players' are those of small seeds


def load_frozen(task: training.Task, command: str, machine: cli.Machine) -> nn.Module:
    """The trained judge or encoder, frozen; it is trained now if it is not there. ``task.role`` says which.

    Raises:
        ValueError: if the one that is there was trained on other data, or in another way.
    """
    folder = training.folder_of("cgan", task.name)
    if place := folders.finished_or_none(folder):
        before, now = folders.read_summary(place)["config"], training.run_config(task)
        if changes := folders.differences(before, now):
            raise ValueError(
                f"{folder} holds another {task.role} ({changes}): delete this folder, and it is trained anew"
            )
    return training.pretrained(task, command, machine.device, machine.threads)


def on_device(batch_at: Callable, device: torch.device) -> Callable[[int], list[Tensor]]:
    """The same batches on a device."""
    return lambda step: [tensor.to(device) for tensor in batch_at(step)]


class JudgeTask(training.Task):
    """What the judges of digits and of the toy world have in common."""

    paper, role = "cgan", "judge"
    config: JudgeConfig
    planes: int  # of a picture
    side: int  # pixels, height and width
    answers: tuple[int, ...]  # how many values each answer has
    change: tuple[Callable, ...] = ()  # what happens to a training picture at random

    def pictures(self, split: str) -> tuple[Tensor, Tensor]:
        """Real pictures and the right answers; ``split`` is judge, for its training, or test."""
        raise NotImplementedError

    def build(self) -> JudgeNetwork:
        return JudgeNetwork(self.planes, self.side, self.config.channels, self.answers)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_judge_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        batch_at = judge_batches(*self.pictures("judge"), self.config, *self.change)
        train_judge(model, *optimizers.values(), on_device(batch_at, device), steps, log)

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The share of real test pictures of which all answers are right."""
        return {"accuracy": accuracy(model, *self.pictures("test"))}


class DigitJudgeTask(JudgeTask):
    """The judge of digits."""

    planes, side, answers, change = 1, 28, (LABELS,), (jitter,)

    def __init__(self, data: Mapping[str, Any], digits: Mapping[str, Digits]) -> None:
        self.config, self.digits = JudgeConfig(), digits
        self.steps, self.name = self.config.steps, f"judge-{data['data']}"
        self.data = {**data, "data": self.name}

    def pictures(self, split: str) -> tuple[Tensor, Tensor]:
        images, labels = self.digits[split]
        return images, labels[:, None]


class ToyJudgeTask(JudgeTask):
    """The judge of one object's colour, shape and size. A quarter of its pictures have pairs held out."""

    planes, side, answers = 3, SIDE, tuple(map(len, ATTRIBUTES.values()))

    def __init__(self, kind: str) -> None:
        self.config = JudgeConfig(steps={"close": 800, "anywhere": 2000}[kind])
        self.steps, self.kind, self.name = self.config.steps, kind, f"judge-toy-{kind}"
        self.data = {"data": self.name}

    def pictures(self, split: str) -> tuple[Tensor, Tensor]:
        return judge_scenes(self.kind, SEED, SCENES) if split == "judge" else judge_scenes(self.kind, SEED + 1, TEST)


class PairJudgeTask(training.Task):
    """The judge of two objects: a detector. A quarter of its pictures have pairs held out."""

    paper, role, name = "cgan", "judge", "judge-toy-two"
    data: Mapping[str, Any] = {"data": name}

    def __init__(self) -> None:
        self.config = DetectorConfig(steps=1500, images=24, seed=SEED)
        self.steps = self.config.steps

    def build(self) -> Detector:
        return Detector()

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_detector_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        batch_at = pair_batches(lambda index: judged_pair(SEED, index), self.config.images, SIDE)
        train_detector(model, *optimizers.values(), on_device(batch_at, device), steps, log)

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The share of real test pictures that are read without a mistake."""
        scenes = [judged_pair(SEED + 1, index) for index in range(TEST)]
        return {"accuracy": score(found_in(model, pictures(scenes)), scenes, CELL / (2 * SIDE))["all_right"]}


def judged_pair(seed: int, index: int) -> Scene:
    return two_scene("train" if index % 4 else "compositional", seed, index)


def suffix(language: str) -> str:
    """What a run's name has more in a language."""
    return "" if language == "english" else f"-{language}"


def encoder_config(kind: str) -> EncoderConfig:
    """An object that may be anywhere needs a picture encoder that counts what there is, not where. A relation needs
    regions, and sentences that are nearly true."""
    given = {
        "close": {},
        "anywhere": {"picture": "pooled"},
        "two": {"picture": "regions", "steps": 1000, "false_sentences": 2.0},
    }
    return EncoderConfig(**given[kind])


def pictures_with_sentences(kind: str, language: str, split: str, seed: int, count: int) -> Captioned:
    """``count`` pictures of a kind of scenes, each with some right and some wrong sentences."""
    if kind == "two":
        return captioned_pairs(language, split, seed, count)
    return captioned(kind, language, split, seed, count)


class EncoderTask(training.Task):
    """The sentence encoder and the picture encoder, trained together.

    Args:
        begin: a trained picture encoder. The convolutions of the new one begin with its weights.
    """

    paper, role = "cgan", "sentence encoder"

    def __init__(self, kind: str, language: str, tokenizer: Tokenizer, begin: nn.Module | None = None) -> None:
        self.config, self.begin = encoder_config(kind), begin
        self.steps, self.name = self.config.steps, f"encoder-toy-{kind}{suffix(language)}"
        self.data = {"data": self.name, "language": language}
        self.kind, self.language, self.tokenizer = kind, language, tokenizer

    def build(self) -> Encoders:
        encoders = Encoders(len(self.tokenizer), self.config)
        for name in ("first", "second", "third") if self.begin else ():
            getattr(encoders.picture, name).load_state_dict(getattr(self.begin, name).state_dict())
        return encoders

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_encoder_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        examples = pictures_with_sentences(self.kind, self.language, "train", 0, POOL)
        ids = self.tokenizer.encode(examples.sentences)
        batch_at = encoder_batches(examples, ids, self.config.seed, self.config.batch)
        weight = self.config.false_sentences
        train_encoders(model, *optimizers.values(), on_device(batch_at, device), steps, log, weight)

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The share of real test pictures that are nearer to their right sentence than to their wrong one."""
        examples = pictures_with_sentences(self.kind, self.language, "test", 0, TEST)
        vectors = sentence_vectors(model.sentence, self.tokenizer.encode(examples.sentences))
        device = next(model.parameters()).device
        with torch.no_grad():
            seen = torch.cat([model.picture(part.to(device)) for part in examples.images.split(500)])
            chosen = (vectors[rows[:, 0]].to(device) for rows in (examples.right, examples.wrong))
            right, wrong = (model.score(seen, sentences) for sentences in chosen)
        return {"accuracy": (right > wrong).double().mean().item()}
