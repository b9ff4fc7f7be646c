"""Photographs in a folder a person that look like somebody else's, the most suspicious first.

Two questions are asked, both in log-odds of the model's calibrated probability, so that their answers are on one
scale:

- Does a photograph show the person of its folder? Against it speak low scores with the folder's other photographs,
  and high ones with another folder's.
- Do two folders show one person? For it speak high scores between their photographs.

Among many people the best of all others scores high by chance: the logarithm of their number is taken off what
speaks for one of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from likeness.models.decision import Decision
from likeness.serving.numpy_comparators import Embeddings, NumpyComparator

_NEAREST = 10  # photographs of other people that are looked at for each photograph
_MOST = 20  # photographs of a folder that are compared
_ROWS = 256  # photographs whose scores with all others are in memory at a time

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Suspicion:
    """A photograph whose label may be wrong, or two folders that may be of one person.

    Attributes:
        log_odds: of an error, if errors were as frequent as right labels; they are rarer, so that the order says
            more than the number.
        person: in whose folder the photograph is; of two folders the first.
        photographs: rows of the photograph, or of the first folder's photographs.
        own: probability that the photograph and its folder's others show one person, by their mean score; None
            where two folders are meant.
        other: the folder that it is like; "" where it is like none.
        others: rows of that folder's photographs.
        alike: probability that it shows that folder's person, by the mean score; None without `other`.
    """

    log_odds: float
    person: str
    photographs: tuple[int, ...]
    own: float | None = None
    other: str = ""
    others: tuple[int, ...] = field(default=(), repr=False)
    alike: float | None = None

    @property
    def kind(self) -> str:
        """What is suspected, in words."""
        if self.own is None:
            return "one person in two folders"
        return "in the wrong folder" if self.other else "two people in one folder"


def rank_suspicions(
    embeddings: Embeddings, people: Sequence[str], comparator: NumpyComparator, decision: Decision
) -> list[Suspicion]:
    """The suspicions whose log-odds are above 0, highest first.

    Args:
        embeddings: of the photographs, [N, D].
        people: N names, of the folder of each photograph.
        comparator: scores them.
        decision: of the model.
    """
    found = _Finder(embeddings, people, comparator, decision).all()
    return sorted((each for each in found if each.log_odds > 0), key=lambda each: -each.log_odds)


class _Finder:
    def __init__(
        self, embeddings: Embeddings, people: Sequence[str], comparator: NumpyComparator, decision: Decision
    ) -> None:
        self._prepared, self._comparator, self._decision = comparator.prepared(embeddings), comparator, decision
        self._names, self._owners = np.unique(np.asarray(people, dtype=str), return_inverse=True)
        order = np.argsort(self._owners, kind="stable")
        self._rows = np.split(order, np.cumsum(np.bincount(self._owners, minlength=len(self._names)))[:-1])
        self._price = math.log(max(len(self._names) - 1, 1))

    def all(self) -> Iterator[Suspicion]:
        """Every suspicion, in no order."""
        alike = [self._most_alike(row, people) for row, people in enumerate(self._candidates())]
        for owner, rows in enumerate(self._rows):
            if len(rows) > 1:
                yield from self._misplaced(owner, rows, alike)
        owners = self._owners.tolist()
        pairs = {(min(pair), max(pair)) for pair in zip(owners, (other for other, _ in alike), strict=True)}
        yield from (self._one_person(*pair) for pair in sorted(pairs) if min(pair) >= 0)

    def _candidates(self) -> list[Rows]:
        """For each photograph the people of other folders to whom the most alike photographs belong."""
        scan = self._comparator.scan(self._prepared)
        found: list[Rows] = []
        for start in range(0, len(self._owners), _ROWS):
            rows = np.arange(start, min(start + _ROWS, len(self._owners)))
            scores = scan(self._prepared[rows])
            scores[self._owners[rows][:, None] == self._owners] = -np.inf
            count = min(_NEAREST, scores.shape[1])
            nearest = np.argpartition(-scores, count - 1, axis=1)[:, :count]
            finite = np.isfinite(np.take_along_axis(scores, nearest, axis=1))
            found += [np.unique(self._owners[own[real]]) for own, real in zip(nearest, finite, strict=True)]
        return found

    def _most_alike(self, row: int, candidates: Rows) -> tuple[int, float]:
        """The person of another folder whom a photograph is most like, with the log-odds; (-1, -inf) for none."""
        odds = [self._log_odds([row], self._rows[person]) for person in candidates]
        best = int(np.argmax(odds)) if odds else -1
        return (int(candidates[best]), odds[best]) if odds else (-1, -math.inf)

    def _misplaced(self, owner: int, rows: Rows, alike: Sequence[tuple[int, float]]) -> Iterator[Suspicion]:
        """Each photograph against the others of its folder; of a folder of two only the more suspicious one."""
        found = []
        for row in rows.tolist():
            against = -self._log_odds([row], rows[rows != row])
            found.append(self._doubt(owner, row, against, *alike[row]))
        yield from found if len(found) > 2 else [max(found, key=lambda each: each.log_odds)]

    def _doubt(self, owner: int, row: int, against: float, other: int, odds: float) -> Suspicion:
        """About one photograph, whose log-odds are `against` its own folder, and `odds` for another person's."""
        own = _probability(-against)
        if odds <= self._price:
            return Suspicion(against, self._name(owner), (row,), own)
        others = tuple(self._rows[other].tolist())
        total = against + odds - self._price
        return Suspicion(total, self._name(owner), (row,), own, self._name(other), others, _probability(odds))

    def _one_person(self, owner: int, other: int) -> Suspicion:
        odds = self._log_odds(self._rows[owner], self._rows[other])
        return Suspicion(
            odds - self._price,
            self._name(owner),
            tuple(self._rows[owner].tolist()),
            None,
            self._name(other),
            tuple(self._rows[other].tolist()),
            _probability(odds),
        )

    def _log_odds(self, first: Sequence[int] | Rows, second: Rows) -> float:
        """That two groups of photographs show one person, by the mean score of all pairs."""
        one, two = self._prepared[first[:_MOST]], self._prepared[second[:_MOST]]
        scores = self._comparator.compare(np.repeat(one, len(two), axis=0), np.tile(two, (len(one), 1)))
        return self._decision.slope * float(scores.mean()) + self._decision.intercept

    def _name(self, person: int) -> str:
        return str(self._names[person])


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(log_odds, -500, 500))))
