"""What is promised → test

one loop, any range of steps, a fake log       test_the_loop_by_hand
a rise, a peak, and nothing at the end         test_learning_rate_rises_and_falls
it learns                                      test_learns_eight_examples_by_heart
one seed, the same bits                        test_same_seed_same_weights
the core trains by itself in another project   test_core_trains_where_nothing_else_can_be_imported
the reading budget                             test_core_can_be_read_in_one_sitting
two processes, one gradient                    test_two_processes_give_the_gradient_of_one

``python -m tests.vqa.test_train`` is what each of the two processes runs.
"""

import ast
import io
import math
import shutil
import subprocess
import sys
import tokenize
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from lab import distributed
from tests.lab.distributed_check import check_same_gradient, leave
from vqa.model import FUSIONS
from vqa.train import CONFIGS, answer_loss, build, build_optimizer, learning_rate, train

ROOT = Path(__file__).parents[2]
CORE = ("model", "data", "train", "metric")
SMALL = replace(CONFIGS["toy"], embedding=8, hidden=16, common=64, dropout=0.0)


class Scorer(nn.Module):
    """A model of one weight vector, whose gradient can be written down: the answer is k with logit w_k."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([0.5, -1.0, 2.0]).double())

    def forward(self, images: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
        return self.w.expand(len(questions), 3)


def check_the_loop(candidate, steps: range) -> None:
    """The gradient of the mean of −log p over two answers is p − their mean one-hot vector."""
    model, asked, told = Scorer(), [], []
    optimizer = torch.optim.SGD(model.parameters(), lr=99.0)  # the rate that counts is ``rate_at``'s

    def batch_at(step: int):
        asked.append(step)
        return torch.zeros(1, 3, 4, 4), torch.ones(2, 1, dtype=torch.int64), torch.tensor([step % 3, 0])

    candidate(model, optimizer, batch_at, steps, lambda step, loss: told.append((step, loss)), lambda s: 0.1 * (s + 1))
    w, expected = torch.tensor([0.5, -1.0, 2.0]).double(), []
    for step in steps:
        p = w.softmax(dim=0)
        expected.append(-(p[step % 3].log() + p[0].log()).item() / 2)  # before the weights move
        target = torch.zeros(3).double()
        target[step % 3] += 0.5
        target[0] += 0.5
        w = w - 0.1 * (step + 1) * (p - target)
    assert asked == [step for step, _ in told] == list(steps)
    assert [loss for _, loss in told] == pytest.approx(expected)
    assert_close(model.w.detach(), w)


def rate_of_the_next_step(model, optimizer, batch_at, steps, log, rate_at) -> None:
    """Tempting because schedulers of torch are stepped behind the optimiser; the first step then has another rate."""
    train(model, optimizer, batch_at, steps, log, lambda step: rate_at(step + 1))


def gradients_added_up(model, optimizer, batch_at, steps, log, rate_at) -> None:
    """Tempting because nothing complains when ``zero_grad`` is forgotten."""
    optimizer.zero_grad = lambda: None
    train(model, optimizer, batch_at, steps, log, rate_at)


@pytest.mark.parametrize("steps", [range(5), range(3, 7), range(0)], ids=str)
def test_the_loop_by_hand(steps: range) -> None:
    check_the_loop(train, steps)


@pytest.mark.parametrize("wrong", [rate_of_the_next_step, gradients_added_up], ids=lambda function: function.__name__)
def test_wrong_loop_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_the_loop(wrong, range(5))


@given(steps=st.integers(100, 2000), data=st.data())
def test_learning_rate_rises_and_falls(steps: int, data) -> None:
    warmup = data.draw(st.integers(1, steps // 4), label="warmup")
    rates = [learning_rate(0.01, warmup, steps, step) for step in range(steps)]
    peak = rates.index(max(rates))
    assert peak == warmup - 1
    assert rates == sorted(rates[: peak + 1]) + sorted(rates[peak + 1 :], reverse=True)
    assert 0.008 < rates[peak] <= 0.01
    assert rates[0] == pytest.approx(0.01 / warmup)  # the first step already moves
    assert 0 < rates[-1] < 1e-5
    assert learning_rate(0.01, warmup, 2 * steps, steps) == pytest.approx(0.005)  # half a cosine is there halfway


@pytest.mark.parametrize("name", CONFIGS)
def test_each_configuration_has_schedules_that_end_near_zero(name: str) -> None:
    config = CONFIGS[name]
    for highest, steps in ((config.learning_rate, config.steps), (config.lesson_learning_rate, config.lessons)):
        rates = [learning_rate(highest, config.warmup, steps, step) for step in range(steps)]
        if steps:
            assert 0.8 * highest < max(rates) <= highest
            assert min(rates) > 0
            assert rates[-1] < 1e-3 * highest


def test_optimizer_by_hand() -> None:
    """AdamW's first two steps: m and v of the gradients, both freed of their start at zero, and the weights decay."""
    config = replace(CONFIGS["toy"], learning_rate=0.1, weight_decay=0.5)
    w, m, v = 2.0, 0.0, 0.0
    model = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(model.weight, w)
    optimizer = build_optimizer(model, config)
    for step, gradient in enumerate((3.0, -1.0), start=1):
        model.weight.grad = torch.full_like(model.weight, gradient)
        optimizer.step()
        m, v = 0.9 * m + 0.1 * gradient, 0.98 * v + 0.02 * gradient**2
        w -= 0.1 * 0.5 * w
        w -= 0.1 * (m / (1 - 0.9**step)) / (math.sqrt(v / (1 - 0.98**step)) + 1e-8)
        assert model.weight.item() == pytest.approx(w, rel=1e-10)


def by_heart(step: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Four pictures, red or blue, left or right, and two questions about each: which colour, which side?"""
    images = torch.full((4, 3, 16, 16), 0.93)
    for k, (colour, side) in enumerate([(0, 0), (0, 1), (2, 0), (2, 1)]):
        images[k, :, 4:12, 8 * side : 8 * side + 8] = 0.1
        images[k, colour, 4:12, 8 * side : 8 * side + 8] = 0.9
    questions = torch.tensor([[1, 2, 0], [1, 3, 4]] * 4)
    return images, questions, torch.tensor([0, 2, 0, 3, 1, 2, 1, 3])  # red, blue, left, right


def train_small(steps: int, seed: int = 0, **changes) -> tuple[nn.Module, list[float]]:
    torch.manual_seed(seed)
    config = replace(SMALL, steps=steps, warmup=min(10, steps), learning_rate=3e-3, **changes)
    model, losses = build(config, words=5, answers=4), []
    optimizer = torch.optim.Adam(model.parameters())
    log = lambda step, loss: losses.append(loss)  # noqa: E731
    train(
        model,
        optimizer,
        by_heart,
        range(steps),
        log,
        lambda step: learning_rate(config.learning_rate, config.warmup, steps, step),
    )
    return model, losses


@pytest.mark.parametrize("fusion", FUSIONS)
def test_learns_eight_examples_by_heart(fusion: str) -> None:
    """The sums too: colours answer one question only, sides the other, so f(q) + g(v) is enough here."""
    _, losses = train_small(100, fusion=fusion)
    assert losses[-1] < 0.05, losses[-1]
    assert losses[0] > 0.5, "nothing was left to learn"


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def test_same_seed_same_weights() -> None:
    one, again, other = (weights(train_small(5, seed, dropout=0.5)[0]) for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.allclose(one, other)


ALONE = """
import sys
for name in {others!r}:
    sys.modules[name] = None  # importing it is an ImportError
import torch
from vqa.model import FUSIONS
from vqa.train import CONFIGS, build, learning_rate, train
import vqa.train
assert vqa.train.__file__.startswith({folder!r}), vqa.train.__file__

def batch_at(step):
    generator = torch.Generator().manual_seed(step)
    images = torch.rand(2, 3, config.image_size, config.image_size, generator=generator)
    return images, torch.tensor([[1, 2], [3, 0]] * 2), torch.tensor([0, 1, 2, 0])

torch.set_num_threads(1)
config, losses = CONFIGS["toy"], []
model = build(config, words=4, answers=3)
train(model, torch.optim.Adam(model.parameters()), batch_at, range(2), lambda step, loss: losses.append(loss),
      lambda step: learning_rate(config.learning_rate, config.warmup, 3, step))
print(len(losses), all(loss == loss for loss in losses))
"""
OTHERS = ("bench", "lab", "matplotlib", "PIL", "safetensors", "soundfile", "tests", "tour", "toyworld", "tyro")


def test_core_trains_where_nothing_else_can_be_imported(tmp_path) -> None:
    (tmp_path / "vqa").mkdir()
    for name in ("model", "train"):
        shutil.copy(ROOT / "vqa" / f"{name}.py", tmp_path / "vqa")
    code = ALONE.format(others=OTHERS, folder=str(tmp_path))
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["2", "True"]


def lines_of_code(source: str) -> int:
    """Lines that hold code: no blanks, comments, docstrings."""
    places = (ast.Module, ast.ClassDef, ast.FunctionDef)
    heads = [node.body[0] for node in ast.walk(ast.parse(source)) if isinstance(node, places) and node.body]
    said = {
        line
        for head in heads
        if isinstance(head, ast.Expr) and isinstance(head.value, ast.Constant) and isinstance(head.value.value, str)
        for line in range(head.lineno, head.end_lineno + 1)
    }
    layout = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    tokens = [t for t in tokenize.generate_tokens(io.StringIO(source).readline) if t.type not in layout]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - said)


def test_lines_are_counted_by_hand() -> None:
    source = [
        '"""Head',  # a docstring of two lines
        'of the file."""',
        "",
        "x = 1  # one",  # 1
        "# none",
        "def f(a,",  # 2
        "      b):",  # 3
        '    """Said."""',
        '    return """two',  # 4
        'lines"""',  # 5
    ]
    assert lines_of_code("\n".join(source)) == 5


def test_core_can_be_read_in_one_sitting() -> None:
    counts = {name: lines_of_code((ROOT / "vqa" / f"{name}.py").read_text()) for name in CORE}
    assert sum(counts.values()) <= 450, counts


def share_pictures(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Neighbouring pictures, and the questions about them: both are cut at the same place, as they have one order."""
    images, questions, answers = batch
    return (*distributed.share((images,)), *distributed.share((questions, answers)))


def questions_dealt_out(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """Tempting because dealing out is fair too; the questions then come to the process that has other pictures."""
    images, questions, answers = batch
    rank, count = distributed.processes().rank, distributed.processes().count
    return (*distributed.share((images,)), questions[rank::count], answers[rank::count])


def check_two_processes() -> None:
    generator = torch.Generator().manual_seed(1)
    batch = (
        torch.rand(4, 3, 32, 32, generator=generator).double(),
        torch.randint(1, 5, (12, 3), generator=generator),
        torch.randint(0, 4, (12,), generator=generator),
    )
    for fusion in FUSIONS:
        torch.manual_seed(0)
        model = build(replace(SMALL, fusion=fusion), words=5, answers=4).double()
        check_same_gradient(model, answer_loss, batch, share=share_pictures)
    with pytest.raises(AssertionError):  # the check can fail
        check_same_gradient(model, answer_loss, batch, share=questions_dealt_out)


def test_two_processes_give_the_gradient_of_one() -> None:
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "tests.vqa.test_train"]
    result = subprocess.run([sys.executable, *torchrun], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr


def main() -> None:
    torch.set_num_threads(1)
    distributed.start(torch.device("cpu"))
    check_two_processes()
    leave()


if __name__ == "__main__":
    main()
