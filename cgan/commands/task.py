"""The tasks behind the verbs: the ring and digits."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from cgan.commands.frozen import DigitJudgeTask, load_frozen, on_device
from cgan.data import MODES, Batch, picture_batches, random_at, ring_batches
from cgan.datasets.digits import LABELS, Digits, read_digits, read_mnist
from cgan.evaluate import (
    EACH,
    check_diversity,
    fakes_of_each,
    measure_pictures,
    measure_ring,
    nearest,
    relative_diversity,
    vanishing_gradient,
)
from cgan.extensions.gradient_penalty import PenaltyConfig, train_with_penalty
from cgan.extensions.judge import accuracy, read_pictures
from cgan.figures import CANNOT_TELL, animate_ring, draw_losses, draw_pictures, draw_ring, draw_vanishing
from cgan.model import GAN
from cgan.train import GENERATOR_LOSSES, Config, Pair, build, build_optimizers, train
from lab import cli, folders, training

FRAMES = 30  # of the animation
VALIDATED = 200  # fakes of each label on the ring, in a validation
SHOWN = 10  # pictures of each label in the figure
STEPS_ALONE = 60  # of the discriminator, in the figure of the gradient that vanishes
WAYS, PLACES = 6, 10  # rows and columns of an interpolation


class Snapshots:
    """The generator's points after some of the steps. They are saved with a run, as optimizers are."""

    def __init__(self) -> None:
        self.points: dict[int, Tensor] = {}

    def state_dict(self) -> dict[str, Any]:
        return {"points": self.points}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.points = dict(state["points"])


class GANTask(training.Task):
    """What both players need on any data: two optimizers, the loop, and the monitor of diversity.

    The score of a validation is the number of steps, so the last weights are kept: the judge chooses nothing.
    """

    paper = "cgan"
    config: Config
    labels: int
    batch_at: Callable[[int], Batch]
    levels: Mapping[str, float] = CANNOT_TELL  # of both losses, from theory
    done = 0  # steps

    def build(self) -> GAN:
        return build(self.config, self.labels)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        optimizers, schedulers = build_optimizers(model, self.config)
        return dict(zip(("discriminator", "generator", *RATES), (*optimizers, *schedulers), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        """The core's loop, or that with the penalty. After each step ``noted`` is called."""
        players, rates, batch_at, noting = self.prepared(model, optimizers, device, log)
        loss = GENERATOR_LOSSES[self.config.generator_loss]
        if penalty := getattr(self.config, "penalty", 0.0):
            train_with_penalty(model, players, rates, batch_at, steps, noting, loss, penalty)
        else:
            train(model, players, rates, batch_at, steps, noting, loss)

    def prepared(
        self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, log: Callable[..., None]
    ) -> tuple[Pair, Pair, Callable, Callable]:
        """What a loop needs: optimizers, schedulers, batches on the device, and a log that calls ``noted``."""
        names = ("discriminator", "generator")
        players, rates = Pair(*(optimizers[name] for name in names)), Pair(*(optimizers[name] for name in RATES))

        def noting(step: int, **losses: float) -> None:
            log(step, **losses)
            self.done = step + 1
            self.noted(model)

        return players, rates, on_device(self.batch_at, device), noting

    def noted(self, model: GAN) -> None:
        """Called after each step."""

    def watch(
        self, fakes: Tensor, labels: Tensor, real: Tensor, real_labels: Tensor, names: Sequence[str] = ()
    ) -> float:
        """The monitor: gives the smallest diversity of a label; from half of the steps on it stops a collapsed run."""
        found = relative_diversity(fakes, labels, real, real_labels)
        found = {names[label] if names else label: value for label, value in found.items()}
        if 2 * self.done >= self.steps:
            check_diversity(found)
        return min(found.values())

    def draw_losses(self, folder: Path) -> Path:
        path = folder / "losses.png"
        names = ("discriminator_loss", "generator_loss")
        draw_losses(path, *(folders.read_metrics(folder, name) for name in names), self.levels)
        return path


RATES = ("discriminator's rate", "generator's rate")


class RingTask(GANTask):
    """Both players on the ring."""

    labels = MODES

    def __init__(self, config: Config, name: str) -> None:
        if config.network != "mlp":
            raise ValueError(f"--network must be mlp for ring, got {config.network}: conv reads pictures")
        self.config, self.steps, self.name = config, config.steps, name
        self.data: dict[str, Any] = {"data": "ring"}
        self.batch_at = ring_batches("train", config.seed, config.batch, config.noise)
        self.snapshots = Snapshots()

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return {**super().optimizers(model), "snapshots": self.snapshots}

    def fakes(self, model: GAN, each: int, split: str) -> tuple[Tensor, Tensor]:
        return fakes_of_each(model.generator, self.config.noise, MODES, each, split)

    def noted(self, model: GAN) -> None:
        every = max(1, self.steps // FRAMES)
        if self.done % every == 0 or self.done == 1:
            self.snapshots.points[self.done] = self.fakes(model, SHOWN * 6, "validation")[0]

    def validate(self, model: nn.Module) -> dict[str, float]:
        points, labels = self.fakes(model, VALIDATED, "validation")
        real = ring_batches("validation", 0, len(points), 1)(0)
        least = self.watch(points, labels, real.samples, real.labels)
        return {"score": float(self.done), **measure_ring(points, labels), "least diversity": least}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The fakes; real points in their place; points anywhere around the ring, for chance."""
        points, labels = self.fakes(model, EACH, "test")
        real = ring_batches("test", 0, len(points), 1)(0)
        others = labels[torch.randperm(len(labels), generator=random_at("test", 0, 1))]
        columns = {
            "chance": measure_ring(points, others),
            "real": measure_ring(real.samples, real.labels),
            "reached": measure_ring(points, labels),
        }
        columns["chance"] = {"within 3σ": columns["chance"]["within 3σ"]}
        return {"splits": {"test": columns}}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        """The ring's figures come from the training; where a run is judged again, they stay as they are."""
        ring, animation, vanishing = folder / "ring.png", folder / "ring.gif", folder / "vanishing.png"
        if self.snapshots.points:
            labels = torch.arange(MODES).repeat_interleave(SHOWN * 6)
            draw_ring(ring, self.snapshots.points, labels)
            animate_ring(animation, self.snapshots.points, labels)
        with torch.enable_grad():
            torch.manual_seed(self.config.seed)
            beginners = self.build()
            optimizers, _ = build_optimizers(beginners, self.config)
            norms = vanishing_gradient(beginners, optimizers.discriminator, self.batch_at, STEPS_ALONE)
        draw_vanishing(vanishing, norms)
        return [path for path in (ring, animation) if path.exists()] + [self.draw_losses(folder), vanishing]


class DigitTask(GANTask):
    """Both players on digits.

    Args:
        data: digits or mnist.
        root: the folder of mnist.
        command: the command that is running; it goes on with the judge's training after Ctrl-C.
        machine: device and threads, for the judge.
    """

    labels = LABELS
    config: PenaltyConfig

    def __init__(
        self, data: str, config: PenaltyConfig, command: str, machine: cli.Machine, root: Path | None, name: str
    ) -> None:
        if config.network != "conv":
            raise ValueError(f"--network must be conv for {data}, got {config.network}: mlp reads points of a plane")
        self.config, self.steps, self.name = config, config.steps, name
        self.digits = open_digits(data, root)
        self.data: dict[str, Any] = {"data": data, "root": str(root.resolve()) if root else ""}
        self.batch_at = picture_batches(*self.digits["train"], "train", config.seed, config.batch, config.noise)
        self.network = load_frozen(DigitJudgeTask(self.data, self.digits), command, machine)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The monitor looks at pixels; the numbers are those of the judge, and choose nothing."""
        each = 20
        fakes, labels = fakes_of_each(model.generator, self.config.noise, LABELS, each, "validation")
        real, real_labels = self.digits["judge"]
        least = self.watch(fakes, labels, real, real_labels)
        obedience = accuracy(self.network, fakes, labels[:, None])
        return {"score": float(self.done), "obedience": obedience, "least diversity": least}

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The judge's labels, and features."""
        answers, features = read_pictures(self.network, images)
        return answers[:, 0], features

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The fakes, and the pictures that the players were trained on in their place."""
        real, training_pictures = self.digits["test"], self.digits["train"]
        each = min(EACH, len(real.labels) // LABELS)
        fakes = Digits(*fakes_of_each(model.generator, self.config.noise, LABELS, each, "test"))
        columns: dict[str, dict[str, float]] = {"chance": {"obedience": 1 / LABELS}}
        for name, one in (("real", training_pictures), ("reached", fakes)):
            columns[name] = measure_pictures(self.read, *one, *real)
        for name, one in (("real", real), ("reached", fakes)):  # no training picture is compared with itself
            distances, _ = nearest(one.images[:: max(1, len(one.images) // 1000)], training_pictures.images)
            columns[name] |= {"nearest": distances.mean().item(), "nearest of all": distances.min().item()}
        return {"splits": {"test": columns}, "judge": accuracy(self.network, real.images, real.labels[:, None])}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        digits, between, copies = folder / "digits.png", folder / "interpolation.png", folder / "nearest.png"
        fakes, labels = fakes_of_each(model.generator, self.config.noise, LABELS, SHOWN, "test")
        draw_pictures(digits, {str(label): fakes[labels == label] for label in range(LABELS)})
        draw_pictures(between, interpolated(model, self.config.noise, 3, 8, 0))
        first = fakes[:: len(fakes) // SHOWN][:SHOWN]
        training_pictures = self.digits["train"].images
        draw_pictures(copies, {"fake": first, "nearest": training_pictures[nearest(first, training_pictures)[1]]})
        return [digits, between, copies, self.draw_losses(folder)]


def open_digits(data: str, root: Path | None) -> dict[str, Digits]:
    """The digits of a data set, by split.

    Raises:
        ValueError: if ``root`` is missing or superfluous, or a file is missing or damaged.
    """
    if data == "digits":
        if root is not None:
            raise ValueError("--root is for mnist only, digits needs no folder")
        return read_digits()
    if root is None:
        raise ValueError("--root is missing: mnist needs the folder with the four IDX files")
    return read_mnist(root)


def interpolated(gan: GAN, noise: int, start: int, end: int, seed: int) -> dict[str, Tensor]:
    """Rows of pictures on the way from one label to another; each row has its own noise."""
    z = torch.randn(WAYS, noise, generator=random_at("test", seed, 2))
    shares = torch.linspace(0, 1, PLACES)[:, None]
    device = next(gan.parameters()).device
    first, last = gan.generator.embed.weight[[start, end]].cpu()
    embedded = (1 - shares) * first + shares * last  # (places, z)
    rows = [gan.generator.from_embedding(row.expand(PLACES, -1).to(device), embedded.to(device)).cpu() for row in z]
    return {f"{start} to {end}" if k == 0 else " " * k: row for k, row in enumerate(rows)}


def task_of(
    data: str, config: Config, command: str, machine: cli.Machine, root: Path | None, name: str
) -> RingTask | DigitTask:
    """The task of a data set."""
    if data == "ring":
        if root is not None:
            raise ValueError("--root is for mnist only, ring needs no folder")
        return RingTask(config, name)
    return DigitTask(data, config, command, machine, root, name)
