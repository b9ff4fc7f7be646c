"""From the trials of a sweep to the table that the report draws: one row a value of a swept parameter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
from scipy.stats import binomtest

from likeness.artifacts.history import HISTORY
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.artifacts.sweep_table import SWEEP, TRAINING_PEOPLE, SweepRecord
from likeness.artifacts.training_summary import SUMMARY
from likeness.artifacts.trial import SweptValue, TrialNote
from likeness.data.splits import Split
from likeness.errors import DataError
from likeness.experiments.experiment_plan import EPOCHS, PEOPLE
from likeness.experiments.trials import TrialFolder
from likeness.tracking.sweeps import tag_sweep


def write_sweep(trials: Sequence[TrialFolder], out: Path) -> int:
    """Writes the rows of all trained trials; their runs get the tags `sweep` and `sweep.parameters`.

    Returns:
        The number of rows.

    Raises:
        DataError: see `sweep_records`.
    """
    records: list[SweepRecord] = []
    for trial in trials:
        note = trial.note
        if note is None or not note.values or trial.state == "planned":
            continue
        records += _read(trial, note)
        swept = ", ".join(sorted({value.parameter for value in note.values}))
        run = RUN_NOTE.read(trial.folder / "train" / RUN_NOTE.name)
        tag_sweep(run, {"sweep": note.plan, "sweep.parameters": swept}, trial.top)
    records.sort(key=lambda record: (record.parameter, record.value))
    SWEEP.write(out, SWEEP.records(records))
    return len(records)


def sweep_records(
    note: TrialNote, history: pd.DataFrame, best_epoch: int, pairs: int, faces: str, people: int
) -> Iterator[SweepRecord]:
    """One row a value, on the held-out pairs: these choose, the test pairs are none of a sweep's business.

    A number of epochs was reached on the way: its row is that of the weights at its end. Elsewhere the row is that
    of the weights which the training kept. The share of the people becomes their number.

    Args:
        note: of the trial.
        history: one row an epoch.
        best_epoch: whose weights the training kept.
        pairs: number of held-out pairs.
        faces: source of the face set.
        people: who were trained on.

    Raises:
        DataError: the learning rate changed on the way, so fewer epochs would have been another training.
    """
    if any(value.parameter == EPOCHS for value in note.values) and history["learning_rate"].nunique() > 1:
        raise DataError(
            "a sweep of epochs reads them all from one training, but the learning rate of this recipe follows a "
            "schedule over all epochs; set train.lr_schedule=constant and train.warmup=0 among the plan's settings"
        )
    for value in note.values:
        if value.parameter == PEOPLE:
            value = SweptValue(TRAINING_PEOPLE, people)
        yield _record(value, note, history.set_index("epoch"), best_epoch, pairs, faces)


def _record(
    value: SweptValue, note: TrialNote, history: pd.DataFrame, best_epoch: int, pairs: int, faces: str
) -> SweepRecord:
    epoch = int(value.value) if value.parameter == EPOCHS else best_epoch
    accuracy = float(history["holdout_accuracy"][epoch])
    interval = binomtest(round(accuracy * pairs), pairs).proportion_ci(method="wilson")
    return SweepRecord(
        value.parameter,
        value.value,
        "holdout",
        accuracy,
        float(interval.low),
        float(interval.high),
        float(history["holdout_auc"][epoch]),
        pairs,
        epoch,
        round(float(history["seconds"][:epoch].sum()), 1),
        faces,
        note.training,
    )


def _read(trial: TrialFolder, note: TrialNote) -> Iterator[SweepRecord]:
    reports = trial.folder / "train"
    best_epoch = SUMMARY.read(reports / SUMMARY.name).best_epoch
    if best_epoch is None:
        raise DataError(f"{trial.name}: expected a training of epochs, found a recipe without any")
    split = Split.open(trial.folder / "splits")
    return sweep_records(
        note,
        HISTORY.read(reports / HISTORY.name),
        best_epoch,
        len(split.holdout),
        SOURCE_CARD.read(trial.faces / SOURCE_CARD.name).source,
        split.identities.people if split.identities else split.card.splits["train"].people,
    )
