"""What several processes under torchrun need: to find each other, to share a batch, to add up what each has counted.

Each process holds the whole model, takes its share of every batch, and averages its gradient with the others'. Without
torchrun there is one process, and every function here leaves things as they are, so callers need not ask.
"""

import gc
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor, nn
from torch.distributed.distributed_c10d import _get_default_store
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Processes:
    """Which process this is, from 0, and how many there are."""

    rank: int
    count: int


def start(device: torch.device) -> Processes:
    """Joins the other processes if torchrun started this one: gloo on the CPU, nccl on cuda with one GPU a process.

    Raises:
        ValueError: if there are fewer GPUs than processes, or the device is one numbered GPU for all.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:  # torchrun sets it; a RANK alone may come from a cluster's scheduler
        return Processes(rank=0, count=1)
    if device.type == "cuda":
        if device.index is not None:
            raise ValueError(f"--device must be cuda with torchrun, each process has its own GPU, got {device}")
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


def leave() -> None:
    """As ``stop``, and the process ends, with status 0: now and then a gloo thread aborts a python that is ending."""
    stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def first_to_report() -> bool:
    """True in the first process that calls it, False in all later ones: what all have to report is printed once."""
    if not dist.is_initialized():
        return int(os.environ.get("RANK", "0")) == 0
    try:
        return _get_default_store().add("reports", 1) == 1
    except RuntimeError:  # the process that kept the count has ended
        return True


def another_ended(error: BaseException) -> bool:
    """Whether the error says that another process has ended, or its machine cannot be reached."""
    connection = isinstance(error, dist.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error))
    return dist.is_initialized() and connection


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
    with each other (CLIP's) needs all embeddings in each process: ``clip_mini.extensions.parallel`` gathers them.

    Raises:
        ValueError: if the tensors have unequal lengths, or the number of processes does not divide them.
    """
    rank, lengths = processes().rank, [len(tensor) for tensor in batch]
    if len(set(lengths)) != 1:
        raise ValueError(f"batch must hold tensors of one length, got {lengths}")
    size = share_size(lengths[0])
    return tuple(tensor[rank * size : (rank + 1) * size] for tensor in batch)


def share_size(size: int) -> int:
    """How many rows of a batch of ``size`` rows each process has. Call it before a run begins, to check the batch size.

    Raises:
        ValueError: if the number of processes does not divide ``size``.
    """
    count = processes().count
    if size % count:
        raise ValueError(f"batch size must be a multiple of the number of processes, got {size} for {count}")
    return size // count


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
