"""What is promised → test

an attribute obeys if it is as named, or not named       test_obeyed_by_hand
shares by attribute, both, all                           test_obedience_by_hand
diversity, FID and obedience from one judge              test_measures_of_real_pictures_are_perfect
D's preference: ties count against it                    test_preference_by_hand
the judge learns to read a picture                       test_the_judge_learns
"""

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from cgan.datasets.toy import ATTRIBUTES, SIDE, judge_scenes
from cgan.extensions.judge import JudgeConfig, JudgeNetwork, judge_batches, read_pictures, train_judge
from cgan.extensions.obedience import (
    measure_sentences,
    obedience,
    obeyed,
    prefers_the_true_sentence,
    text_samples,
)
from tests.teach import check_close

READ = torch.tensor([[0, 1, 0], [0, 1, 1], [3, 1, 1], [3, 2, 0]])
NAMED = torch.tensor([[0, 1, -1], [0, 1, 0], [2, 1, 1], [3, 2, -1]])


def check_obeyed(candidate) -> None:
    expected = [[True, True, True], [True, True, False], [False, True, True], [True, True, True]]
    assert candidate(READ, NAMED).tolist() == expected


def test_obeyed_by_hand() -> None:
    check_obeyed(obeyed)


def not_named_is_wrong(read, named):
    """Tempting because it is one comparison. A sentence without a size is then never obeyed."""
    return read == named


def test_what_is_not_named_must_not_count() -> None:
    with pytest.raises(AssertionError):
        check_obeyed(not_named_is_wrong)


def test_obedience_by_hand() -> None:
    shares = obedience(READ, NAMED)
    expected = {"colour": 3 / 4, "shape": 1.0, "size": 1 / 2, "colour and shape": 3 / 4, "all named": 2 / 4}
    assert shares == pytest.approx(expected)


def first_pixels(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A judge whose reading is written into the first pixels, and whose features are all pixels."""
    return images[:, :, 0, 0].long(), images.flatten(1)


def written(rows: torch.Tensor, seed: int) -> torch.Tensor:
    images = torch.randn(len(rows), 3, 2, 2, generator=torch.Generator().manual_seed(seed))
    images[:, :, 0, 0] = rows.float()
    return images


def test_measures_of_real_pictures_are_perfect() -> None:
    rows = torch.tensor([[1, 2, 0], [3, 4, 1]]).repeat(200, 1)
    kinds = torch.tensor([0, 1]).repeat(200)
    real, other = written(rows, 0), written(rows, 1)
    found = measure_sentences(first_pixels, other, rows, other, kinds, real, kinds)
    assert found["all named"] == found["colour and shape"] == 1
    assert found["diversity"] == pytest.approx(1, abs=0.05)
    assert found["FID"] < 0.5
    same = other[:2].repeat(200, 1, 1, 1)  # one picture for each sentence: obedience is the same, and diversity is 0
    collapsed = measure_sentences(first_pixels, same, rows, same, kinds, real, kinds)
    assert collapsed["all named"] == 1
    assert collapsed["diversity"] == collapsed["least diversity"] == 0
    assert collapsed["FID"] > found["FID"] + 1


class Product(nn.Module):
    """The logit is the product of the first pixel and the first number of the sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, images, vectors):
        return self.scale * images[:, 0, 0, 0] * vectors[:, 0]


def test_preference_by_hand() -> None:
    images = torch.ones(5, 3, 2, 2)
    right, wrong = torch.tensor([[2.0], [1.0], [0.0], [1.0], [3.0]]), torch.tensor([[1.0], [1.0], [5.0], [0.0], [2.0]])
    for chunk in (2, 5):
        assert prefers_the_true_sentence(Product(), images, right, wrong, chunk) == pytest.approx(3 / 5)


class Normalised(nn.Module):
    """A picture of noise and sentence; batch normalisation would mix the pictures of a batch in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3)

    def forward(self, noise, vectors):
        return self.norm(noise + vectors)[:, :, None, None].expand(-1, -1, 2, 2)


def test_samples_do_not_depend_on_the_chunk() -> None:
    model, noise, vectors = Normalised().train(), torch.randn(5, 3), torch.randn(5, 3)
    whole, parts = (text_samples(model, noise, vectors, chunk) for chunk in (5, 2))
    check_close("the samples in chunks of 2", whole, parts, 1e-5, 1e-5)
    check_close("G(z | s) = z + s, normalised", whole[:, :, 0, 0], noise + vectors, 1e-5, 1e-4)
    assert model.training, "the mode is as it was"


def test_the_judge_learns() -> None:
    """It learns a few pictures by heart; chance is 1 in 96. And it reads them in evaluation mode."""
    torch.manual_seed(0)
    judge = JudgeNetwork(3, SIDE, 4, tuple(map(len, ATTRIBUTES.values())))
    images, wanted = judge_scenes("close", 5, 32)
    optimizer = torch.optim.Adam(judge.parameters(), 1e-2)
    batch_at, losses = judge_batches(images, wanted, JudgeConfig(batch=16)), []
    log = lambda step, loss: losses.append(loss)  # noqa: E731
    train_judge(judge, optimizer, LambdaLR(optimizer, lambda k: 1.0), batch_at, range(50), log)
    assert losses[0] == pytest.approx(sum(torch.tensor(len(names)).log() for names in ATTRIBUTES.values()), abs=0.5)
    read, features = read_pictures(judge, images, chunk=5)
    assert (read == wanted).all(dim=1).double().mean() > 0.5
    assert features.shape == (32, 64)
    assert judge.training
