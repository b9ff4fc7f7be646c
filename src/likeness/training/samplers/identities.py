"""Batches of people, each with several photographs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import torch

from likeness.data.splits import Identities, Pairs, TrainingData
from likeness.errors import DataError, ParamsError
from likeness.params import Range
from likeness.training.batches import PersonBatch
from likeness.training.randomness import Purpose, stream
from likeness.training.samplers.person_index import person_index
from likeness.training.samplers.sampler import SAMPLERS, Rows, Sampler, SamplerParams


@dataclass(frozen=True)
class IdentitiesParams(SamplerParams):
    """Parameters of batches of people.

    Attributes:
        images_per_person: photographs of one person in an epoch at most, so that hundreds of one do not dominate.
        images_per_group: photographs of one person that are kept together in one batch.
        single_views: how often a person's only photograph is in an epoch: 0 leaves such people out, 2 puts two
            (differently augmented) views into the same batch.
    """

    images_per_person: Annotated[int, Range(low=1)] = 12
    images_per_group: Annotated[int, Range(low=1)] = 12
    single_views: Annotated[int, Range(low=0, high=2)] = 1


@SAMPLERS.register("identities", IdentitiesParams)
class PersonBatches(Sampler):
    """Unrestricted protocol, for losses over identities: a person's photographs meet in one batch.

    Each epoch every person gives at most `images_per_person` photographs, drawn again, in groups of at most
    `images_per_group`; groups in random order fill batches of at most `batch_size` images. People with one
    photograph are groups of one: as negatives they are as good as any.
    """

    by_identity = True

    def __init__(self, identities: Identities, params: IdentitiesParams, batch_size: int, seed: int) -> None:
        self.people = person_index(identities, params.share, seed)
        self.params, self.batch_size, self.seed = params, batch_size, seed
        self.group = min(params.images_per_group, batch_size)
        if len(self._draw(stream(seed, Purpose.ORDER, 0))[0]) < 2:
            raise DataError("fewer than two images to train on; look at the split stage's card")

    @classmethod
    def build(cls, params: Any, data: TrainingData, batch_size: int, seed: int) -> Sampler:
        """See `Sampler.build`."""
        if isinstance(data, Pairs):
            raise ParamsError(
                "train.sampler.name: identities needs the identity of every training image, but the protocol is "
                "restricted and gives pairs alone; choose name: pairs, or split.protocol: unrestricted"
            )
        return cls(data, params, batch_size, seed)

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
