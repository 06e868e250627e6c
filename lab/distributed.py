"""What several processes under torchrun need: to find each other, to share a batch, to add up what each has counted.

Each process holds the whole model, takes its share of every batch, and averages its gradient with the others'. Without
torchrun there is one process, and every function here leaves things as they are, so callers need not ask.
"""

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """Which process this is, from 0, and how many there are."""

    rank: int
    count: int


def start(device: torch.device) -> Processes:
    """Joins the other processes if torchrun started this one: gloo on the CPU, nccl on cuda with one GPU a process.

    Raises:
        ValueError: if there are fewer GPUs than processes.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:  # torchrun sets it; a RANK alone may come from a cluster's scheduler
        return Processes(rank=0, count=1)
    if device.type == "cuda":
        local_rank, gpus = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local_rank >= gpus:
            raise ValueError(f"--nproc-per-node must be at most {gpus}, the number of GPUs of this machine")
        torch.cuda.set_device(local_rank)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    return processes()


def stop() -> None:
    """Leaves the others, at the end and together. Nothing to do for one process alone.

    Not for a ``finally``: a process that fails must exit, so that torchrun ends the others; here it would wait.
    """
    if dist.is_initialized():
        gc.collect()  # what is left of wrapped models goes before the group that they use
        dist.barrier()  # or a gloo thread that still holds a tensor meets a python that has ended, and aborts
        dist.destroy_process_group()


def processes() -> Processes:
    """This process and the number of all, as ``start`` found them."""
    return Processes(dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else Processes(rank=0, count=1)


def wrap(model: nn.Module) -> nn.Module:
    """The model for the training loop: its gradient is the mean over the processes. One process: the model itself.

    Process 0's weights become everybody's. Afterwards seed each process differently, or all draw the same dropout.
    """
    if processes().count == 1:
        return model
    wrapped = DistributedDataParallel(model)
    if dist.get_backend() == "gloo":
        wrapped.register_comm_hook(None, mean_in_rank_order)
    return wrapped


def mean_in_rank_order(state: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    """The mean of the processes' gradients, added in the order of the ranks, whatever else is in the bucket.

    A ring adds in an order that depends on where in its bucket a number lies, and DDP fills its buckets anew after the
    first step, so with three processes or more a resumed run would differ in its last bits.
    """
    parts = [torch.empty_like(bucket.buffer()) for _ in range(processes().count)]
    dist.all_gather(parts, bucket.buffer())
    mean = torch.futures.Future()
    mean.set_result(sum(parts) / len(parts))
    return mean


def share(batch: tuple[Shaped[Tensor, "..."], ...]) -> tuple[Shaped[Tensor, "..."], ...]:
    """This process's part of a global batch: as many neighbouring rows for each process, in the order of their ranks.

    The mean over all processes of the gradient of a mean over examples is the gradient over the whole batch only if all
    shares are equal. So a batch must divide evenly: the other way, weighting each loss by its share, would put the
    plumbing into every paper's loop. It holds for losses that are means over examples; a loss that compares examples
    with each other (CLIP's) needs all embeddings in each process.

    Raises:
        ValueError: if the tensors have unequal lengths, or the number of processes does not divide them.
    """
    rank, count = processes().rank, processes().count
    lengths = [len(tensor) for tensor in batch]
    if len(set(lengths)) != 1:
        raise ValueError(f"batch must hold tensors of one length, got {lengths}")
    if lengths[0] % count:
        raise ValueError(f"batch size must be a multiple of the number of processes, got {lengths[0]} for {count}")
    size = lengths[0] // count
    return tuple(tensor[rank * size : (rank + 1) * size] for tensor in batch)


def sum_counts(counts: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """The sum over the processes, in all of them: how a metric over the whole test set comes out of its parts."""
    total = counts.clone()
    if processes().count > 1:
        dist.all_reduce(total)
    return total


def gather(value: Any) -> list:
    """Every process's ``value``, in the order of their ranks, in all of them."""
    values = [value] * processes().count
    if processes().count > 1:
        dist.all_gather_object(values, value)
    return values


def on_first(function: Callable[[], Any]) -> Any:
    """Calls ``function`` in process 0 alone and gives what it returned, or the error that it raised, to all.

    So files are written once, and on a full disk all processes stop with the same words instead of waiting for ever.
    """
    outcome = [None, None]  # what it returned, what it raised
    if processes().rank == 0:
        try:
            outcome[0] = function()
        except (ValueError, OSError) as error:
            outcome[1] = error
    if processes().count > 1:
        dist.broadcast_object_list(outcome)
    result, error = outcome
    if error is not None:
        raise error
    return result
