"""Small tables that DVC draws: the histogram of the scores, and the confusion matrix."""

from __future__ import annotations

import numpy as np
import pandas as pd

from likeness.artifacts.evaluation_tables import CONFUSION
from likeness.metrics.scores import Confusion

_BINS = 40
_KINDS = (("same person", True), ("different people", False))


def score_bars(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test pairs by score, of both kinds in the same bins; see `SCORE_BARS`."""
    test = predictions[predictions["split"] == "test"]
    edges = np.histogram_bin_edges(test["score"], bins=_BINS)
    parts = [
        pd.DataFrame(
            {
                "kind": kind,
                "low": edges[:-1],
                "high": edges[1:],
                "pairs": np.histogram(test.loc[test["same"] == same, "score"], edges)[0],
            }
        )
        for kind, same in _KINDS
    ]
    return pd.concat(parts, ignore_index=True)


def confusion_table(counts: Confusion) -> pd.DataFrame:
    """Test pairs by truth and decision at the threshold of the model; see `CONFUSION`."""
    (same, _), (different, _) = _KINDS
    rows = [
        (same, same, counts.true_matches),
        (same, different, counts.false_non_matches),
        (different, same, counts.false_matches),
        (different, different, counts.true_non_matches),
    ]
    return pd.DataFrame(rows, columns=list(CONFUSION.columns))
