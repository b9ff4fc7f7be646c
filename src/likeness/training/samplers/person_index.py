"""Images sorted by person, which samplers draw from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from likeness.data.splits import Identities
from likeness.errors import DataError
from likeness.training.samplers.sampler import Rows, draw_subset


@dataclass(frozen=True, eq=False)
class PersonIndex:
    """Images sorted by person: person p (0..C'-1) owns rows[starts[p] : starts[p] + sizes[p]]."""

    rows: Rows
    owner: Rows
    starts: Rows
    sizes: Rows
    labels: Rows  # the label of each person

    def with_at_least(self, photographs: int) -> Rows:
        """Numbers of the people who have so many."""
        return np.flatnonzero(self.sizes >= photographs)

    def photograph(self, person: Rows, number: Rows) -> Rows:
        """Rows of the pixel store: photograph `number` (from 0) of each person."""
        chosen: Rows = self.rows[self.starts[person] + number]
        return chosen

    def shuffled(self, random: np.random.Generator) -> Rows:
        """A random place 0..n-1 for each image among the n of its person."""
        order = np.lexsort((random.random(len(self.rows)), self.owner))
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order)) - self.starts[self.owner]
        return place


def person_index(identities: Identities, share: float, seed: int) -> PersonIndex:
    """The drawn share of the people, with all of their photographs.

    Raises:
        DataError: there is no photograph.
    """
    if not isinstance(identities, Identities):
        raise TypeError(f"this sampler needs Identities, not {type(identities).__name__}")
    if not len(identities):
        raise DataError("no image to train on; look at the split stage's card")
    everybody = np.unique(identities.labels)
    kept = np.isin(identities.labels, everybody[draw_subset(len(everybody), share, seed)])
    rows, labels = identities.rows[kept], identities.labels[kept]
    order = np.argsort(labels, kind="stable")
    people, owner, sizes = np.unique(labels[order], return_inverse=True, return_counts=True)
    return PersonIndex(rows[order], owner, np.cumsum(sizes) - sizes, sizes, people)
