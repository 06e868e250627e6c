r"""The contrastive loss across processes: each encodes its share of the batch and compares all images with all texts.

``torchrun --nproc_per_node=N -m -- clip_mini`` starts N processes. Each holds the whole model. The loss compares every
image with every text of the batch, so each process needs the features of all the others. It gathers them, and computes
the loss L of the whole batch. So L is the same number in each process. Its gradients need care.

**What is summed, and what is averaged.** DDP averages: each parameter gets the mean over the processes of the
gradients that they computed. As each process has the loss L, the mean of the N losses is L, and the gradient must be
that of L. Two kinds of parameters reach L in different ways.

- ``log_scale`` is used after the gathering. Each process computes the whole ∂L/∂t. The mean of N equal numbers is
  right.
- A parameter of an encoder is used before the gathering. Process r computes only what goes through its own features,
  :math:`g_r = \sum_{i \in r} \partial L/\partial u_i \cdot \partial u_i/\partial\theta`. The gradient is the **sum**
  of the :math:`g_r`, so DDP's mean of them is N times too small.

So the gradients of the features must be multiplied by N, and that of ``log_scale`` must not. ``gather_features`` does
it without a factor. All N processes use what process r sends, so its gradient is the sum over their N losses. The N
parts are equal: the sum is N times one of them. This sum and DDP's mean cancel. Nothing else is multiplied.

What people get wrong is in ``tests/clip_mini/misconceptions/scale.py``: no gradient through the gathering, no factor N,
N times the loss (right for the encoders, wrong for ``log_scale``), own negatives only, labels from 0 in each process.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from clip_mini.extensions.chunked import chunked_contrastive_loss
from clip_mini.model import CLIP, LARGEST_SCALE
from lab import distributed

CHUNK = 1024  # rows of the similarities at a time


def train_in_parallel(
    model: CLIP,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    share: Callable = distributed.share,
) -> None:
    """The core's loop on several processes, or on one. Without dropout it gives the same losses and weights, apart from
    rounding. With dropout (frozen features have it), each process draws its own masks.

    Args:
        batch_at: the whole batch of a step, the same in each process.
        share: this process's part of it: as many pairs in each process. A stream that reads only its own part of the
            data gives ``batch_at`` that part, and ``share=lambda batch: batch``.

    Raises:
        ValueError: if the number of processes does not divide the batch.
    """
    encode = distributed.wrap(model)  # process 0's weights for all; averages gradients over the processes
    for step in steps:
        images, texts = share(batch_at(step))
        image, text = map(gather_features, encode(images, texts))  # of the whole batch, (n, common) each
        loss = chunked_contrastive_loss(image, text, model.log_scale, CHUNK)  # the same in each process
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        with torch.no_grad():
            model.log_scale.clamp_(max=LARGEST_SCALE)  # section 2.5: the logits are scaled by at most 100
        log(step, loss=loss.item(), scale=model.log_scale.exp().item())


def gather_features(features: Float[Tensor, "share d"]) -> Float[Tensor, "n d"]:
    """The features of all processes, in the order of their ranks, with gradient. Each must have as many rows.

    One process: its own features.
    """
    return GatherFeatures.apply(features) if distributed.processes().count > 1 else features


class GatherFeatures(Function):
    r"""Forward: all rows to all processes. Backward: of the own rows, :math:`\sum_r \partial L_r / \partial u_i`."""

    @staticmethod
    def forward(ctx: Any, features: Float[Tensor, "share d"]) -> Float[Tensor, "n d"]:
        features = features.contiguous()
        parts = [torch.empty_like(features) for _ in range(distributed.processes().count)]
        dist.all_gather(parts, features)
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "n d"]) -> Float[Tensor, "share d"]:
        total = gradient.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)  # over the processes r: each has used these features in its own loss
        rank, count = distributed.processes().rank, distributed.processes().count
        return total.chunk(count)[rank]
