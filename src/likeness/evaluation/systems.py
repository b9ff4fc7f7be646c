"""A system under measurement: every face described once, and a rule that scores two descriptions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from likeness.data.splits import Pairs
from likeness.metrics.scores import Floats
from likeness.models.decision import Decision, fit_decision

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]
Rule = Callable[[Any, Any], Floats]

# Numbers compared at a time: a few MB, which stay near a core, whatever the length of an embedding.
_BLOCK = 500_000


@dataclass(frozen=True, eq=False)
class System:
    """Descriptions of faces and the rule that compares them.

    Attributes:
        name: as in tables.
        rows: int64 [M], manifest rows that are described, ascending.
        vectors: float32 [M, D], the description of each.
        rule: descriptions [P, D], [P, D] -> scores float64 [P], higher = more alike.
        prepared: [M, D'], what the rule takes instead of the descriptions, where it computes something once for
            each of them.
    """

    name: str
    rows: Rows
    vectors: Vectors
    rule: Rule
    prepared: Vectors | Floats | None = None

    def describe(self, rows: Rows) -> Vectors | Floats:
        """What the rule takes for manifest rows [P], each of which must be among `self.rows`."""
        places = np.searchsorted(self.rows, rows)
        return self.vectors[places] if self.prepared is None else self.prepared[places]

    def scores(self, first: Rows, second: Rows) -> Floats:
        """Scores float64 [P] of pairs of manifest rows."""
        step = max(1, _BLOCK // self.vectors.shape[1])
        blocks = [
            self.rule(self.describe(first[at : at + step]), self.describe(second[at : at + step]))
            for at in range(0, len(first), step)
        ]
        return np.concatenate(blocks) if blocks else np.zeros(0)

    def score_table(self, probes: Rows, gallery: Rows) -> Floats:
        """Scores float64 [P, G] of every probe against every face of a gallery."""
        every_probe, every_face = np.repeat(probes, len(gallery)), np.tile(gallery, len(probes))
        return self.scores(every_probe, every_face).reshape(len(probes), len(gallery))


@dataclass(frozen=True, eq=False)
class ScoredSystem:
    """A system with its decision rule and its scores on holdout and test pairs.

    Attributes:
        decision: threshold and calibration, from anything but the test pairs.
        holdout: scores float64 of the holdout pairs.
        test: scores float64 of the test pairs.
    """

    system: System
    decision: Decision
    holdout: Floats
    test: Floats


def cosine(first: Vectors, second: Vectors) -> Floats:
    """Cosine of the angle between rows of [P, D] and [P, D]; 0 where one of them is all zero."""
    one, two = first.astype(np.float64), second.astype(np.float64)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return np.asarray(np.sum(one * two, axis=1) / np.where(lengths > 0, lengths, 1))


def score_system(system: System, holdout: Pairs, test: Pairs, decision: Decision | None = None) -> ScoredSystem:
    """Scores both sets of pairs; without a `decision` of its own, one is fitted on the holdout pairs alone.

    Raises:
        DataError: the holdout lacks a class, or a score is not finite.
    """
    on_holdout = system.scores(holdout.a, holdout.b)
    fitted = decision or fit_decision(on_holdout, holdout.same)
    return ScoredSystem(system, fitted, on_holdout, system.scores(test.a, test.b))
