"""Tables of the curves: ROC and DET of each system, and the reliability of the probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np
import pandas as pd

from likeness.artifacts.evaluation_tables import DET
from likeness.data.splits import Pairs
from likeness.evaluation import estimates
from likeness.evaluation.estimates import EvaluatedPairs
from likeness.evaluation.params import EvaluateParams
from likeness.evaluation.systems import ScoredSystem
from likeness.metrics.calibration_error import Reliability
from likeness.metrics.intervals import Resampling
from likeness.metrics.roc import roc

_DET_POINTS, _DET_RESAMPLES = 60, 400


def roc_table(systems: Mapping[str, ScoredSystem], test: Pairs) -> pd.DataFrame:
    """ROC curves of all systems on the test pairs; see `ROC`."""
    curves = []
    for name, system in systems.items():
        curve = roc(system.test, test.same)
        columns = {"system": name, "fmr": curve.fmr[0], "tmr": curve.tmr[0], "threshold": curve.thresholds}
        curves.append(pd.DataFrame(columns))
    return pd.concat(curves, ignore_index=True)


def det_table(systems: Mapping[str, ScoredSystem], test: EvaluatedPairs, params: EvaluateParams) -> pd.DataFrame:
    """FNMR of all systems with its interval, at FMRs evenly spread over the normal deviates; see `DET`."""
    fewest = max(1, int(np.sum(~test.pairs.same)))
    deviates = np.linspace(NormalDist().inv_cdf(min(1 / fewest, 0.4)), NormalDist().inv_cdf(0.95), _DET_POINTS)
    levels = [NormalDist().cdf(deviate) for deviate in deviates]
    resampling = Resampling(min(params.resamples, _DET_RESAMPLES), params.seed)
    rows = []
    for name, system in systems.items():
        found = estimates.det(system.test, test, levels, resampling)
        rows += [(name, level, one.value, one.low, one.high) for level, one in zip(levels, found, strict=True)]
    return pd.DataFrame(rows, columns=list(DET.columns))


def calibration_table(reliability: Reliability) -> pd.DataFrame:
    """One row a bin: bin, low, high (its probabilities), pairs, mean_probability, share_same."""
    columns = {"bin": reliability.bin, "probability": reliability.probability, "same": reliability.mated}
    table = (
        pd.DataFrame(columns)
        .groupby("bin")
        .agg(
            low=("probability", "min"),
            high=("probability", "max"),
            pairs=("same", "size"),
            mean_probability=("probability", "mean"),
            share_same=("same", "mean"),
        )
    )
    return table.reset_index()
