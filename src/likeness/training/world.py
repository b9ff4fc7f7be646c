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
class World:
    """This process among its sisters.

    Attributes:
        device: where this process computes.
        rank: its number, 0 for the one that writes files.
        size: number of processes.
    """

    device: torch.device
    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, writes and reports."""
        return self.rank == 0

    def shares(self, count: int) -> list[int]:
        """How many of `count` images each process embeds."""
        return [count // self.size + (rank < count % self.size) for rank in range(self.size)]

    def share(self, count: int) -> slice:
        """Which of `count` images this process embeds."""
        shares = self.shares(count)
        start = sum(shares[: self.rank])
        return slice(start, start + shares[self.rank])

    def gather(self, embeddings: Tensor, count: int) -> Tensor:
        """Embeddings [count, D] of the whole batch from everybody's share, differentiable in one's own."""
        if self.size == 1:
            return embeddings
        gathered: Tensor = _Gather.apply(embeddings, self, count)  # type: ignore[no-untyped-call]
        return gathered

    def parallel(self, module: nn.Module) -> nn.Module:
        """The module with gradients averaged over the processes after each backward pass."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module)

    def agree(self, number: int) -> int:
        """The largest of everybody's numbers, such as a signal that only one has received."""
        if self.size == 1:
            return number
        shared = torch.tensor(number, device=self.device)
        distributed.all_reduce(shared, distributed.ReduceOp.MAX)
        return int(shared)

    def tell(self, value: Any) -> Any:
        """What the leading process gives, for everybody."""
        if self.size == 1:
            return value
        box = [value]
        distributed.broadcast_object_list(box, src=0)
        return box[0]


def join_world(device: str) -> World:
    """The world that torchrun's environment describes, or this process alone.

    Args:
        device: auto (a GPU if there is one), cpu, or cuda.

    Raises:
        ParamsError: cuda is asked for and there is none.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    place = choose_device(device, int(os.environ.get("LOCAL_RANK", 0)))
    if size == 1:
        return World(place)
    if not distributed.is_initialized():
        if place.type == "cuda":
            torch.cuda.set_device(place)
        distributed.init_process_group("nccl" if place.type == "cuda" else "gloo")
        # Left joined for a next training: under torchrun's store, joining a second time would wait for ever.
        atexit.register(distributed.destroy_process_group)
    return World(place, rank, size)


def leads_by_environment() -> bool:
    """Whether this process is the leading one, before any world is joined."""
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

    As everybody computes the same loss of the whole batch, one's own rows of its gradient are all there is to
    pass back, with no communication. Parallel training then takes the mean over the processes, hence their number
    as a factor.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, own: Tensor, world: World, count: int) -> Tensor:
        shares = world.shares(count)
        padded = own.new_zeros(max(shares), own.shape[1])
        padded[: len(own)] = own
        everybody = [torch.empty_like(padded) for _ in shares]
        distributed.all_gather(everybody, padded)
        ctx.place, ctx.factor = world.share(count), world.size  # type: ignore[attr-defined]
        return torch.cat([part[:share] for part, share in zip(everybody, shares, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return gradients[0][ctx.place] * ctx.factor, None, None
