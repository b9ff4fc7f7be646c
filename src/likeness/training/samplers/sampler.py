"""What every sampler is to the training loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from likeness.data.splits import TrainingData
from likeness.params import Range
from likeness.parts import Parts
from likeness.training.batches import Batch
from likeness.training.randomness import Purpose, stream

Rows = NDArray[np.int64]


class Sampler(ABC):
    """Batches of an epoch, the same whenever and wherever they are asked for."""

    by_identity: ClassVar[bool] = False
    """Whether its batches carry the identity of every image; the others carry pairs alone."""

    @classmethod
    @abstractmethod
    def build(cls, params: Any, data: TrainingData, batch_size: int, seed: int) -> Sampler:
        """The sampler that its section describes, over what the protocol gives.

        Args:
            params: of the dataclass that the class is registered with.
            data: pairs (restricted protocol) or identities (unrestricted).
            batch_size: pairs, or images where batches carry identities.
            seed: of all that is drawn.

        Raises:
            ParamsError: the sampler needs what the protocol does not give.
            DataError: there is nothing to draw from.
        """

    @property
    @abstractmethod
    def rows(self) -> Rows:
        """Every row of the pixel store that some epoch may show, ascending."""

    @abstractmethod
    def epoch(self, number: int) -> Sequence[Batch]:
        """Batches of epoch `number` (counted from 0), on the host."""


SAMPLERS: Parts[Sampler] = Parts("sampler", __package__)
"""All samplers; each module of this package that defines one registers it."""


@dataclass(frozen=True)
class SamplerParams:
    """How batches are put together (section `train.sampler`): a sampler by name, and what it reads.

    Attributes:
        name: which sampler.
        share: share of the people (of the pairs, where only pairs are known) that this training sees at all, drawn
            by the seed: members of an ensemble differ by it.
    """

    PARTS: ClassVar[Parts[Any]] = SAMPLERS

    name: str = "pairs"
    share: Annotated[float, Range(above=0, high=1)] = 1.0

    @staticmethod
    def upgraded(values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Version 0.1 wrote the name as `kind`, and the keys of both samplers."""
        if "kind" not in values:
            return values
        of_people = {"images_per_person", "images_per_group", "single_views"}
        unread = {"kind"} | (of_people if values["kind"] == "pairs" else {"pairs_per_epoch"})
        return {"name": values["kind"]} | {key: value for key, value in values.items() if key not in unread}

    @property
    def part(self) -> type[Sampler]:
        """The class of the sampler."""
        return SAMPLERS.part(self.name)


def build_sampler(data: TrainingData, params: SamplerParams, batch_size: int, seed: int) -> Sampler:
    """The sampler that `params` asks for; see `Sampler.build` for arguments and errors."""
    return params.part.build(params, data, batch_size, seed)


def draw_subset(count: int, share: float, seed: int) -> Rows:
    """Ascending positions of the drawn share, at least one."""
    size = max(1, round(count * share))
    return np.sort(stream(seed, Purpose.SUBSET).permutation(count)[:size]).astype(np.int64)
