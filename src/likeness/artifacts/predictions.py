"""`predictions.parquet` of the evaluate stage: one row a pair. A version in the registry holds a copy of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from likeness.artifacts.table_file import TableFile, columns_of
from likeness.errors import DataError


@dataclass(frozen=True)
class PredictionRecord:
    """What the model says of a pair.

    Attributes:
        split: holdout or test.
        first: name of its first image, such as Ann_Lee_0001, which unlike a row number outlasts the next ingest.
        second: of its second image.
        same: whether both show one person.
        score: higher = more alike.
        probability: of one person, in [0, 1].
        predicted: whether the model says that it is one person.
        correct: whether it is right.
        brightness: of the darker image, in [0, 1]; NaN in tables of earlier releases that lack it.
        contrast: of the flatter image; likewise.
        sharpness: of the blurrier image; likewise.
        yaw: turn of the head that is turned more, in degrees, at least 0; NaN for holdout pairs, where no face was
            found, and in tables of earlier releases.
    """

    split: str
    first: str
    second: str
    same: bool
    score: float
    probability: float
    predicted: bool
    correct: bool
    brightness: float
    contrast: float
    sharpness: float
    yaw: float


PREDICTIONS = TableFile(
    "predictions.parquet",
    columns_of(PredictionRecord),
    stage="evaluate",
    defaults={
        "first": "",
        "second": "",
        **dict.fromkeys(("brightness", "contrast", "sharpness", "yaw"), math.nan),
    },
    former=("a", "b", "first_person", "second_person"),
)


def read_test_pairs(path: Path) -> pd.DataFrame:
    """The test pairs of a table of predictions.

    Raises:
        DataError: the table cannot be read, or does not name the images, as an evaluation by 0.1 did not.
    """
    table = PREDICTIONS.read(path)
    test = table[table["split"] == "test"].reset_index(drop=True)
    if (test["first"] == "").any():
        raise DataError(f"{path}: does not name the images of its pairs; `dvc repro evaluate` makes it again")
    return test


def people(names: pd.Series[str]) -> pd.Series[str]:
    """The people on images, from the names of these."""
    return names.str.rpartition("_")[0]
