"""What is promised → test

one loop, any steps, any log; equation 14        test_the_loop_by_hand
AdamW with the numbers of the configuration      test_the_optimizer_is_that_of_the_configuration
linear warmup times cosine decay                 test_learning_rate_rises_and_falls
it learns, with soft attention and without       test_learns_four_captions_by_heart
one seed, the same bits                          test_same_seed_same_weights
the core trains by itself in another project     test_core_trains_where_nothing_else_can_be_imported
"""

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from show_attend_tell.train import CONFIGS, build, build_optimizer, train
from tests.alone import check_alone
from tests.show_attend_tell.test_loss import loss_in_loops, penalty_in_loops
from tests.teach import check_close, check_equal

ROOT = Path(__file__).parents[2]
SMALL = replace(CONFIGS["toy"], embedding=8, hidden=16, attention_hidden=8, weight_decay=0.0, dropout=0.0)
CAPTIONS = torch.tensor([[1, 4, 5, 2, 0], [1, 6, 2, 0, 0], [1, 4, 6, 5, 2]])


class Scorer(nn.Module):
    """A model of two weight vectors: the next word is k with logit w_k, and the attention is softmax(v), always."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.linspace(-1, 1, 7).double())
        self.v = nn.Parameter(torch.tensor([0.5, 0.0, -1.0]).double())

    def forward(self, annotations, captions):
        n, t = captions.shape
        return self.w.expand(n, t - 1, 7), self.v.softmax(dim=0).expand(n, t - 1, 3)


def check_the_loop(candidate, steps: range, strength: float) -> None:
    """Each step by hand: the loss of the words plus λ times the penalty, both over all words; the rate of the n-th step
    is 0.1/(n + 1)."""
    model, asked, logged = Scorer(), [], []
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1))

    def batch_at(step: int):
        asked.append(step)
        return torch.zeros(3, 3, 2).double(), CAPTIONS.roll(step, dims=0)

    candidate(model, optimizer, scheduler, batch_at, steps, lambda step, loss: logged.append((step, loss)), strength)
    assert asked == [step for step, _ in logged] == list(steps)
    hand, expected = Scorer(), []
    for n, step in enumerate(steps):
        logits, weights = hand(*batch_at(step))
        targets = CAPTIONS.roll(step, dims=0)[:, 1:]
        lengths = torch.tensor([3, 2, 4]).roll(step)
        loss = loss_in_loops(logits, targets) + strength * penalty_in_loops(weights, lengths).sum() / 9
        expected.append(loss.item())
        slopes = torch.autograd.grad(loss, [hand.w, hand.v])
        with torch.no_grad():
            for parameter, slope in zip((hand.w, hand.v), slopes, strict=True):
                parameter -= 0.1 / (n + 1) * slope
    check_close("the losses", torch.tensor([loss for _, loss in logged]).double(), torch.tensor(expected), 1e-6)
    check_close("w after the last step", model.w, hand.w)
    check_close("v after the last step", model.v, hand.v)


def rate_of_the_next_step(model, optimizer, scheduler, batch_at, steps, log, strength) -> None:
    """Tempting because the first rate is small anyway; the scheduler steps after the optimizer."""
    scheduler.step()
    train(model, optimizer, scheduler, batch_at, steps, log, strength)


def gradients_added_up(model, optimizer, scheduler, batch_at, steps, log, strength) -> None:
    """Tempting because nothing complains when ``zero_grad`` is forgotten."""
    optimizer.zero_grad = lambda: None
    train(model, optimizer, scheduler, batch_at, steps, log, strength)


def penalty_of_one_word(model, optimizer, scheduler, batch_at, steps, log, strength) -> None:
    """Tempting because the words' loss is a mean; λ then weighs the penalty against one word, not against a caption."""
    train(model, optimizer, scheduler, batch_at, steps, log, strength * 3)


def without_the_penalty(model, optimizer, scheduler, batch_at, steps, log, strength) -> None:
    """Tempting because the loss falls without it, too."""
    train(model, optimizer, scheduler, batch_at, steps, log)


@pytest.mark.parametrize("strength", [0.0, 0.7])
@pytest.mark.parametrize("steps", [range(4), range(3, 6), range(0)], ids=str)
def test_the_loop_by_hand(steps: range, strength: float) -> None:
    check_the_loop(train, steps, strength)


@pytest.mark.parametrize(
    "wrong",
    [rate_of_the_next_step, gradients_added_up, penalty_of_one_word, without_the_penalty],
    ids=lambda function: function.__name__,
)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong, range(4), 0.7)


def test_the_optimizer_is_that_of_the_configuration() -> None:
    """All weights are in it, with the second beta of short runs."""
    config, model = replace(CONFIGS["toy"], learning_rate=0.02, weight_decay=0.3, warmup=1), Scorer()
    optimizer, _ = build_optimizer(model, config)
    (group,) = optimizer.param_groups
    assert type(optimizer) is torch.optim.AdamW
    assert {id(parameter) for parameter in group["params"]} == {id(parameter) for parameter in model.parameters()}
    assert {name: group[name] for name in ("lr", "betas", "eps", "weight_decay", "amsgrad")} == {
        "lr": 0.02, "betas": (0.9, 0.98), "eps": 1e-8, "weight_decay": 0.3, "amsgrad": False
    }  # fmt: skip


@pytest.mark.parametrize(("steps", "warmup"), [(100, 1), (301, 50)])
def test_learning_rate_rises_and_falls(steps: int, warmup: int) -> None:
    optimizer, scheduler = build_optimizer(
        nn.Linear(1, 1), replace(CONFIGS["toy"], steps=steps, warmup=warmup, learning_rate=0.01)
    )
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    cosine = [(1 + math.cos(math.pi * step / steps)) / 2 for step in range(steps)]
    rise = [min(1, (step + 1) / warmup) for step in range(steps)]  # the first step already moves
    assert rates == pytest.approx([0.01 * a * b for a, b in zip(rise, cosine, strict=True)])
    assert 0 < rates[-1] < 1e-5


@pytest.mark.parametrize("name", CONFIGS)
def test_each_configuration_has_a_warmup_much_shorter_than_the_run(name: str) -> None:
    assert 1 <= CONFIGS[name].warmup <= CONFIGS[name].steps // 5


def by_heart(step: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The caption says what is at the two places, the first one first."""
    places = torch.eye(4)[torch.tensor([[0, 1], [1, 0], [1, 1], [0, 0]])]  # (4, 2, 4)
    places = places + torch.tensor([[0, 0, 1, 0], [0, 0, 0, 1]])  # and which place it is
    return places, torch.tensor([[1, 4, 5, 2], [1, 5, 4, 2], [1, 5, 5, 2], [1, 4, 4, 2]])


def train_small(steps: int, seed: int = 0, **changes) -> tuple[nn.Module, list[float]]:
    torch.manual_seed(seed)
    config = replace(SMALL, steps=steps, warmup=min(10, steps), learning_rate=2e-2, **changes)
    model, losses = build(config, vocabulary_size=6, annotation=4), []
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, by_heart, range(steps), lambda step, loss: losses.append(loss))
    return model, losses


def test_learns_four_captions_by_heart() -> None:
    """With attention. Without, the first two images have the same mean: of four captions two cost ln 2 at one word, so
    that the loss per word is at least (2 ln 2)/12."""
    _, losses = train_small(150)
    assert losses[-1] < 0.02, losses[-1]
    assert losses[0] > 1, "nothing was left to learn"
    _, losses = train_small(150, attention="none")
    assert 2 * math.log(2) / 12 - 1e-3 < losses[-1] < 2 * math.log(2) / 12 + 0.02, losses[-1]


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_same_seed_same_weights() -> None:
    one, again, other = (weights(train_small(4, seed, dropout=0.5)[0]) for seed in (0, 0, 1))
    check_equal("the weights after 4 steps with the same seed", one, again)
    assert not torch.allclose(one, other)


ALONE = """
from dataclasses import replace
from show_attend_tell.train import CONFIGS, build, build_optimizer, train

def batch_at(step):
    generator = torch.Generator().manual_seed(step)
    pixels = config.encoder == "cnn"
    images = torch.rand(2, 3, 64, 64, generator=generator) if pixels else torch.rand(2, 16, 5, generator=generator)
    return images, torch.tensor([[[1, 4, 2], [1, 2, 0]]] * 2)

for config in (CONFIGS["toy"], replace(CONFIGS["toy"], encoder="cnn"), replace(CONFIGS["toy"], attention="none")):
    model = build(config, vocabulary_size=5, annotation=5)
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, batch_at, range(2), lambda step, loss: losses.append(loss))
"""


def test_core_trains_where_nothing_else_can_be_imported(tmp_path: Path) -> None:
    check_alone(tmp_path, "show_attend_tell", ("model", "loss", "encoders", "train"), ALONE, steps=6)
