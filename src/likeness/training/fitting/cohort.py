"""The cohort that scales the cosines of a finished network: one training face each of many people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from likeness.data.splits import Pairs, TrainingData

CSLS = "cos(x, y) − (r(x) + r(y)) / 2, r the mean cosine to the nearest {nearest} of a cohort of {people}"
"""What scores become."""


def cohort_rows(data: TrainingData, people: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows [N] of the pixel store, ascending: one photograph each of at most so many training people.

    Args:
        data: training faces. Of pairs, whose people are not known, any photographs.
        people: N at most.
        seed: of the draw.
    """
    if isinstance(data, Pairs):
        candidates = data.rows
    else:
        _, firsts = np.unique(data.labels, return_index=True)
        candidates = data.rows[firsts]
    return np.sort(np.random.default_rng(seed).permutation(candidates)[:people])
