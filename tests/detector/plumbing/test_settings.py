"""No setting is lost between the command line and the training."""

from dataclasses import fields

import pytest

from detector.commands import DetectorTask
from detector.train import Config
from tests.settings import Reaches

SMALL = Config(steps=3, images=2, image_size=16, warmup=2)
CHANGES = {"steps": 4, "images": 3, "image_size": 20, "learning_rate": 0.02, "warmup": 3, "seed": 7}


@pytest.fixture(scope="module")
def reaches() -> Reaches:
    return Reaches(DetectorTask, SMALL)


@pytest.mark.parametrize("field", [field.name for field in fields(Config)])
def test_every_field_reaches_the_training(reaches, field: str) -> None:
    reaches(field, CHANGES[field])
