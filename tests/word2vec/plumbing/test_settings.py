"""No setting is lost between the command line and the training."""

from dataclasses import fields

import pytest

from tests.settings import Reaches
from tests.toyworld.counting import types_unchecked
from toyworld.language import sentence_at
from word2vec.commands import tasks
from word2vec.extensions.objectives import ObjectiveConfig
from word2vec.extensions.text import TextConfig

TOY = ObjectiveConfig(steps=3, sentences=6, dim=4, window=2, negatives=2, sample=0.01)
TOY_CHANGES = {
    "steps": 4, "sentences": 7, "dim": 5, "window": 3, "negatives": 3, "sample": 0.02, "power": 0.5,
    "learning_rate": 0.05, "seed": 7, "objective": "cbow",
}  # fmt: skip
TEXT = TextConfig(dim=4, window=2, negatives=2, sample=0.01, min_count=1, epochs=2, seed=1)
TEXT_CHANGES = {
    "dim": 5, "window": 3, "negatives": 3, "sample": 0.02, "min_count": 3, "power": 0.5, "epochs": 3,
    "learning_rate": 0.1, "last_learning_rate": 0.04, "seed": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def toy_reaches() -> Reaches:
    with types_unchecked():
        yield Reaches(tasks.ToyTask, TOY)


@pytest.mark.parametrize("field", [field.name for field in fields(ObjectiveConfig)])
def test_every_field_reaches_the_training(toy_reaches, field: str) -> None:
    toy_reaches(field, TOY_CHANGES[field])


@pytest.mark.parametrize("objective", ["softmax", "hierarchical", "cbow"])
@pytest.mark.parametrize("field", ["window", "sample"])
def test_the_other_objectives_read_the_same_text(toy_reaches, objective: str, field: str) -> None:
    toy_reaches(field, TOY_CHANGES[field], objective=objective)


@pytest.mark.parametrize("field", ["negatives", "power"])
def test_cbow_draws_the_same_noise(toy_reaches, field: str) -> None:
    toy_reaches(field, TOY_CHANGES[field], objective="cbow")


@pytest.fixture(scope="module")
def text_reaches(tmp_path_factory) -> Reaches:
    folder = tmp_path_factory.mktemp("settings")
    path = folder / "words.txt"
    path.write_text("".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(60)))

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        yield Reaches(lambda config: tasks.TextTask(config, path), TEXT)


@pytest.mark.parametrize("field", [field.name for field in fields(TextConfig)])
def test_every_field_reaches_the_training_on_a_text(text_reaches, field: str) -> None:
    text_reaches(field, TEXT_CHANGES[field])
