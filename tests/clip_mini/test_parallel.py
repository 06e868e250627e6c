r"""Figure 3's loss across processes: loss and gradients of two and of four processes are those of one.

By hand, with two processes: process 0 sends 5, process 1 sends 6, so both have g = (5, 6). Process 0 computes
:math:`L_0 = 1 g_0 + 10 g_1`, process 1 :math:`L_1 = 2 g_0 + 20 g_1`. Both have used what process 0 sent. Its gradient
is :math:`\partial (L_0 + L_1) / \partial g_0 = 1 + 2`, and that of process 1 is :math:`10 + 20`.

DDP then takes the mean over the N processes. The mean of equal losses is the loss, so everything fits: the gradient of
an encoder's parameter is a sum of N parts, each N times too large by itself and divided by N; that of ``log_scale`` is
the mean of N equal numbers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from clip_mini.data import Batch
from clip_mini.extensions.chunked import chunked_contrastive_loss
from clip_mini.extensions.parallel import gather_features, train_in_parallel
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP
from clip_mini.train import CONFIGS, build, build_optimizer, train
from lab import distributed
from tests.clip_mini.misconceptions import scale as misconceptions
from tests.clip_mini.test_chunked import check_close
from tests.lab.processes import in_processes

PAIRS, WORDS, END = 8, 7, 2
CONFIG = replace(
    CONFIGS["toy-vit"], steps=3, pairs=PAIRS, image_size=16, width=6, layers=1, heads=2, text_width=4, text_layers=1,
    text_heads=2, common=5, warmup=1,
)  # fmt: skip
COUNTS = (2, 4)


def batch_at(step: int) -> Batch:
    generator = torch.Generator().manual_seed(step)
    texts = torch.randint(3, WORDS, (PAIRS, 4), generator=generator)
    texts[:, 3] = END
    return Batch(torch.rand(PAIRS, 3, 16, 16, generator=generator).double(), texts)


def first_model() -> CLIP:
    torch.manual_seed(5)
    return build(CONFIG, WORDS, END).double()


def parallel_loss(image: Tensor, text: Tensor, log_scale: Tensor) -> Tensor:
    """What the loop computes from the features of the own pairs."""
    return chunked_contrastive_loss(gather_features(image), gather_features(text), log_scale, 3)


def named_gradients(model: CLIP, loss: Tensor) -> dict[str, Tensor]:
    model.zero_grad()
    loss.backward()
    return {"L": loss.detach()} | {f"∂L/∂{name}": tensor.grad.clone() for name, tensor in model.named_parameters()}


def in_parallel(loss_of: Callable, share: Callable = distributed.share) -> dict[str, Tensor]:
    """Called in one of several processes: its loss, and the gradients after DDP's mean."""
    model = first_model()
    wrapped = distributed.wrap(model)  # has a name, so that it is there in the backward pass
    image, text = wrapped(*share(batch_at(0)))
    return named_gradients(model, loss_of(image, text, model.log_scale))


def check_as_one(what: str, processes: list[dict[str, Tensor]]) -> None:
    """The mean loss of the processes, and the gradients in each of them, are those of one process."""
    model = first_model()
    image, text = model(*batch_at(0))
    expected = named_gradients(model, contrastive_loss(pairwise_similarity(image, text, model.log_scale)))
    mean = torch.stack([found["L"] for found in processes]).mean()
    for rank, found in enumerate(processes):
        for name, tensor in ({**found, "L": mean}).items():
            check_close(f"{what}, {name} in process {rank} of {len(processes)}", tensor, expected[name])


def trained(loop: Callable, **options: Any) -> dict[str, Tensor]:
    """The weights after three steps, with what was logged."""
    model, rows = first_model(), []
    optimizer, scheduler = build_optimizer(model, CONFIG)
    loop(model, optimizer, scheduler, batch_at, range(3), lambda step, **row: rows.append(row), **options)
    logged = {name: torch.tensor([row[name] for row in rows], dtype=torch.float64) for name in rows[0]}
    return logged | model.state_dict()


def by_hand(rank: int) -> tuple[list[float], float]:
    """What process r gathers, and its gradient, if it computes the loss (1 + r) Σ_i 10^i g_i."""
    own = torch.tensor([[5.0 + rank]]).requires_grad_()
    gathered = gather_features(own)[:, 0]
    loss = (1 + rank) * sum(10**i * g for i, g in enumerate(gathered))
    loss.backward()
    return gathered.tolist(), own.grad.item()


def work(rank: int) -> dict[str, Any]:
    """All that the tests need from one process."""
    losses = (parallel_loss, misconceptions.own_rows, *misconceptions.PARALLEL)
    found: dict[str, Any] = {loss_of.__name__: in_parallel(loss_of) for loss_of in losses}
    found |= {share.__name__: in_parallel(parallel_loss, share) for share in misconceptions.SHARES}
    found["strided"] = gather_features((torch.arange(3.0) + 10 * rank).expand(2, 3)[:, ::2]).tolist()
    return found | {"by hand": by_hand(rank), "trained": trained(train_in_parallel)}


@pytest.fixture(scope="module", params=COUNTS)
def found(request, tmp_path_factory) -> list[dict[str, Any]]:
    """What each of the processes has found."""
    trained(train)  # what it imports, the forks have
    return in_processes(request.param, work, tmp_path_factory.mktemp("processes"))


def test_by_hand(found) -> None:
    gathered, of_losses = [5.0, 6.0, 7.0, 8.0][: len(found)], {2: 1 + 2, 4: 1 + 2 + 3 + 4}[len(found)]
    for rank, got in enumerate(of(found, "by hand")):
        assert got == (gathered, of_losses * 10.0**rank)


def of(found: list[dict[str, Any]], name: str) -> list[Any]:
    return [process[name] for process in found]


def test_loss_and_gradients_are_those_of_one_process(found) -> None:
    losses = of(of(found, "parallel_loss"), "L")
    assert len({loss.item() for loss in losses}) == 1, "each process has the loss of the whole batch"
    check_as_one("the loss of the whole batch in each process", of(found, "parallel_loss"))


def test_the_loss_of_the_own_rows_gives_the_same_gradient(found) -> None:
    """Then the losses differ, and so do the N parts of the sum in the backward pass."""
    check_as_one("the loss of the own rows", of(found, "own_rows"))


@pytest.mark.parametrize("wrong", [*misconceptions.PARALLEL, *misconceptions.SHARES], ids=lambda wrong: wrong.__name__)
def test_wrong_ways_are_caught(wrong: Callable, found) -> None:
    with pytest.raises(AssertionError, match=rf"^{wrong.__name__}, .* in process \d of {len(found)}"):
        check_as_one(wrong.__name__, of(found, wrong.__name__))


def ratio(found: list[dict[str, Any]], wrong: str, name: str) -> float:
    right, got = (found[0][kind][f"∂L/∂{name}"] for kind in ("parallel_loss", wrong))
    return (got / right).mean().item()


def test_what_the_forgotten_factor_does(found) -> None:
    """Without it the encoders learn N times too slowly; on the loss, it makes ``log_scale`` N times too fast."""
    n, projection = len(found), "image_projection.weight"
    assert ratio(found, "factor_forgotten", projection) == pytest.approx(1 / n)
    assert ratio(found, "factor_forgotten", "log_scale") == pytest.approx(1)
    assert ratio(found, "factor_on_the_loss", projection) == pytest.approx(1)
    assert ratio(found, "factor_on_the_loss", "log_scale") == pytest.approx(n)
    assert found[0]["gathered_without_gradient"][f"∂L/∂{projection}"].abs().max() == 0


def test_the_loop_gives_the_weights_of_the_core_s_loop(found) -> None:
    expected = trained(train)
    for weights in of(found, "trained"):
        for name, tensor in expected.items():
            check_close(f"after three steps, {name}", weights[name], tensor, relative=1e-9, absolute=1e-10)


def test_features_with_any_strides_are_gathered(found) -> None:
    rows = [[10.0 * rank, 10.0 * rank + 2] for rank in range(len(found)) for _ in range(2)]
    assert of(found, "strided") == [rows] * len(found)


def test_one_process_gathers_its_own_features() -> None:
    features = torch.ones(3, 2)
    assert gather_features(features) is features


def test_in_one_process_the_loop_is_the_core_s() -> None:
    got, expected = trained(train_in_parallel), trained(train)
    for name, tensor in expected.items():
        check_close(f"after three steps, {name}", got[name], tensor, relative=1e-9, absolute=1e-10)


def test_a_stream_may_read_its_own_part() -> None:
    """``share`` is what takes this process's part; here it takes all, and the batch is that part."""
    got = trained(train_in_parallel, share=lambda batch: batch)
    check_close("log_scale", got["log_scale"], trained(train)["log_scale"])
