"""Several networks as one tower, whose cosine is the weighted mean of their cosines."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from likeness.models.siamese import Siamese


class Ensemble(nn.Module):
    """Concatenates the members' unit embeddings, each scaled by the root of its share.

    The dot product of two such embeddings is Σ share · cosine, so that everything that works on one network's
    embeddings, a gallery above all, works on an ensemble's.

    Args:
        members: networks with unit embeddings.
        shares: weight of each member, made to sum to 1; none: equal.
    """

    def __init__(self, members: Sequence[Siamese], shares: Sequence[float] = ()) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        weights = shares or [1.0] * len(members)
        self.factors = [math.sqrt(weight / sum(weights)) for weight in weights]

    def forward(self, images: Tensor) -> Tensor:
        """Unit embeddings [B, ΣD] of images [B, 1, H, W]."""
        embeddings = [factor * member(images) for factor, member in zip(self.factors, self.members, strict=True)]
        return torch.cat(embeddings, dim=-1)
