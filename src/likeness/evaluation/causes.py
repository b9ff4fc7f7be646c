"""What errors have in common: how often each property stands out among them, and among right decisions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from likeness.artifacts.evaluation_tables import CAUSES
from likeness.artifacts.shown_decisions import Kind
from likeness.evaluation.decisions import EXTREME, SPEAKS, PairFacts, meaning
from likeness.metrics.scores import Bools

_ERRORS: tuple[tuple[Kind, bool], ...] = (("false-non-match", True), ("false-match", False))


def cause_table(facts: PairFacts, predicted: Bools, same: Bools) -> pd.DataFrame:
    """See `CAUSES`; of each kind of error the property that is the most frequent among them first.

    Args:
        facts: of the P test pairs.
        predicted: bool [P], whether the model takes a pair for one person.
        same: bool [P], whether it is.
    """
    rows = []
    for kind, mated in _ERRORS:
        errors, right = (same == mated) & (predicted != same), (same == mated) & (predicted == same)
        found: list[tuple[str, str, str, int, int, int, int]] = []
        for high, names in zip((False, True), SPEAKS[kind], strict=True):
            for name in names:
                beyond = facts.beyond(name, high)
                known, extreme = ~np.isnan(beyond), beyond < EXTREME
                counted = [(int(np.sum(part & known)), int(np.sum(part & extreme))) for part in (errors, right)]
                found.append((kind, name, meaning(name, high), *counted[0], *counted[1]))
        rows += sorted(found, key=lambda row: (-row[4], row[1]))
    return pd.DataFrame(rows, columns=list(CAUSES.columns))
