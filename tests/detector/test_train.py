"""What is promised → test

one loop, any steps, any log                   test_the_loop_by_hand
a rise, a peak, and nothing at the end         test_learning_rate_rises_and_falls
it learns where and what                       test_it_learns_to_find_objects
the core trains by itself in another project   test_core_trains_where_nothing_else_can_be_imported
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from detector.data import toy_batches
from detector.evaluate import evaluate
from detector.model import Detector
from detector.train import CONFIGS, build_optimizer, train
from tests.alone import check_alone
from tests.detector.test_loss import doubles
from tests.teach import check_close

ROOT = Path(__file__).parents[2]


class Dial(Detector):
    """A detector of one cell whose logits are its weights: heatmap, offset, three values and two values."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.attributes = (3, 2)
        self.w = nn.Parameter(doubles(0.3, 0.9, 0.1, 1, -1, 0.5, 0.2, -0.4))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.w.view(1, 8, 1, 1).expand(len(images), 8, 1, 1)


def check_the_loop(candidate) -> None:
    """One object in the middle of the only cell. Each logit moves by the rate times its gradient: equation 1's, the
    sign of the error of the offset, and p less the wanted one. The rate is 0.1, then 0.05, then 0.025."""
    model, logged = Dial(), []
    optimizer, w = torch.optim.SGD([model.w], lr=0.1), model.w.detach().clone()
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    label = torch.tensor([[2, 0]])
    batch = (torch.zeros(1, 3, 4, 4).double(), torch.tensor([0]), doubles([0.5, 0.5]), doubles(0.1), label)
    candidate(model, optimizer, scheduler, lambda step: batch, range(3, 6), lambda step, loss: logged.append(step))
    for rate in (0.1, 0.05, 0.025):
        p, first, second = w[0].sigmoid(), w[3:6].softmax(0), w[6:].softmax(0)
        heat = (1 - p) ** 2 * (2 * p * p.log() - (1 - p))
        wanted = torch.cat([first - doubles(0, 0, 1), second - doubles(1, 0)])
        w = w - rate * torch.cat([heat[None], (w[1:3] - 0.5).sign(), wanted])
    assert logged == [3, 4, 5]
    check_close("the weights after 3 steps of gradient descent", model.w.detach(), w)


def test_the_loop_by_hand() -> None:
    check_the_loop(train)


def without_scheduler(model, optimizer, scheduler, batch_at, steps, log) -> None:
    """Tempting because nothing complains when ``scheduler.step()`` is forgotten."""
    scheduler.step = lambda: None
    train(model, optimizer, scheduler, batch_at, steps, log)


def gradients_added_up(model, optimizer, scheduler, batch_at, steps, log) -> None:
    """Tempting because nothing complains when ``zero_grad`` is forgotten."""
    optimizer.zero_grad = lambda: None
    train(model, optimizer, scheduler, batch_at, steps, log)


@pytest.mark.parametrize("wrong", [without_scheduler, gradients_added_up], ids=lambda function: function.__name__)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong)


def test_learning_rate_rises_and_falls() -> None:
    config = replace(CONFIGS["toy"], steps=80, warmup=10, learning_rate=0.01)
    optimizer, scheduler = build_optimizer(Dial(), config)
    rates = []
    for _ in range(config.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    peak = rates.index(max(rates))
    assert peak == config.warmup - 1
    assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)
    assert rates[0] == pytest.approx(0.001)  # the first step already moves
    assert 0 < rates[-1] < 1e-5


def test_it_learns_to_find_objects() -> None:
    """80 batches. By guessing, one of 96 kinds of objects is right, and one place of 256."""
    torch.manual_seed(0)
    config = replace(CONFIGS["toy"], steps=80, warmup=20)
    model = Detector()
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, toy_batches(0, 16, 64), range(config.steps), lambda step, loss: None)
    reached = evaluate(model, "test", seed=1, image_size=64, count=100)
    assert reached["recall"] > 0.5, reached
    assert reached["precision"] > 0.5, reached


ALONE = """
from detector.model import Detector
from detector.train import CONFIGS, build_optimizer, train

def batch_at(step):
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(step))
    return images, torch.tensor([0, 1]), torch.tensor([[0.2, 0.3], [0.5, 0.6]]), torch.tensor([0.1, 0.1]), \\
        torch.tensor([[0, 1, 0], [7, 5, 1]])

model = Detector()
optimizer, scheduler = build_optimizer(model, CONFIGS["toy"])
train(model, optimizer, scheduler, batch_at, range(2), lambda step, loss: losses.append(loss))
"""


def test_core_trains_where_nothing_else_can_be_imported(tmp_path: Path) -> None:
    check_alone(tmp_path, "detector", ("model", "loss", "train"), ALONE, steps=2)
