"""`reports/sweep.csv`: one row a value of a swept parameter, on the held-out pairs."""

from __future__ import annotations

from dataclasses import dataclass

from likeness.artifacts.table_file import TableFile, columns_of

TRAINING_PEOPLE = "training people"
"""Stands for `split.people_share`: what a reader asks for is the number, which the face set decides."""


@dataclass(frozen=True)
class SweepRecord:
    """What a training with one value of a swept parameter reached.

    Attributes:
        parameter: its name with dots, or TRAINING_PEOPLE.
        value: of the parameter.
        split: of the pairs that were measured: holdout.
        accuracy: of the held-out pairs at the threshold that suits them best.
        low: of Wilson's 95 % interval.
        high: likewise.
        auc: area under their ROC curve.
        pairs: how many they are.
        epoch: whose weights were measured.
        seconds: of training until then.
        faces: source of the face set.
        training: recipe and settings.
    """

    parameter: str
    value: float
    split: str
    accuracy: float
    low: float
    high: float
    auc: float
    pairs: int
    epoch: int
    seconds: float
    faces: str
    training: str


SWEEP = TableFile("sweep.csv", columns_of(SweepRecord), command="make sweep")
