"""No setting is lost between the command line and the training."""

from dataclasses import fields

import pytest

from lab import cli
from tests.settings import Reaches
from tests.toyworld.counting import types_unchecked
from vqa.commands import VQATask
from vqa.datasets import sources
from vqa.encoders import GridEncoder, SmallCNN
from vqa.train import Config, build

SMALL = Config(
    steps=3, images=2, questions=2, encoder="cnn", image_size=16, channels=(3, 4), embedding=4, hidden=3, common=6,
    warmup=2,
)  # fmt: skip
CHANGES = {
    "steps": 4, "images": 3, "questions": 3, "image_size": 20, "background": 0.5, "channels": (3, 5), "embedding": 5,
    "hidden": 4, "common": 7, "dropout": 0.5, "fusion": "sum", "inputs": "image", "learning_rate": 0.02,
    "weight_decay": 0.5, "warmup": 3, "seed": 7,
}  # fmt: skip
ELSEWHERE = {"encoder", "answers"}  # the next test; and test_sources.py, as answers belong to files


@pytest.fixture(scope="module")
def reaches() -> Reaches:
    with types_unchecked():  # two thousand questions
        vocabulary = sources.toy_vocabulary("english")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "toy_vocabulary", lambda language: vocabulary)
        yield Reaches(lambda config: VQATask("toy", config, "command", cli.Machine(device="cpu")), SMALL)


@pytest.mark.parametrize("field", [field.name for field in fields(Config) if field.name not in ELSEWHERE])
def test_every_field_reaches_the_training(reaches, field: str) -> None:
    reaches(field, CHANGES[field])


def test_the_encoder_is_that_of_the_configuration() -> None:
    grid, cnn = (build(Config(encoder=name, channels=(4,), common=5), 9, 3).image_encoder for name in ("grid", "cnn"))
    assert (type(grid), type(cnn)) == (GridEncoder, SmallCNN)
    assert grid.read.out_features == 4
