"""Batches of pairs: the listed ones, or drawn ones where identities are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import DataError
from likeness.params import Range
from likeness.training.batches import IndexPairs, PairBatch
from likeness.training.randomness import Purpose, stream
from likeness.training.samplers.person_index import person_index
from likeness.training.samplers.sampler import SAMPLERS, Rows, Sampler, SamplerParams, draw_subset


@dataclass(frozen=True)
class PairsParams(SamplerParams):
    """Parameters of batches of pairs.

    Attributes:
        pairs_per_epoch: pairs drawn from identities each epoch, half of them same; null: as many as images. Listed
            pairs are all taken.
    """

    pairs_per_epoch: Annotated[int, Range(low=2)] | None = None


@SAMPLERS.register("pairs", PairsParams)
class PairBatches(Sampler):
    """Batches of pairs, for losses over pairs."""

    @classmethod
    def build(cls, params: Any, data: TrainingData, batch_size: int, seed: int) -> Sampler:
        """`ListedPairs` of pairs, `DrawnPairs` of identities."""
        if isinstance(data, Pairs):
            return ListedPairs(data, params, batch_size, seed)
        return DrawnPairs(data, params, batch_size, seed)


class ListedPairs(PairBatches):
    """Restricted protocol: the listed pairs, each once an epoch, in an order drawn again for each epoch."""

    def __init__(self, pairs: Pairs, params: PairsParams, batch_size: int, seed: int) -> None:
        if not isinstance(pairs, Pairs):
            raise TypeError(f"the restricted protocol trains on Pairs, not on {type(pairs).__name__}")
        if not len(pairs):
            raise DataError("no pair to train on; look at the split stage's card")
        chosen = draw_subset(len(pairs), params.share, seed)
        self.pairs = pairs.take(chosen)
        self.batch_size, self.seed = batch_size, seed

    @property
    def rows(self) -> Rows:
        """Rows of all listed images."""
        return self.pairs.rows

    def epoch(self, number: int) -> list[PairBatch]:
        """Batches of `batch_size` pairs, the last one smaller where they do not divide."""
        order = stream(self.seed, Purpose.ORDER, number).permutation(len(self.pairs))
        return [_pair_batch(self.pairs.take(part)) for part in _parts(order, self.batch_size)]


class DrawnPairs(PairBatches):
    """Unrestricted protocol, for losses over pairs: half same, half different, drawn again for each epoch.

    People are drawn uniformly, not photographs: somebody with 500 photographs is met as often as anybody else
    (and as the same person, as often as anybody else with at least two).
    """

    def __init__(self, identities: Identities, params: PairsParams, batch_size: int, seed: int) -> None:
        self.people = person_index(identities, params.share, seed)
        self.several = self.people.with_at_least(2)
        if not len(self.several) or len(self.people.sizes) < 2:
            raise DataError("same and different pairs need two people, one of them with two photographs")
        self.count = params.pairs_per_epoch or len(self.people.rows)
        self.batch_size, self.seed = batch_size, seed

    @property
    def rows(self) -> Rows:
        """Rows of all images of the people chosen."""
        return np.sort(self.people.rows)

    def epoch(self, number: int) -> list[PairBatch]:
        """Batches of `batch_size` pairs, same and different shuffled."""
        random = stream(self.seed, Purpose.ORDER, number)
        same = self._same(random, (self.count + 1) // 2)
        different = self._different(random, self.count // 2)
        a, b = (np.concatenate(ends) for ends in zip(same, different, strict=True))
        pairs = Pairs(a, b, np.arange(self.count) < len(same[0]))
        order = random.permutation(self.count)
        return [_pair_batch(pairs.take(part)) for part in _parts(order, self.batch_size)]

    def _same(self, random: np.random.Generator, count: int) -> tuple[Rows, Rows]:
        person = random.choice(self.several, count)
        size = self.people.sizes[person]
        first = random.integers(0, size)
        second = (first + random.integers(1, size)) % size  # any other photograph, each as likely
        return self.people.photograph(person, first), self.people.photograph(person, second)

    def _different(self, random: np.random.Generator, count: int) -> tuple[Rows, Rows]:
        total = len(self.people.sizes)
        person = random.integers(0, total, count)
        other = (person + random.integers(1, total, count)) % total
        ends = [self.people.photograph(who, random.integers(0, self.people.sizes[who])) for who in (person, other)]
        return ends[0], ends[1]


def _parts(order: Rows, size: int) -> list[Rows]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _pair_batch(pairs: Pairs) -> PairBatch:
    rows, places = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    first, second = torch.from_numpy(places.astype(np.int64)).tensor_split(2)
    return PairBatch(torch.from_numpy(rows), IndexPairs(first, second, torch.from_numpy(pairs.same)))
