"""Embeddings as angles in the plane, in double precision, so that every loss can be worked out by hand."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from likeness.models.comparators.cosine import Cosine
from likeness.models.siamese import Siamese
from likeness.training.batches import IndexPairs, PairBatch, PersonBatch


def at(*degrees: float, length: float = 1.0) -> Tensor:
    """Points float64 [U, 2] at these angles; leaves that collect gradients."""
    angles = torch.deg2rad(torch.tensor(degrees, dtype=torch.float64))
    return (length * torch.stack([angles.cos(), angles.sin()], dim=1)).requires_grad_()


def pair_batch(first: list[int], second: list[int], same: list[bool]) -> PairBatch:
    count = max(*first, *second) + 1
    return PairBatch(
        torch.arange(count), IndexPairs(torch.tensor(first), torch.tensor(second), torch.tensor(same))
    )


def person_batch(*labels: int) -> PersonBatch:
    return PersonBatch(torch.arange(len(labels)), torch.tensor(labels))


def siamese(comparator: nn.Module | None = None, dim: int = 2) -> Siamese:
    """A network of which only the comparator matters."""
    return Siamese(nn.Identity(), Cosine() if comparator is None else comparator, dim).double()
