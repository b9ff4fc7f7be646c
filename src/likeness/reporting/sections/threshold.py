"""Chapter: how a score becomes a decision, and what threshold one may choose instead."""

from __future__ import annotations

from likeness.artifacts.metrics import Metrics
from likeness.models.decision import Decision
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import Block, Column, FigureGroup, Prose, Section, Table
from likeness.reporting.figures.verification import threshold_choice
from likeness.reporting.wording import complement, count, decimal, measured, rate


def threshold_section(artefacts: Artefacts) -> Section:
    """Where the threshold and the probability come from, and the thresholds at stated false match rates."""
    decision = artefacts.card.decision
    blocks: list[Block] = [
        Prose(
            f"A pair whose score reaches **{decimal(decision.threshold)}** is decided to show one person. That "
            "threshold has the most correct decisions on the holdout pairs, in the middle of the widest "
            "gap where several are equally good. The test pairs had no part in it."
        ),
        Prose(
            "The probability that people are shown is the score through a logistic curve, "
            f"P(same) = σ({decimal(decision.slope)} · score {_signed(decision.intercept)}), fitted on the "
            "same holdout pairs (Platt 1999), and means what it says where as many pairs show one "
            "person as show two."
        ),
        *_choice(artefacts, decision.threshold),
    ]
    if decision.fmr_table:
        blocks.append(_operating_points(decision, artefacts.metrics))
    return Section("threshold", "How the threshold was chosen", blocks)


def _choice(artefacts: Artefacts, threshold: float) -> list[Block]:
    if artefacts.predictions is None:
        return []
    holdout = artefacts.predictions[artefacts.predictions["split"] == "holdout"]
    return [FigureGroup([threshold_choice(holdout["score"], holdout["same"], threshold)])] if len(holdout) else []


def _operating_points(decision: Decision, metrics: Metrics | None) -> Table:
    columns = [
        Column("stated FMR", True),
        Column("threshold", True),
        Column("holdout pairs behind it", True),
        Column("FMR on the test pairs", True),
        Column("FNMR on the test pairs", True),
    ]
    found = metrics.model.operating_points.values() if metrics else ()
    at_threshold = {point.threshold: point for point in found}
    rows = []
    for point in decision.fmr_table:
        on_test = at_threshold.get(point.threshold)
        rows.append(
            [
                rate(f"fmr_{point.fmr}"),
                decimal(point.threshold),
                count(point.impostor_pairs),
                measured(on_test.fmr if on_test else None),
                measured(complement(on_test.tmr) if on_test else None),
            ]
        )
    caption = "Thresholds that one may choose instead, by false match rate."
    return Table(columns, rows, caption)


def _signed(value: float) -> str:
    return f"{'−' if value < 0 else '+'} {decimal(abs(value))}"
