"""The tables of the evaluate stage that the report draws."""

from __future__ import annotations

import math

from likeness.artifacts.table_file import TableFile

ROC = TableFile(
    "roc.csv",
    {
        "system": "str",
        "fmr": "float64",  # share of the test pairs of different people that are accepted
        "tmr": "float64",  # share of those of the same person that are accepted
        "threshold": "float64",
    },
    stage="evaluate",
)
DET = TableFile(
    "det.csv",
    {
        "system": "str",
        "fmr": "float64",  # share of the test pairs of different people that are accepted
        "fnmr": "float64",  # share of those of the same person that are accepted that are not
        "fnmr_low": "float64",  # of the 95 % interval
        "fnmr_high": "float64",
    },
    stage="evaluate",
)
CALIBRATION = TableFile(
    "calibration.csv",
    {
        "bin": "int64",  # of the test pairs by stated probability, from 0
        "low": "float64",  # least probability in it
        "high": "float64",
        "pairs": "int64",
        "mean_probability": "float64",
        "share_same": "float64",  # share of the pairs that show one person
    },
    stage="evaluate",
)
SCORE_BARS = TableFile(
    "scores.csv",
    {
        "kind": "str",  # same person or different people
        "low": "float64",  # of the scores of this bin
        "high": "float64",
        "pairs": "int64",  # test pairs in it
    },
    stage="evaluate",
)
CONFUSION = TableFile(
    "confusion.csv",
    {
        "actual": "str",  # same person or different people
        "predicted": "str",  # likewise, at the threshold of the model
        "pairs": "int64",
    },
    stage="evaluate",
)
_RATES = {f"{rate}{end}": "float64" for rate in ("fnmr", "fmr") for end in ("", "_low", "_high")}
SLICES = TableFile(
    "slices.csv",
    {
        "property": "str",  # of the image of a pair that has less of it; yaw: of the head that is turned more
        "quarter": "int64",  # of the test pairs by it, 1 = lowest
        "from": "float64",
        "to": "float64",
        "pairs": "int64",
        "same": "int64",  # that show one person
        "accuracy": "float64",  # each with its 95 % interval, NaN where the quarter lacks such pairs
        "accuracy_low": "float64",
        "accuracy_high": "float64",
        **_RATES,
        "auc": "float64",
        "auc_low": "float64",
        "auc_high": "float64",
    },
    stage="evaluate",
    defaults=dict.fromkeys(_RATES, math.nan),
)
CAUSES = TableFile(
    "causes.csv",
    {
        "kind": "str",  # of error: false-non-match or false-match
        "property": "str",
        "meaning": "str",  # of its standing out: lying in the most extreme tenth of all test pairs
        "errors": "int64",  # of this kind of which the property is known
        "errors_extreme": "int64",  # of these, those whose property stands out
        "right": "int64",  # likewise, right decisions on pairs of the same truth
        "right_extreme": "int64",
    },
    stage="evaluate",
)
EMBEDDINGS = TableFile(
    "embeddings.csv",
    {
        "image": "str",  # name, such as Ann_Lee_0001
        "x": "float64",  # its embedding along the first two principal components of those listed
        "y": "float64",
        "x_variance": "float64",  # share of their variance along the component
        "y_variance": "float64",
    },
    stage="evaluate",
)
CMC = TableFile(
    "cmc.csv",
    {
        "system": "str",
        "rank": "int64",
        "share": "float64",  # of the probes whose person is among the first `rank`
        "low": "float64",
        "high": "float64",
    },
    stage="evaluate",
)
LAYERS = TableFile(
    "layers.csv",
    {
        "name": "str",
        "kind": "str",
        "kernel": "str",  # height×width of a convolution or a pooling, else empty; likewise
        "stride": "str",
        "padding": "str",
        "output_shape": "str",  # of one face, or of one pair
        "parameters": "int64",  # running statistics of batch normalisation among them
        "mmacs": "float64",  # millions of multiply-accumulates
    },
    stage="evaluate",
    defaults=dict.fromkeys(("kernel", "stride", "padding"), ""),
)
