"""One process or several: data-parallel training under torchrun, the same loss as one process with the same batch.

Every process draws the same batches, embeds its share of a batch's images, gathers the embeddings of all, and
computes the loss of the whole batch: a loss over pairs or identities needs them all. What holds for batch norm:
on GPUs it is synchronised over all processes, so training equals that of one process up to rounding. On CPUs
torch cannot, each process normalises by its own share, and the first one's running statistics are kept; equal
losses then need a network without batch norm.
"""

from __future__ import annotations

import atexit
import os
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx
from torch.nn.parallel import DistributedDataParallel

from likeness.errors import ParamsError


@dataclass(frozen=True)
class DistributedContext:
    """This process among those that train together.

    Attributes:
        device: where this process computes.
        rank: its number, 0 for the one that writes files.
        world_size: number of processes.
    """

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that evaluates, writes and reports."""
        return self.rank == 0

    def shard_sizes(self, count: int) -> list[int]:
        """How many of `count` images each process embeds."""
        return [count // self.world_size + (rank < count % self.world_size) for rank in range(self.world_size)]

    def shard(self, count: int) -> slice:
        """Which of `count` images this process embeds."""
        shares = self.shard_sizes(count)
        start = sum(shares[: self.rank])
        return slice(start, start + shares[self.rank])

    def gather(self, embeddings: Tensor, count: int) -> Tensor:
        """Embeddings [count, D] of the whole batch from all shards, differentiable in this process's own."""
        if self.world_size == 1:
            return embeddings
        gathered: Tensor = _Gather.apply(embeddings, self, count)  # type: ignore[no-untyped-call]
        return gathered

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over the processes after each backward pass."""
        if self.world_size == 1:
            return module
        return DistributedDataParallel(module)

    def all_reduce_max(self, number: int) -> int:
        """The largest of the numbers of all processes, such as a signal that only one has received."""
        if self.world_size == 1:
            return number
        shared = torch.tensor(number, device=self.device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return int(shared)

    def broadcast(self, value: Any) -> Any:
        """The value of the main process, in every process."""
        if self.world_size == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


def init_distributed(device: str) -> DistributedContext:
    """The context that torchrun's environment describes, or this process alone.

    Args:
        device: auto (a GPU if there is one), cpu, or cuda.

    Raises:
        ParamsError: cuda is asked for and there is none.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    place = choose_device(device, int(os.environ.get("LOCAL_RANK", 0)))
    if size == 1:
        return DistributedContext(place)
    if not distributed.is_initialized():
        if place.type == "cuda":
            torch.cuda.set_device(place)
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
        # Stays initialised: under torchrun's store a second initialisation would wait for ever.
        atexit.register(distributed.destroy_process_group)
    return DistributedContext(place, rank, size)


def is_main_process() -> bool:
    """Whether this process is the main one, before the process group is initialised."""
    return int(os.environ.get("RANK", 0)) == 0


def choose_device(device: str, number: int = 0) -> torch.device:
    """The device that a name means; `number` picks among several GPUs.

    Raises:
        ParamsError: cuda is asked for and there is none.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ParamsError(f"device: expected auto, cpu or cuda, found {device}")
    available = torch.cuda.is_available()
    if device == "cuda" and not available:
        raise ParamsError("device: cuda is asked for, but torch finds no GPU; use auto or cpu")
    return torch.device("cuda", number) if available and device != "cpu" else torch.device("cpu")


class _Gather(torch.autograd.Function):
    """All processes' embeddings, in order.

    As every process computes the same loss of the whole batch, one's own rows of its gradient are all there is to
    pass back, with no communication. Parallel training then takes the mean over the processes, hence their number
    as a factor.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor, context: DistributedContext, count: int) -> Tensor:
        sizes = context.shard_sizes(count)
        padded = own.new_zeros(max(sizes), own.shape[1])
        padded[: len(own)] = own
        everyone = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(everyone, padded)
        ctx.place, ctx.factor = context.shard(count), context.world_size  # type: ignore[attr-defined]
        return torch.cat([part[:size] for part, size in zip(everyone, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.place] * ctx.factor, None, None
