"""What is promised → test

one loop, any steps, any log                   test_the_loop_by_hand
a rise, a peak, and nothing at the end         test_learning_rate_rises_and_falls
it learns                                      test_learns_eight_examples_by_heart
one seed, the same bits                        test_same_seed_same_weights
the core trains by itself in another project   test_core_trains_where_nothing_else_can_be_imported
two processes, one gradient                    test_two_processes_give_the_gradient_of_one
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from lab import distributed
from tests.alone import check_alone
from tests.lab.distributed_check import check_same_gradient
from tests.lab.processes import in_processes
from tests.teach import check_close, check_equal
from vqa.model import FUSIONS
from vqa.train import CONFIGS, build, build_optimizer, train

SMALL = replace(CONFIGS["toy"], encoder="cnn", channels=(8, 16), embedding=8, hidden=16, common=64, weight_decay=0.0)


class Scorer(nn.Module):
    """A model of one weight vector, whose gradient can be written down: the answer is k with logit w_k."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.5, -1.0, 2.0]).double())

    def forward(self, images: torch.Tensor, questions: torch.Tensor, image_of: torch.Tensor) -> torch.Tensor:
        return self.w.expand(len(questions), 3)


def check_the_loop(candidate, steps: range) -> None:
    """The gradient of the mean of −log p over two answers is p − their mean one-hot vector. The rate of the n-th step
    is 0.1/(n + 1)."""
    model, asked, logged = Scorer(), [], []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1))

    def batch_at(step: int):
        asked.append(step)
        words, image_of = torch.ones(2, 1, dtype=torch.int64), torch.tensor([0, 0])
        return torch.zeros(1, 3, 4, 4), words, image_of, torch.tensor([step % 3, 0])

    candidate(model, optimizer, scheduler, batch_at, steps, lambda step, loss: logged.append((step, loss)))
    w, expected = torch.tensor([0.5, -1.0, 2.0]).double(), []
    for n, step in enumerate(steps):
        p = w.softmax(dim=0)
        expected.append(-(p[step % 3].log() + p[0].log()).item() / 2)  # before the weights move
        target = torch.zeros(3).double()
        target[step % 3] += 0.5
        target[0] += 0.5
        w = w - 0.1 / (n + 1) * (p - target)
    assert asked == [step for step, _ in logged] == list(steps)
    assert [loss for _, loss in logged] == pytest.approx(expected)
    check_close("the weights after the steps", model.w.detach(), w, 1e-5, 1e-5)


def rate_of_the_next_step(model, optimizer, scheduler, batch_at, steps, log) -> None:
    """Tempting because the first rate is small anyway; the scheduler steps after the optimizer."""
    scheduler.step()
    train(model, optimizer, scheduler, batch_at, steps, log)


def without_scheduler(model, optimizer, scheduler, batch_at, steps, log) -> None:
    """Tempting because nothing complains when ``scheduler.step()`` is forgotten."""
    scheduler.step = lambda: None
    train(model, optimizer, scheduler, batch_at, steps, log)


def gradients_added_up(model, optimizer, scheduler, batch_at, steps, log) -> None:
    """Tempting because nothing complains when ``zero_grad`` is forgotten."""
    optimizer.zero_grad = lambda: None
    train(model, optimizer, scheduler, batch_at, steps, log)


@pytest.mark.parametrize("steps", [range(5), range(3, 7), range(0)], ids=str)
def test_the_loop_by_hand(steps: range) -> None:
    check_the_loop(train, steps)


@pytest.mark.parametrize(
    "wrong", [rate_of_the_next_step, without_scheduler, gradients_added_up], ids=lambda function: function.__name__
)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong, range(5))


def rates_of(config) -> list[float]:
    model = nn.Linear(1, 1)
    optimizer, scheduler = build_optimizer(model, config)
    rates = []
    for _ in range(config.steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize(("steps", "warmup"), [(100, 1), (301, 50), (1000, 250)])
def test_learning_rate_rises_and_falls(steps: int, warmup: int) -> None:
    rates = rates_of(replace(CONFIGS["toy"], steps=steps, warmup=warmup, learning_rate=0.01))
    peak = rates.index(max(rates))
    assert peak == warmup - 1
    assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)
    assert 0.008 < rates[peak] <= 0.01
    assert rates[0] == pytest.approx(0.01 / warmup)  # the first step already moves
    assert 0 < rates[-1] < 1e-5
    halfway = steps // 2
    assert rates[halfway] == pytest.approx(0.005 * (1 + math.cos(math.pi * halfway / steps)))


@pytest.mark.parametrize("name", CONFIGS)
def test_each_configuration_has_a_warmup_much_shorter_than_the_run(name: str) -> None:
    assert 1 <= CONFIGS[name].warmup <= CONFIGS[name].steps // 10


def test_the_paper_configuration_has_the_sizes_of_the_authors_code() -> None:
    """The options of ``train.lua``, and 500 questions in a batch."""
    config = CONFIGS["paper"]
    assert (config.embedding, config.hidden, config.common, config.answers) == (200, 512, 1024, 1000)
    assert (config.images * config.questions, config.steps) == (500, 150_000)


def test_optimizer_by_hand() -> None:
    """AdamW's first two steps: m and v of the gradients, with bias correction, and weight decay."""
    config = replace(CONFIGS["toy"], learning_rate=0.1, weight_decay=0.5, warmup=1)
    w, m, v = 2.0, 0.0, 0.0
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, w)
    optimizer, _ = build_optimizer(model, config)
    for step, gradient in enumerate((3.0, -1.0), start=1):
        model.weight.grad = torch.full_like(model.weight, gradient)
        optimizer.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.98 * v + 0.02 * gradient**2
        w -= 0.1 * 0.5 * w
        w -= 0.1 * (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.98**step)) + 1e-8)
        assert model.weight.item() == pytest.approx(w, rel=1e-10)


def by_heart(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four images, red or blue, square or bar, and two questions about each: which colour, which shape? The questions
    are in no order."""
    images = torch.full((4, 3, 16, 16), 0.93)
    for k, (colour, height) in enumerate([(0, 8), (0, 3), (2, 8), (2, 3)]):
        images[k, :, 4 : 4 + height, 4:12] = 0.1
        images[k, colour, 4 : 4 + height, 4:12] = 0.9
    questions = torch.tensor([[1, 2, 0], [1, 3, 4]] * 4)
    image_of = torch.tensor([0, 3, 2, 1, 1, 0, 3, 2])
    return images, questions, image_of, torch.tensor([0, 3, 1, 3, 0, 2, 1, 2])  # red, blue, square, bar


def train_small(steps: int, seed: int = 0, **changes) -> tuple[nn.Module, list[float]]:
    torch.manual_seed(seed)
    config = replace(SMALL, steps=steps, warmup=min(10, steps), learning_rate=5e-3, **changes)
    model, losses = build(config, words=5, answers=4), []
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, by_heart, range(steps), lambda step, loss: losses.append(loss))
    return model, losses


@pytest.mark.parametrize("fusion", FUSIONS)
def test_learns_eight_examples_by_heart(fusion: str) -> None:
    """The sums too: colours answer one question only, shapes the other, so f(q) + g(v) is enough here."""
    _, losses = train_small(120, fusion=fusion)
    assert losses[-1] < 0.05, losses[-1]
    assert losses[0] > 0.5, "nothing was left to learn"


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_same_seed_same_weights() -> None:
    one, again, other = (weights(train_small(5, seed, dropout=0.5)[0]) for seed in (0, 0, 1))
    check_equal("the weights after 5 steps with the same seed", one, again)
    assert not torch.allclose(one, other)


ALONE = """
from vqa.train import CONFIGS, build, build_optimizer, train

def batch_at(step):
    generator = torch.Generator().manual_seed(step)
    if config.encoder == "grid":
        images = (torch.rand(2, 17, 8, 8, generator=generator) - 0.8).relu()
    else:
        images = torch.rand(2, 3, 64, 64, generator=generator)
    return images, torch.tensor([[1, 2], [3, 0]] * 2), torch.tensor([1, 0, 0, 1]), torch.tensor([0, 1, 2, 0])

for config in (CONFIGS["toy"], CONFIGS["easy-vqa"]):
    model = build(config, words=4, answers=3)
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, batch_at, range(2), lambda step, loss: losses.append(loss))
"""


def test_core_trains_where_nothing_else_can_be_imported(tmp_path: Path) -> None:
    check_alone(tmp_path, "vqa", ("model", "encoders", "train"), ALONE, steps=4)


def answer_loss(model, images, questions, image_of, answers):
    return cross_entropy(model(images, questions, image_of), answers)


def share_questions(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Each process has all images and its part of the questions: the index says which image they are about."""
    images, *of_questions = batch
    return (images, *distributed.share(tuple(of_questions)))


def index_not_shared(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Tempting because an index looks like a constant; the second process then asks about the first one's images."""
    images, questions, image_of, answers = batch
    questions, answers = distributed.share((questions, answers))
    return images, questions, image_of[: len(questions)], answers


def check_two_processes() -> None:
    """Called in each of them."""
    generator = torch.Generator().manual_seed(1)
    batch = (
        torch.rand(4, 3, 32, 32, generator=generator).double(),
        torch.randint(1, 5, (12, 3), generator=generator),
        torch.randint(0, 4, (12,), generator=generator),
        torch.randint(0, 4, (12,), generator=generator),
    )
    for fusion in FUSIONS:
        torch.manual_seed(0)
        model = build(replace(SMALL, fusion=fusion), words=5, answers=4).double()
        check_same_gradient(model, answer_loss, batch, share=share_questions)
    with pytest.raises(AssertionError):  # the check can fail
        check_same_gradient(model, answer_loss, batch, share=index_not_shared)


def test_two_processes_give_the_gradient_of_one(tmp_path: Path) -> None:
    in_processes(2, lambda rank: check_two_processes(), tmp_path)
