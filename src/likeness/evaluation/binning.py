"""Bins of equal mass, for reliability diagrams and slices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from likeness.evaluation.metrics import Floats


def equal_mass_bins(values: Floats, bins: int) -> NDArray[np.int64]:
    """Bin of each value, with about as many values in any bin as in any other.

    Equal values share a bin, so there may be fewer bins than asked for.

    Args:
        values: [N].
        bins: how many at most.

    Returns:
        int64 [N], dense from 0, rising with the value.
    """
    edges = np.quantile(values, np.arange(1, bins) / bins)
    _, dense = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)
    return np.asarray(dense, np.int64)
