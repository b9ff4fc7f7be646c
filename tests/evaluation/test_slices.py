import numpy as np
import pandas as pd
import pytest

from likeness.data.splits import Pairs
from likeness.evaluation.comparison import Scored
from likeness.evaluation.slices import slice_table, worse_pictures
from likeness.metrics.calibration_error import equal_mass_bins
from likeness.metrics.intervals import Resampling


def test_a_system_that_fails_on_blurred_pictures_shows_it():
    rng = np.random.default_rng(0)
    count = 400
    sharpness = rng.uniform(1, 100, 2 * count)
    manifest = pd.DataFrame({"brightness": 0.5, "contrast": rng.random(2 * count), "sharpness": sharpness})
    pairs = Pairs(np.arange(count), np.arange(count) + count, np.arange(count) % 2 == 0)
    worse = worse_pictures(manifest, pairs)
    np.testing.assert_array_equal(worse["sharpness"], np.minimum(sharpness[:count], sharpness[count:]))
    blurred = worse["sharpness"] < np.quantile(worse["sharpness"], 0.25)
    scores = np.where(blurred, rng.normal(size=count), np.where(pairs.same, 1.0, -1.0))
    table = slice_table(Scored(scores, 0.0), pairs, np.arange(count), worse, Resampling(200, 0))

    sharp = table[table["property"] == "sharpness"].set_index("quarter")
    assert sharp["pairs"].tolist() == [100] * 4
    assert sharp["accuracy"].tolist()[1:] == [1.0] * 3
    assert sharp.loc[1, "accuracy"] < 0.7
    assert sharp.loc[1, "accuracy_low"] < sharp.loc[1, "accuracy"] < sharp.loc[1, "accuracy_high"]
    assert sharp.loc[1, "to"] < sharp.loc[2, "from"]
    assert len(table[table["property"] == "brightness"]) == 1  # one value, one slice
    assert table.groupby("property")["pairs"].sum().tolist() == [count] * 3


def test_pairs_of_which_a_property_is_unknown_are_in_no_quarter():
    count = 80
    yaw = np.where(np.arange(count) < 60, np.arange(count, dtype=float), np.nan)
    pairs = Pairs(np.arange(count), np.arange(count) + count, np.arange(count) % 2 == 0)
    scores = np.where(pairs.same, 1.0, -1.0)
    known = {"yaw": yaw, "roll": np.full(count, np.nan)}
    table = slice_table(Scored(scores, 0.0), pairs, np.arange(count), known, Resampling(100, 0))
    assert table["property"].unique().tolist() == ["yaw"]
    assert table["pairs"].tolist() == [15] * 4
    assert table["to"].max() == 59


@pytest.mark.parametrize(
    ("values", "bins", "expected"),
    [([1, 2, 3, 4], 2, [0, 0, 1, 1]), ([5, 5, 5], 4, [0, 0, 0]), ([3, 1, 2], 3, [2, 0, 1])],
)
def test_bins_of_equal_mass(values, bins, expected):
    assert equal_mass_bins(np.array(values, float), bins).tolist() == expected
