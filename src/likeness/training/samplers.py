"""Which images meet in which batch: a pure function of (seed, epoch), so that any epoch can be drawn again.

A sampler is bound to its protocol by type: `ListedPairs` takes `Pairs`, the other two take `Identities`, and
`build_sampler` refuses what does not fit. The class-balanced sampler of pytorch-metric-learning is not used:
it shuffles with a global generator, which no interrupted training could resume.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import DataError, ParamsError
from likeness.params import Range
from likeness.training.batches import Batch, IndexPairs, PairBatch, PersonBatch
from likeness.training.randomness import Purpose, stream

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SamplerParams:
    """How batches are put together (section `train.sampler`).

    Attributes:
        kind: pairs: batches of pairs (listed, or drawn where identities are known). identities: batches of images.
        share: share of the people (of the pairs, where only pairs are known) that this training sees at all, drawn
            by the seed: members of an ensemble differ by it.
        pairs_per_epoch: pairs drawn from identities each epoch, half of them same; null: as many as images.
        images_per_person: photographs of one person in an epoch at most; those with hundreds would drown the rest.
        images_per_group: photographs of one person that are kept together in one batch.
        single_views: how often a person's only photograph is in an epoch: 0 leaves such people out, 2 puts two
            (differently augmented) views into the same batch.
    """

    kind: Literal["pairs", "identities"] = "pairs"
    share: Annotated[float, Range(above=0, high=1)] = 1.0
    pairs_per_epoch: Annotated[int, Range(low=2)] | None = None
    images_per_person: Annotated[int, Range(low=1)] = 12
    images_per_group: Annotated[int, Range(low=1)] = 12
    single_views: Annotated[int, Range(low=0, high=2)] = 1


class Sampler(Protocol):
    """Batches of an epoch, the same whenever and wherever they are asked for."""

    @property
    def rows(self) -> Rows:
        """Every row of the pixel store that some epoch may show, ascending."""

    def epoch(self, number: int) -> Sequence[Batch]:
        """Batches of epoch `number` (counted from 0), on the host."""


def build_sampler(data: TrainingData, params: SamplerParams, batch_size: int, seed: int) -> Sampler:
    """The sampler that `params` asks for, over what the protocol gives.

    Raises:
        ParamsError: batches of identities are asked for, but the protocol gives pairs alone.
        DataError: there is nothing to draw from.
    """
    if isinstance(data, Pairs):
        if params.kind == "identities":
            raise ParamsError(
                "train.sampler.kind: identities needs the identity of every training image, but the protocol is "
                "restricted and gives pairs alone; choose kind: pairs, or split.protocol: unrestricted"
            )
        return ListedPairs(data, params, batch_size, seed)
    kind = PersonBatches if params.kind == "identities" else DrawnPairs
    return kind(data, params, batch_size, seed)


class ListedPairs:
    """Restricted protocol: the listed pairs, each once an epoch, in an order drawn anew for each epoch."""

    def __init__(self, pairs: Pairs, params: SamplerParams, batch_size: int, seed: int) -> None:
        if not isinstance(pairs, Pairs):
            raise TypeError(f"the restricted protocol trains on Pairs, not on {type(pairs).__name__}")
        if not len(pairs):
            raise DataError("no pair to train on; look at the split stage's card")
        chosen = _subset(len(pairs), params.share, seed)
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


class DrawnPairs:
    """Unrestricted protocol, for losses over pairs: half same, half different, drawn anew for each epoch.

    People are drawn uniformly, not photographs: somebody with 500 photographs is met as often as anybody else
    (and as the same person, as often as anybody else with at least two).
    """

    def __init__(self, identities: Identities, params: SamplerParams, batch_size: int, seed: int) -> None:
        self.people = _people(identities, params.share, seed)
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


class PersonBatches:
    """Unrestricted protocol, for losses over identities: a person's photographs meet in one batch.

    Each epoch every person gives at most `images_per_person` photographs, drawn anew, in groups of at most
    `images_per_group`; groups in random order fill batches of at most `batch_size` images. People with one
    photograph are groups of one: as negatives they are as good as any.
    """

    def __init__(self, identities: Identities, params: SamplerParams, batch_size: int, seed: int) -> None:
        self.people = _people(identities, params.share, seed)
        self.params, self.batch_size, self.seed = params, batch_size, seed
        self.group = min(params.images_per_group, batch_size)
        if len(self._draw(stream(seed, Purpose.ORDER, 0))[0]) < 2:
            raise DataError("fewer than two images to train on; look at the split stage's card")

    @property
    def rows(self) -> Rows:
        """Rows of all images of the people chosen."""
        return np.sort(self.people.rows)

    def epoch(self, number: int) -> list[PersonBatch]:
        """Batches of at most `batch_size` images.

        A last batch less than half full is left out (its images come up in other epochs): few images make poor
        batch statistics and hardly a triplet.
        """
        rows, labels, sizes = self._draw(stream(self.seed, Purpose.ORDER, number))
        bounds = _fill(sizes, self.batch_size)
        if len(bounds) > 2 and bounds[-1] - bounds[-2] < self.batch_size / 2:
            bounds.pop()
        return [
            PersonBatch(torch.from_numpy(rows[start:end]), torch.from_numpy(labels[start:end]))
            for start, end in itertools.pairwise(bounds)
        ]

    def _draw(self, random: np.random.Generator) -> tuple[Rows, Rows, Rows]:
        """Rows and labels of an epoch in order, and the sizes of the groups that they fall into."""
        people, params = self.people, self.params
        place = people.shuffled(random)  # place of each image within its person
        kept = place < params.images_per_person
        if params.single_views == 0:
            kept &= people.sizes[people.owner] > 1
        rows, owner, place = people.rows[kept], people.owner[kept], place[kept]
        groups, group = np.unique(np.stack([owner, place // self.group]), axis=1, return_inverse=True)
        order = np.argsort(random.permutation(groups.shape[1])[group.ravel()], kind="stable")
        if params.single_views == 2:
            order = np.repeat(order, np.where(people.sizes[owner[order]] == 1, 2, 1))
        return rows[order], people.labels[owner[order]], np.bincount(_runs(group.ravel()[order]))


@dataclass(frozen=True, eq=False)
class _People:
    """Images sorted by person: person p (0..C'-1) owns rows[starts[p] : starts[p] + sizes[p]]."""

    rows: Rows
    owner: Rows
    starts: Rows
    sizes: Rows
    labels: Rows  # the label of each person

    def with_at_least(self, photographs: int) -> Rows:
        return np.flatnonzero(self.sizes >= photographs)

    def photograph(self, person: Rows, number: Rows) -> Rows:
        chosen: Rows = self.rows[self.starts[person] + number]
        return chosen

    def shuffled(self, random: np.random.Generator) -> Rows:
        """A random place 0..n-1 for each image among the n of its person."""
        order = np.lexsort((random.random(len(self.rows)), self.owner))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - self.starts[self.owner]
        return place


def _people(identities: Identities, share: float, seed: int) -> _People:
    if not isinstance(identities, Identities):
        raise TypeError(f"this sampler needs Identities, not {type(identities).__name__}")
    if not len(identities):
        raise DataError("no image to train on; look at the split stage's card")
    everybody = np.unique(identities.labels)
    kept = np.isin(identities.labels, everybody[_subset(len(everybody), share, seed)])
    rows, labels = identities.rows[kept], identities.labels[kept]
    order = np.argsort(labels, kind="stable")
    people, owner, sizes = np.unique(labels[order], return_inverse=True, return_counts=True)
    return _People(rows[order], owner, np.cumsum(sizes) - sizes, sizes, people)


def _subset(count: int, share: float, seed: int) -> Rows:
    """Ascending positions of the drawn share, at least one."""
    size = max(1, round(count * share))
    return np.sort(stream(seed, Purpose.SUBSET).permutation(count)[:size]).astype(np.int64)


def _parts(order: Rows, size: int) -> list[Rows]:
    return [order[start : start + size] for start in range(0, len(order), size)]


def _pair_batch(pairs: Pairs) -> PairBatch:
    rows, places = np.unique(np.concatenate([pairs.a, pairs.b]), return_inverse=True)
    first, second = torch.from_numpy(places.astype(np.int64)).tensor_split(2)
    return PairBatch(torch.from_numpy(rows), IndexPairs(first, second, torch.from_numpy(pairs.same)))


def _runs(values: Rows) -> Rows:
    """Number of the run of equal values that each value is in: [7, 7, 2, 7] gives [0, 0, 1, 2]."""
    runs: Rows = np.cumsum(np.concatenate([[0], values[1:] != values[:-1]]))
    return runs


def _fill(sizes: Rows, batch_size: int) -> list[int]:
    """Cuts a row of groups into batches of at most `batch_size` images without cutting a group."""
    ends = np.cumsum(sizes)
    bounds = [0]
    while bounds[-1] < ends[-1]:
        full = int(np.searchsorted(ends, bounds[-1] + batch_size, side="right"))
        first = int(np.searchsorted(ends, bounds[-1], side="right"))
        bounds.append(int(ends[max(full - 1, first)]))
    return bounds
