"""Nested values become MLflow's flat names."""

from __future__ import annotations

import numpy as np

from likeness.params import leaves
from likeness.tracking.flatten import numbers


def test_parameters_are_joined_by_dots_and_lists_stay_whole() -> None:
    values = {"train": {"epochs": 10, "augment": {"shift": [0, 2]}}, "seed": 1}
    assert dict(leaves(values, ".")) == {"train.epochs": 10, "train.augment.shift": [0, 2], "seed": 1}


def test_figures_are_numbers_and_short_lists_of_them() -> None:
    values = {
        "test": {"accuracy": {"value": np.float32(0.5), "interval": [0.4, 0.6]}, "system": "ours"},
        "calibrated": True,
        "bins": [1, 2, 3, 4, 5],
        "tmr@fmr=1e-2": 0.25,
        "missing": None,
    }
    assert dict(numbers(values, "evaluation")) == {
        "evaluation/test/accuracy": 0.5,
        "evaluation/test/accuracy/interval/0": 0.4,
        "evaluation/test/accuracy/interval/1": 0.6,
        "evaluation/calibrated": 1.0,
        "evaluation/tmr_fmr_1e-2": 0.25,
    }
