"""Several networks as one tower, whose cosine is the weighted mean of their cosines."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Self

import torch
from torch import Tensor, nn

from likeness.models.architecture import BACKBONES, BackboneParams, ModelParams
from likeness.models.backbones.backbone import Backbone
from likeness.models.siamese import Siamese
from likeness.models.towers.tower_card import TowerCard
from likeness.params import Range


@dataclass(frozen=True)
class EnsembleParams(BackboneParams):
    """Parameters of an ensemble.

    Attributes:
        members: its networks, each compared by cosine.
        shares: weight of each member's cosine in the ensemble's; none: equal shares.
    """

    members: tuple[ModelParams, ...] = ()
    shares: Annotated[tuple[float, ...], Range(above=0)] = ()

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("an ensemble needs `members`")
        if any(member.comparator.name != "cosine" for member in self.members):
            raise ValueError("the members of an ensemble must be compared by cosine, which is what it averages")
        if self.shares and len(self.shares) != len(self.members):
            raise ValueError(f"expected a share for each of {len(self.members)} members, found {len(self.shares)}")

    @property
    def holds_external(self) -> bool:
        """Whether a member does."""
        return any(member.backbone.holds_external for member in self.members)

    @property
    def towers(self) -> tuple[TowerCard, ...]:
        """Those of the members."""
        return tuple(tower for member in self.members for tower in member.backbone.towers)

    def resolved(self) -> Self:
        """All members resolved."""
        return dataclasses.replace(self, members=tuple(member.resolved() for member in self.members))

    def untrained(self) -> Self | None:
        """All members untrained."""
        members = tuple(fresh for member in self.members if (fresh := member.untrained()) is not None)
        return dataclasses.replace(self, members=members) if len(members) == len(self.members) else None

    def check_dim(self, embedding_dim: int) -> None:
        """The members' embeddings lie one behind the other."""
        total = sum(member.output_dim for member in self.members)
        if embedding_dim != total:
            raise ValueError(f"embedding_dim must be its members' together, {total}, found {embedding_dim}")


@BACKBONES.register("ensemble", EnsembleParams)
class Ensemble(Backbone):
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

    @classmethod
    def build(cls, params: Any, input_size: tuple[int, int], embedding_dim: int, channels: int = 1) -> Self:
        """See `Backbone.build`."""
        from likeness.models.network import assemble  # which builds ensembles by this

        return cls([assemble(member, (*input_size, channels)) for member in params.members], params.shares)

    def read_files(self, params: Any) -> None:
        """Those of the members."""
        from likeness.models.network import read_files

        for member, planned in zip(self.members, params.members, strict=True):
            assert isinstance(member, Siamese)
            read_files(member, planned)

    def forward(self, images: Tensor) -> Tensor:
        """Unit embeddings [B, ΣD] of images [B, C, H, W]."""
        embeddings = [factor * member(images) for factor, member in zip(self.factors, self.members, strict=True)]
        return torch.cat(embeddings, dim=-1)
