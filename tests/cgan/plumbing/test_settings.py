"""No setting is lost between the command line and the training. ``test_sentences.py`` has the toy world."""

from dataclasses import fields

import pytest
import torch

from cgan.commands import task as tasks
from cgan.commands.frozen import DigitJudgeTask
from cgan.datasets.digits import Digits
from cgan.extensions.gradient_penalty import PenaltyConfig
from cgan.extensions.judge import JudgeConfig
from cgan.train import Config
from lab import cli
from tests.settings import Reaches

RING = Config(steps=3, batch=4, noise=2, hidden=3)
RING_CHANGES = {
    "steps": 4, "batch": 5, "noise": 3, "hidden": 4, "generator_loss": "minimax", "generator_rate": 0.01,
    "discriminator_rate": 0.01, "beta1": 0.5, "seed": 7,
}  # fmt: skip
PICTURES = PenaltyConfig(steps=3, batch=4, network="conv", noise=2, hidden=3, channels=2)
PICTURE_CHANGES = {**RING_CHANGES, "channels": 4, "penalty": 2.0}
JUDGE = JudgeConfig(steps=4, batch=3, channels=2)
JUDGE_CHANGES = {"steps": 5, "batch": 4, "channels": 3, "learning_rate": 0.01, "seed": 7}


@pytest.fixture(scope="module")
def ring_reaches() -> Reaches:
    return Reaches(lambda config: tasks.RingTask(config, "new"), RING)


@pytest.mark.parametrize("field", RING_CHANGES)
def test_every_field_reaches_the_training_on_the_ring(ring_reaches, field: str) -> None:
    ring_reaches(field, RING_CHANGES[field])


@pytest.fixture(scope="module")
def digits() -> dict[str, Digits]:
    images = torch.rand(20, 1, 28, 28, generator=torch.Generator().manual_seed(0)) * 2 - 1
    return dict.fromkeys(("train", "judge", "test"), Digits(images, torch.arange(20) % 10))


@pytest.fixture(scope="module")
def picture_reaches(digits) -> Reaches:
    def task_of(config: PenaltyConfig) -> tasks.DigitTask:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tasks, "open_digits", lambda data, root: digits)
            patch.setattr(tasks, "load_frozen", lambda *_: None)
            return tasks.DigitTask("digits", config, "command", cli.Machine(device="cpu"), None, "new")

    return Reaches(task_of, PICTURES)


@pytest.mark.parametrize("field", PICTURE_CHANGES)
def test_every_field_reaches_the_training_on_pictures(picture_reaches, field: str) -> None:
    picture_reaches(field, PICTURE_CHANGES[field])


def test_no_field_is_left_out() -> None:
    """``network`` is checked: each data set has its own."""
    assert {field.name for field in fields(Config)} == RING_CHANGES.keys() | {"network", "channels"}
    assert {field.name for field in fields(PenaltyConfig)} == PICTURE_CHANGES.keys() | {"network"}


@pytest.mark.parametrize("field", [field.name for field in fields(JudgeConfig)])
def test_every_field_reaches_the_judge(digits, field: str) -> None:
    def task_of(config: JudgeConfig) -> DigitJudgeTask:
        task = DigitJudgeTask({"data": "digits"}, digits)
        task.config, task.steps = config, config.steps
        return task

    Reaches(task_of, JUDGE)(field, JUDGE_CHANGES[field])
