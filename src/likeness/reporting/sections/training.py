"""Chapter: how the training went, and what swept parameters did to it."""

from __future__ import annotations

from typing import Any

import pandas as pd

from likeness.artifacts.training_summary import TrainingFacts, TrainingSummary
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import (
    Block,
    Code,
    Column,
    Facts,
    Figure,
    FigureGroup,
    Note,
    Prose,
    Section,
    Table,
)
from likeness.reporting.figures.training import (
    accuracy_curves,
    loss_curves,
    step_loss,
    swept,
    swept_name,
    utilisation,
)
from likeness.reporting.inline import quoted
from likeness.reporting.sections.plan import plan_blocks
from likeness.reporting.wording import count, decimal, duration, number, percent, scientific

_EPOCH_COLUMNS = {
    "train_loss": "train loss",
    "train_accuracy": "train accuracy",
    "holdout_loss": "holdout loss",
    "holdout_accuracy": "holdout accuracy",
    "holdout_auc": "holdout AUC",
    "learning_rate": "learning rate",
    "seconds": "seconds",
    "images_per_second": "images/s",
    "cores": "cores",
}


_DECIMALS = {
    **dict.fromkeys(("seconds", "cores"), "{:,.1f}"),
    "images_per_second": "{:,.0f}",
}


def training_section(artefacts: Artefacts) -> Section:
    """Formula of the loss, convergence, curves, and the table of epochs."""
    trained = artefacts.card.trained
    described = (artefacts.params.get("recipe") or {}).get("description")
    fitted = trained.epochs == 0
    blocks: list[Block] = [
        *([Prose(str(described))] if described else []),
        Prose(
            "Nothing is learnt by gradient descent. What was fitted:" if fitted else "The loss that was minimised:"
        ),
        Code(trained.formula, "text"),
        *plan_blocks(trained),
    ]
    if fitted:
        took = [Facts([("Time of fitting", duration(artefacts.summary.seconds))])] if artefacts.summary else []
        return Section("training", "The training", [*blocks, *took])
    if artefacts.history is None or not len(artefacts.history):
        blocks.append(Note("The curves are missing: the training has written no `history.csv`.", "missing"))
        return Section("training", "The training", blocks)
    blocks.append(Facts(_convergence(artefacts.history, trained, artefacts.summary)))
    blocks.append(FigureGroup(_curves(artefacts, artefacts.history)))
    blocks.append(_epochs(artefacts.history, trained.best_epoch))
    return Section("training", "The training", blocks)


def sweep_section(artefacts: Artefacts) -> Section:
    """Results against the swept parameters."""
    sweep = artefacts.sweep
    if sweep is None or not len(sweep):
        text = "No sweep was made: `make sweep` measures accuracy against learning rate, batch, epochs and people."
        return Section("sweep", "Swept parameters", [Note(text, "missing")])
    parts = [(str(name), rows) for name, rows in sweep.groupby("parameter", sort=False)]
    blocks: list[Block] = [
        _swept_what(sweep),
        FigureGroup([swept(rows, name) for name, rows in parts]),
        *(_sweep_table(name, rows) for name, rows in parts),
    ]
    return Section("sweep", "Swept parameters", blocks)


def _convergence(
    history: pd.DataFrame, trained: TrainingFacts, summary: TrainingSummary | None
) -> list[tuple[str, str]]:
    best = trained.best_epoch
    kept = history[history["epoch"] == best].iloc[0] if best in set(history["epoch"]) else history.iloc[-1]
    last = history.iloc[-1]
    to_best = float(history.loc[history["epoch"] <= kept["epoch"], "seconds"].sum())
    total = float(history["seconds"].sum())
    if summary is not None:
        to_best, total = summary.seconds_to_best, summary.seconds
    epochs = count(last["epoch"])
    return [
        (
            "Epochs",
            f"{epochs} in all" if best is None else f"{epochs}; the weights of epoch {count(best)} were kept",
        ),
        ("Why it stopped", trained.stop_reason),
        ("Time to the kept weights", f"{duration(to_best)}; all epochs {duration(total)}"),
        ("Time of an epoch", f"{duration(float(history['seconds'].median()))} (median)"),
        ("Images per second", f"{count(history['images_per_second'].median())} (median, steps alone)"),
        ("Training loss", _then_and_last(kept, last, "train_loss")),
        ("Holdout loss", _then_and_last(kept, last, "holdout_loss")),
        (
            "Holdout accuracy",
            f"{_then_and_last(kept, last, 'holdout_accuracy')}, each at the threshold that suits the holdout best",
        ),
        ("Holdout AUC", _then_and_last(kept, last, "holdout_auc")),
    ]


def _then_and_last(kept: Any, last: Any, key: str) -> str:
    """A figure of the epoch that was kept, and of the last one where that is another."""
    then = f"{_at(kept, key)} at epoch {count(kept['epoch'])}"
    return then if kept["epoch"] == last["epoch"] else f"{then}, {_at(last, key)} at epoch {count(last['epoch'])}"


def _at(row: Any, key: str) -> str:
    """A cell of the history: accuracies as per cent, losses and AUC with three decimals, rates as 1.50e-3."""
    value = row.get(key)
    if pd.isna(value):
        return number(None)
    if key in ("train_accuracy", "holdout_accuracy"):
        return percent(float(value))
    if key == "learning_rate":
        return scientific(float(value))
    if key not in _DECIMALS:
        return decimal(float(value))
    return _DECIMALS[key].format(float(value)).replace(",", "\u202f")


def _curves(artefacts: Artefacts, history: pd.DataFrame) -> list[Figure]:
    best, steps, summary = artefacts.card.trained.best_epoch, artefacts.steps, artefacts.summary
    figures = [loss_curves(history, best), accuracy_curves(history, best)]
    if steps is not None and len(steps):
        figures.append(step_loss(steps))
    return [*figures, utilisation(history, summary.machine.cores if summary else None)]


def _epochs(history: pd.DataFrame, best: int | None) -> Table:
    known = {name: label for name, label in _EPOCH_COLUMNS.items() if history[name].notna().any()}
    columns = [Column("epoch", True), *(Column(label, True) for label in known.values())]
    rows = [[count(row["epoch"]), *(_at(row, name) for name in known)] for _, row in history.iterrows()]
    strong = frozenset(place for place, epoch in enumerate(history["epoch"]) if epoch == best)
    return Table(columns, rows, f"All {len(rows)} epochs.", strong, folded=len(rows) > 12)


def _swept_what(sweep: pd.DataFrame) -> Prose:
    """What was trained for the sweep, which need not be what the rest of the report is about."""
    trained = sweep.groupby(["training", "faces"], sort=False)["pairs"].max().reset_index()
    text = "; ".join(
        f"{quoted(one['training'])} on {quoted(one['faces'])} faces, {count(one['pairs'])} held-out pairs"
        for one in trained.to_dict("records")
    )
    return Prose(
        f"Trainings of their own, one parameter changed at a time: {text}. Accuracy is at the threshold that "
        "suits the held-out pairs best. Numbers of epochs were all read from one training, each at its end; "
        "elsewhere the weights count that the training kept. Fewer people have fewer pairs, and are "
        "measured on the same ones. Intervals: 95 %, Wilson, pairs as if independent."
    )


def _sweep_table(name: str, rows: pd.DataFrame) -> Table:
    cells = [[f"{row['value']:g}", percent(row["accuracy"])] for _, row in rows.iterrows()]
    return Table([Column(swept_name(name), True), Column("holdout accuracy", True)], cells)
