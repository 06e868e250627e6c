"""No setting is lost between the command line and the training."""

from dataclasses import fields, replace

import pytest

from detector import commands
from detector.train import Config
from tests.settings import Reaches

SMALL = Config(steps=3, images=2, image_size=16, warmup=2)
CHANGES = {"steps": 4, "images": 3, "image_size": 20, "learning_rate": 0.02, "warmup": 3, "seed": 7}


@pytest.fixture(scope="module")
def reaches() -> Reaches:
    return Reaches(commands.DetectorTask, SMALL)


@pytest.mark.parametrize("field", [field.name for field in fields(Config)])
def test_every_field_reaches_the_training(reaches, field: str) -> None:
    reaches(field, CHANGES[field])


@pytest.mark.parametrize("seed", [0, 7])
def test_no_training_sees_the_scenes_of_the_validation(monkeypatch, seed: int) -> None:
    """Training has the seeds that people give; a run with seed 1 must not learn what one with seed 0 is chosen by."""
    asked = []
    monkeypatch.setattr(commands, "evaluate", lambda *given: asked.append(given[1:]) or {"all_right": 0.25})
    monkeypatch.setattr(commands, "measure", lambda *given: asked.append(given[1:]) or (0.5, {}))
    task = commands.DetectorTask(replace(SMALL, seed=seed))
    assert task.validate(task.build())["score"] == 0.25, "the weights with the most scenes all right are kept"
    assert task.judge(task.build())["unlike"] == {"limit": 0.5, "warned": {}}
    own = seed + 1_000_000
    assert asked == [("train", own, 16, 200), (own, 16), ("test", 0, 16), ("compositional", 0, 16)]
