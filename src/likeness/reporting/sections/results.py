"""Chapter: the results, beside the baseline, the untrained model, and what others published."""

from __future__ import annotations

import pandas as pd

from likeness.artifacts.metrics import AcquisitionMetrics, CalibrationMetrics, Metrics
from likeness.reporting.artefacts import Artefacts
from likeness.reporting.document import (
    Block,
    Column,
    Figure,
    FigureGroup,
    Note,
    Prose,
    Section,
    Subheading,
    Table,
)
from likeness.reporting.figures.verification import det, reliability, roc
from likeness.reporting.published import PUBLISHED
from likeness.reporting.sections.explore import explorer
from likeness.reporting.sections.quality import error_shares, quality_blocks
from likeness.reporting.sections.verdict import conditions, ensemble, headline, verdict
from likeness.reporting.wording import complement, count, level, measured, percent, rate

SYSTEMS = {
    "model": "this model",
    "best_member": "its best member",
    "baseline": "classical baseline",
    "untrained": "untrained model",
}
_OTHERS = (
    "Beside it, on the very same pairs: a **classical baseline** (histograms of local binary patterns at three "
    "scales, PCA, whitening, LDA where the protocol grants identities, cosine; seconds of work, no network) and "
    "the **untrained model**, which shows what its form alone gives, before anything was learnt."
)
NOTHING_MEASURED = Note("No figures: the evaluation has written no `metrics.json`.", "missing")


def _acquisition(found: AcquisitionMetrics | None) -> list[Block]:
    if found is None:
        return []
    lost = f"{count(found.mated)} mated and {count(found.non_mated)} non-mated test pairs were lost so"
    return [
        Prose(
            f"**Failure to acquire:** {count(found.failures)} of {count(found.images)} photographs "
            f"({percent(found.rate, 2)}) show no face that can be compared; {lost}. With those counted as not "
            f"accepted, this model rejects {percent(found.false_rejection_rate, 1)} of the mated pairs (FRR) and "
            f"accepts {percent(found.false_acceptance_rate, 1)} of the non-mated ones (FAR)."
        )
    ]


def results_section(artefacts: Artefacts) -> Section:
    """Headline, verdict, curves, every figure, confusion, calibration, slices, and what others published."""
    metrics = artefacts.metrics
    if metrics is None:
        return Section("results", "Results", [NOTHING_MEASURED])
    blocks: list[Block] = [
        *verdict(metrics),
        headline(metrics),
        Prose(conditions(metrics)),
        *_acquisition(metrics.acquisition),
        *ensemble(metrics, artefacts.card.model.comparator.name == "csls"),
        Prose(_OTHERS),
        FigureGroup(_curves(artefacts, metrics)),
        *_every_figure(metrics),
        Subheading("Decisions at any threshold"),
        *explorer(artefacts, metrics),
        _calibration(metrics.calibration),
        *quality_blocks(artefacts, metrics),
        Subheading("Beside what others published"),
        _comparison(artefacts, metrics),
    ]
    return Section("results", "Results", blocks)


def _every_figure(metrics: Metrics) -> list[Block]:
    """One row a figure, one column a system on the test pairs, and the holdout beside them."""
    test = metrics.model.test
    parts = {label: metrics.systems[name].test for name, label in SYSTEMS.items() if name in metrics.systems}
    parts["this model, holdout"] = metrics.model.holdout
    rows = [
        ["accuracy", *(measured(part.accuracy) for part in parts.values())],
        ["AUC", *(measured(part.auc, share=False) for part in parts.values())],
        ["equal error rate", *(measured(part.eer) for part in parts.values())],
        *(
            [f"FNMR at FMR {rate(name)}", *(measured(complement(part.tmr[name])) for part in parts.values())]
            for name in sorted(test.tmr, key=lambda name: -level(name))
        ),
    ]
    columns = [Column("on the test pairs"), *(Column(part, True) for part in parts)]
    blocks: list[Block] = [Table(columns, rows, "Every figure with its 95 % interval.")]
    if test.beyond_support:
        beyond = ", ".join(rate(name) for name in test.beyond_support)
        text = f"At FMR {beyond} the test pairs are too few for one false match: the FNMR is the one without any."
        blocks.append(Prose(text))
    return blocks


def _comparison(artefacts: Artefacts, metrics: Metrics) -> Table:
    columns = [Column("system"), Column("accuracy", True), Column("protocol, outside data, pictures", room=19)]
    protocol, data = metrics.protocol, metrics.data
    drawn = data.alignment == "synthetic"
    pictures = "drawn faces" if drawn else f"{data.source} aligned {data.alignment}"
    ours = f"{protocol.name}, outside data {protocol.outside_data}, {pictures}"
    view = f"measured here, view {protocol.view}, test pairs"
    rows = [
        [label, measured(metrics.systems[name].test.accuracy), ours, view]
        for name, label in SYSTEMS.items()
        if name in metrics.systems
    ]
    rows += [[p.method, p.percentage, p.category, f"published, not measured here; {p.source}"] for p in PUBLISHED]
    caption = "Accuracy: measured here with its 95 % interval, published with its standard error."
    if artefacts.source.synthetic:
        caption += " These pictures are drawn: the published rows are context and cannot be compared with them."
    return Table([*columns, Column("where from", room=17)], rows, caption, strong=frozenset({0}))


def _curves(artefacts: Artefacts, metrics: Metrics) -> list[Figure]:
    figures = []
    if artefacts.det is not None:
        figures.append(det(named(artefacts.det), error_shares(metrics.model.test.confusion)))
    if artefacts.roc is not None:
        figures.append(roc(named(artefacts.roc)))
    if artefacts.calibration is not None:
        figures.append(reliability(artefacts.calibration))
    return figures


def named(curves: pd.DataFrame) -> pd.DataFrame:
    """Curves of the systems in the order of the tables, with the names that the tables give them."""
    parts = [curves[curves["system"] == name].assign(system=label) for name, label in SYSTEMS.items()]
    return pd.concat(parts, ignore_index=True)


def _calibration(calibration: CalibrationMetrics) -> Table:
    columns = [Column("system"), Column("calibration error", True), Column("Brier score", True)]
    rows = [
        [label, measured(calibration.systems[name].ece), measured(calibration.systems[name].brier, share=False)]
        for name, label in SYSTEMS.items()
        if name in calibration.systems
    ]
    caption = (
        "How far the stated probability is from the observed share: expected calibration error over "
        f"{calibration.bins} bins of equal mass, and Brier score (a constant one half gets 0.25). Resampling "
        "adds noise to every bin, which shifts the interval of the calibration error upwards."
    )
    return Table(columns, rows, caption)
