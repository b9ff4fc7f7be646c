"""Part of the results: error rates and scores by quality of the worse photograph of a pair."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from likeness.artifacts.metrics import Metrics
from likeness.metrics.intervals import Estimate
from likeness.metrics.scores import Confusion
from likeness.reporting.artefacts import Artefacts, Json, records
from likeness.reporting.document import Block, Column, Figure, FigureGroup, Note, Prose, Subheading, Table
from likeness.reporting.figures.quality import error_rates, score_spread
from likeness.reporting.wording import count, measured, number

_QUARTERS = {
    "brightness": ("darkest quarter", "second darkest", "second brightest", "brightest quarter"),
    "contrast": ("least contrast", "little contrast", "more contrast", "most contrast"),
    "sharpness": ("blurriest quarter", "second blurriest", "second sharpest", "sharpest quarter"),
    "yaw": ("most frontal quarter", "second most frontal", "second most turned", "most turned quarter"),
}
_RATES = ("fnmr", "fmr")
_LIMITS = (
    "The worse photograph of a pair is the darker, the flatter, the blurrier one, or the one with the head turned "
    "more to the side (yaw, in degrees, from five landmarks). Brightness of a crop depends on the light and on "
    "the skin alike: a difference between its quarters cannot be put down to the light alone. No demographic "
    "analysis was made: the data name neither age, sex nor origin of the people."
)


def quality_blocks(artefacts: Artefacts, metrics: Metrics) -> list[Block]:
    """Where the model is wrong more often than elsewhere."""
    found = artefacts.slices
    if found is None or not len(found):
        return [Note("No slices: the evaluation has written no `slices.csv`.", "missing")]
    if found["fmr"].isna().all():
        return [
            Note("No error rates by quality: `slices.csv` is of an earlier version; run `dvc repro`.", "missing")
        ]
    labels = [_label(row) for row in records(found)]
    overall = error_shares(metrics.model.test.confusion)
    figures = [error_rates(found.assign(label=labels), overall), *_spread(artefacts, found, labels, metrics)]
    return [
        Subheading("Where it is wrong"),
        Prose(f"{_weakest(records(found), labels)} {_LIMITS}"),
        FigureGroup(figures),
        _table(records(found), labels),
    ]


def _label(row: Json) -> str:
    """A part in words, such as brightest quarter; properties with few values have fewer parts than words."""
    words = _QUARTERS.get(str(row["property"]))
    place = int(row["quarter"])
    return words[place - 1] if words and place <= len(words) else f"{row['property']}, part {place}"


def error_shares(confusion: Confusion) -> tuple[float, float]:
    """FNMR and FMR, in [0, 1]."""
    mated = confusion.true_matches + confusion.false_non_matches
    non_mated = confusion.true_non_matches + confusion.false_matches
    return confusion.false_non_matches / max(mated, 1), confusion.false_matches / max(non_mated, 1)


def _weakest(rows: list[Json], labels: list[str]) -> str:
    sentences = []
    for name, words in (("fnmr", "false non-matches"), ("fmr", "false matches")):
        known = [place for place, row in enumerate(rows) if row[name] is not None]
        if known:
            worst = max(known, key=lambda place: float(rows[place][name]))
            sentences.append(f"most {words}: {labels[worst]}, {_figure(rows[worst], name)}")
    text = "; ".join(sentences)
    return f"{text[:1].upper()}{text[1:]}." if sentences else ""


def _figure(row: Json, name: str) -> str:
    value, low, high = (
        math.nan if row[key] is None else row[key] for key in (name, f"{name}_low", f"{name}_high")
    )
    return measured(Estimate(value, low, high, row["pairs"]))


def _spread(artefacts: Artefacts, found: pd.DataFrame, labels: list[str], metrics: Metrics) -> list[Figure]:
    """Scores by part, read off the predictions; nothing where these are missing, or of an earlier version."""
    if artefacts.predictions is None:
        return []
    test = artefacts.predictions[artefacts.predictions["split"] == "test"]
    rows = []
    for label, part in zip(labels, found.to_dict("records"), strict=True):
        inside = test[test[part["property"]].between(part["from"], part["to"])]
        for kind, same in (("same person", True), ("different people", False)):
            scores = inside.loc[inside["same"] == same, "score"]
            if len(scores):
                low, middle, high = np.quantile(scores, (0.05, 0.5, 0.95))
                rows.append({"label": label, "kind": kind, "low": low, "middle": middle, "high": high})
    return [score_spread(pd.DataFrame(rows), metrics.model.threshold)] if rows else []


def _table(rows: list[Json], labels: list[str]) -> Table:
    columns = [
        Column("the worse photograph of a pair"),
        *(Column(name, True) for name in ("from", "to", "pairs", "FNMR", "FMR", "accuracy")),
    ]
    cells = [
        [
            label,
            number(row["from"], 3),
            number(row["to"], 3),
            count(row["pairs"]),
            *(_figure(row, name) for name in (*_RATES, "accuracy")),
        ]
        for label, row in zip(labels, rows, strict=True)
    ]
    return Table(columns, cells, "The same as a table.", folded=True)
