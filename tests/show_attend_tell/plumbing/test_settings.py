"""No setting is lost between the command line and the training. ``test_photograph_commands.py`` has the photographs."""

from dataclasses import asdict, fields, replace

import pytest

from lab import cli
from show_attend_tell.commands import task as tasks
from show_attend_tell.commands.task import HardTask, ToyTask
from show_attend_tell.extensions.hard_attention import HardConfig
from show_attend_tell.train import Config
from tests.settings import Reaches

SMALL = Config(
    steps=3, images=2, captions=2, encoder="cnn", image_size=16, channels=(3, 4), embedding=4, hidden=3,
    attention_hidden=3, warmup=2,
)  # fmt: skip
CHANGES = {
    "steps": 4, "images": 3, "captions": 3, "image_size": 20, "background": 0.5, "channels": (3, 5),
    "attention": "none", "embedding": 5, "hidden": 4, "attention_hidden": 4, "dropout": 0.5, "penalty_weight": 1.0,
    "learning_rate": 0.02, "weight_decay": 0.5, "warmup": 3, "seed": 7,
}  # fmt: skip
HARD = HardConfig(**{**asdict(SMALL), "attention": "hard"})
HARD_CHANGES = {"expected_share": 0.1, "reinforce_weight": 0.5, "entropy_weight": 0.1}


@pytest.fixture(scope="module")
def reaches() -> Reaches:
    return Reaches(lambda config: ToyTask("english", config, "command", cli.Machine(device="cpu"), "new"), SMALL)


@pytest.mark.parametrize("field", [field.name for field in fields(Config) if field.name != "encoder"])
def test_every_field_reaches_the_training(reaches, field: str) -> None:
    reaches(field, CHANGES[field])


@pytest.fixture(scope="module")
def hard_reaches() -> Reaches:
    return Reaches(lambda config: HardTask("english", config, "command", cli.Machine(device="cpu"), "new"), HARD)


@pytest.mark.parametrize("field", HARD_CHANGES)
def test_every_field_reaches_the_training_with_hard_attention(hard_reaches, field: str) -> None:
    hard_reaches(field, HARD_CHANGES[field])


@pytest.mark.parametrize("seed", [0, 7])
def test_no_training_sees_the_scenes_of_the_validation(monkeypatch, seed: int) -> None:
    """Training has the seeds that people give; a run with seed 1 must not learn what one with seed 0 is chosen by."""
    asked = []
    task = ToyTask("english", replace(SMALL, seed=seed), "command", cli.Machine(device="cpu"), "new")
    monkeypatch.setattr(tasks, "toy_examples", lambda *given: asked.append(given[1:4]) or [])
    monkeypatch.setattr(tasks, "measure", lambda *given: {"reached": {"right": 0.0}})
    with pytest.raises(ValueError, match="not enough values"):  # the losses need an example
        task.validate(task.build())
    task.judge(task.build())
    train = ("train", seed + 1_000_000)
    assert asked == [(*train, 300), (*train, 100), ("test", 0, 2000), ("compositional", 0, 2000)]
