"""Where does it fail? FNMR, FMR, accuracy and AUC on quarters of the test pairs, by quality and pose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from likeness.data.splits import Pairs
from likeness.evaluation.comparison import Scored
from likeness.metrics.calibration_error import equal_mass_bins
from likeness.metrics.intervals import Estimate, Resampling, bootstrap
from likeness.metrics.roc import roc
from likeness.metrics.scores import Floats, weighted_mean

# The worse picture of a pair is the darker, the flatter, the blurrier one: the lower value of each.
PROPERTIES = ("brightness", "contrast", "sharpness")
QUARTERS = 4


def worse_pictures(manifest: pd.DataFrame, pairs: Pairs) -> dict[str, Floats]:
    """The lower value of each property within each pair, float64 [P] by name."""
    values = {name: manifest[name].to_numpy(np.float64) for name in PROPERTIES}
    return {name: np.minimum(value[pairs.a], value[pairs.b]) for name, value in values.items()}


def slice_table(
    system: Scored, pairs: Pairs, groups: NDArray[np.int64], worse: Mapping[str, Floats], resampling: Resampling
) -> pd.DataFrame:
    """Figures on the quarters of each property.

    Args:
        system: scores of the P pairs, and the threshold of all of them.
        pairs: the P pairs.
        groups: int64 [P] from `pair_groups`.
        worse: property -> float64 [P], such as those of `worse_pictures`; pairs of which it is not known (NaN) are
            in no quarter.
        resampling: number and seed of the resamples.

    Returns:
        One row a quarter: property, quarter (1 = lowest), from, to (the property's values), pairs, same, and for
        each of accuracy, fnmr, fmr and auc the value and its limits, such as fmr, fmr_low and fmr_high; NaN where
        the quarter lacks such pairs. A property with few different values has fewer rows.
    """
    rows: list[dict[str, Any]] = []
    for name, values in worse.items():
        known = ~np.isnan(values)
        if not known.any():
            continue
        quarter = np.full(len(values), -1)
        quarter[known] = equal_mass_bins(values[known], QUARTERS)
        for number in range(int(quarter.max()) + 1):
            inside = quarter == number
            span = {
                "property": name,
                "quarter": number + 1,
                "from": values[inside].min(),
                "to": values[inside].max(),
            }
            counts = {"pairs": int(inside.sum()), "same": int(pairs.same[inside].sum())}
            part = Scored(system.scores[inside], system.threshold)
            figures = _figures(part, pairs.same[inside], groups[inside], resampling)
            rows.append({"property": name, "quarter": number + 1} | span | counts | _columns(figures))
    return pd.DataFrame(rows)


def _figures(
    system: Scored, same: NDArray[np.bool_], groups: NDArray[np.int64], resampling: Resampling
) -> dict[str, Estimate]:
    def statistics(weights: Floats) -> dict[str, Floats]:
        return {
            "accuracy": weighted_mean(system.predicted == same, weights),
            "fnmr": weighted_mean(~system.predicted, weights * same),
            "fmr": weighted_mean(system.predicted, weights * ~same),
            "auc": roc(system.scores, same, weights).auc(),
        }

    members = {"accuracy": np.ones_like(same), "fnmr": same, "fmr": ~same}
    return bootstrap(statistics, groups, resampling, same, members=members)


def _columns(figures: Mapping[str, Estimate]) -> dict[str, float]:
    return {
        column: value
        for name, figure in figures.items()
        for column, value in ((name, figure.value), (f"{name}_low", figure.low), (f"{name}_high", figure.high))
    }
