"""Chapter: what came out, beside the baseline, the untrained network, and what others published."""

from __future__ import annotations

import math
from collections.abc import Iterator

from likeness.artifacts.metrics import CalibrationMetrics, MeasuredValue, Metrics
from likeness.metrics.scores import Confusion
from likeness.reporting.artefacts import Artefacts, Json, records
from likeness.reporting.document import (
    Block,
    Column,
    Figure,
    Gallery,
    Headline,
    Note,
    Prose,
    Section,
    Subheading,
    Table,
)
from likeness.reporting.figures.verification import reliability, roc, score_histogram, slices
from likeness.reporting.inline import quoted
from likeness.reporting.published import PUBLISHED
from likeness.reporting.wording import count, interval, measured, number, percent, rate

SYSTEMS = {
    "model": "this model",
    "best_member": "its best member",
    "baseline": "classical baseline",
    "untrained": "untrained network",
}
_QUARTERS = {1: "worst", 2: "second", 3: "third", 4: "best"}
_DRAWN = {"accuracy": "value", "accuracy_low": "low", "accuracy_high": "high"}
_OTHERS = (
    "Beside it, on the very same pairs: a **classical baseline** (histograms of local binary patterns at three "
    "scales, PCA, whitening, LDA where the protocol grants identities, cosine; seconds of work, no network) and "
    "the **untrained network** as it was before its first step, which tells what its form alone gives."
)
NOTHING_MEASURED = Note("No figures: the evaluation has written no `metrics.json`.", "missing")


def results_section(artefacts: Artefacts) -> Section:
    """Headline, verdict, curves, every figure, confusion, calibration, slices, and what others published."""
    metrics = artefacts.metrics
    if metrics is None:
        return Section("results", "What came out", [NOTHING_MEASURED])
    blocks: list[Block] = [
        Headline(list(_headline(metrics))),
        Prose(conditions(metrics)),
        Prose(_OTHERS),
        *_verdict(metrics),
        *_ensemble(metrics),
        Gallery(_curves(artefacts, metrics)),
        *_every_figure(metrics),
        _confusion(metrics.model.test.confusion),
        _calibration(metrics.calibration),
        *_slices(artefacts, metrics),
        Subheading("Beside what others published"),
        _comparison(artefacts, metrics),
    ]
    return Section("results", "What came out", blocks)


def conditions(metrics: Metrics) -> str:
    """Protocol, outside data, alignment and what the intervals mean: what an accuracy is nothing without."""
    protocol, data = metrics.protocol, metrics.data
    pairs, span = protocol.pairs["test"], protocol.interval
    fold = "" if protocol.fold is None else f", fold {protocol.fold}"
    return (
        f"Measured on {count(pairs.all)} test pairs ({count(pairs.same)} of one person, "
        f"{count(pairs.different)} of two) of people nobody trained on. Protocol **{protocol.name}**, "
        f"view {protocol.view}{fold}, outside data **{protocol.outside_data}**, pictures "
        f"{quoted(data.source)} aligned **{data.alignment}**. Intervals: {percent(span.confidence, 0)}, "
        f"{span.method} with {count(span.resamples)} resamples by {span.unit}."
    )


def _headline(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    test = metrics.model.test
    yield percent(test.accuracy.value), "accuracy on the test pairs", interval(test.accuracy)
    yield number(test.auc.value, 3), "area under the ROC", interval(test.auc, share=False)
    supported = [name for name in test.tar if name not in test.beyond_support]
    if supported:
        strictest = min(supported, key=_far)
        told = f"true accepts at {rate(strictest)} false accepts"
        yield percent(test.tar[strictest].value), told, interval(test.tar[strictest])
    baseline = metrics.baseline.test.accuracy
    yield percent(baseline.value), "classical baseline, same pairs", interval(baseline)


def _verdict(metrics: Metrics) -> list[Block]:
    """Whether the network beats the floor, said plainly."""
    gain = metrics.comparison["model_minus_baseline"]
    low, high, value = (100 * each for each in (gain.accuracy.low, gain.accuracy.high, gain.accuracy.value))
    test = gain.mcnemar
    told = (
        f"{_points(value)} points of accuracy (95 % interval {_points(low)} to {_points(high)}, paired), and "
        f"{count(test.first_only)} pairs that it alone decides rightly against {count(test.second_only)} "
        f"that the baseline alone does ({_probability(test.p_value)})."
    )
    if low > 0:
        return [Prose(f"The network **beats the classical baseline**: {told}")]
    if high < 0:
        return [
            Note(
                f"The network is **worse than the classical baseline**: {told} It is not worth shipping.",
                "warning",
            )
        ]
    return [Note(f"The network is **not shown to beat the classical baseline**: {told}", "warning")]


def _ensemble(metrics: Metrics) -> list[Block]:
    """What averaging several networks has gained over the best of them."""
    if "best_member" not in metrics.systems:
        return []
    best, gain = metrics.systems["best_member"], metrics.comparison["model_minus_best_member"].accuracy
    low, high, value = (_points(100 * each) for each in (gain.low, gain.high, gain.value))
    return [
        Prose(
            f"Against its **best member** ({quoted(best.name)}, chosen on held-out pairs) "
            f"the ensemble gains {value} points of accuracy (95 % interval {low} to {high}, paired). A decision "
            "costs what all members cost together; see the network's layers."
        )
    ]


def _probability(p: float) -> str:
    return "McNemar p < 0.001" if p < 0.001 else f"McNemar p = {p:.2g}"


def _points(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")


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
            [f"TAR at FAR {rate(name)}", *(measured(part.tar.get(name)) for part in parts.values())]
            for name in sorted(test.tar, key=lambda name: -_far(name))
        ),
    ]
    columns = [Column("on the test pairs"), *(Column(part, True) for part in parts)]
    blocks: list[Block] = [Table(columns, rows, "Every figure with its 95 % interval.")]
    if test.beyond_support:
        beyond = ", ".join(rate(name) for name in test.beyond_support)
        told = (
            f"At FAR {beyond} so few pairs of different people afford not one false accept: the figure is the TAR "
        )
        blocks.append(Prose(told + "without any."))
    return blocks


def _far(name: str) -> float:
    return float(name.rpartition("_far_")[2].replace("_", "."))


def _comparison(artefacts: Artefacts, metrics: Metrics) -> Table:
    columns = [Column("system"), Column("accuracy", True), Column("protocol, outside data, pictures", room=19)]
    protocol, data = metrics.protocol, metrics.data
    pictures = f"{data.source} aligned {data.alignment}"
    ours = f"{protocol.name}, outside data {protocol.outside_data}, {pictures}"
    view = f"**measured here**, view {protocol.view}, test pairs"
    rows = [
        [label, measured(metrics.systems[name].test.accuracy, share=False), ours, view]
        for name, label in SYSTEMS.items()
        if name in metrics.systems
    ]
    rows += [[p.method, p.accuracy, p.category, f"published, not measured here; {p.source}"] for p in PUBLISHED]
    caption = "Accuracy as a share: measured here with its 95 % interval, published with its standard error."
    if artefacts.source.synthetic:
        caption += " These pictures are drawn: the published rows are context and cannot be compared with them."
    return Table([*columns, Column("where from", room=17)], rows, caption, strong=frozenset({0}))


def _curves(artefacts: Artefacts, metrics: Metrics) -> list[Figure]:
    figures = []
    if artefacts.roc is not None:
        figures.append(roc(artefacts.roc, [name for name in SYSTEMS if name in set(artefacts.roc["system"])]))
    if artefacts.predictions is not None:
        test = artefacts.predictions[artefacts.predictions["split"] == "test"]
        figures.append(score_histogram(test.score, test.same, metrics.model.threshold))
    if artefacts.calibration is not None:
        figures.append(reliability(artefacts.calibration))
    return figures


def _confusion(counts: Confusion) -> Table:
    columns = [Column("at the threshold"), Column("said same", True), Column("said different", True)]
    rows = [
        ["one person", count(counts.true_accepts), count(counts.false_rejects)],
        ["two people", count(counts.false_accepts), count(counts.true_rejects)],
    ]
    return Table(columns, rows, "Decisions on the test pairs.")


def _calibration(calibration: CalibrationMetrics) -> Table:
    columns = [Column("system"), Column("calibration error", True), Column("Brier score", True)]
    rows = [
        [label, measured(calibration.systems[name].ece), measured(calibration.systems[name].brier, share=False)]
        for name, label in SYSTEMS.items()
        if name in calibration.systems
    ]
    caption = (
        "How far the stated probability is from what happens: expected calibration error over "
        f"{calibration.bins} bins of equal mass, and Brier score (a constant one half gets 0.25). Resampling "
        "adds noise to every bin, so that the interval of the calibration error lies high."
    )
    return Table(columns, rows, caption)


def _slices(artefacts: Artefacts, metrics: Metrics) -> list[Block]:
    if artefacts.slices is None or not len(artefacts.slices):
        return [Note("No slices: the evaluation has written no `slices.csv`.", "missing")]
    rows = records(artefacts.slices)
    labels = [f"{row['property']}, {_QUARTERS.get(row['quarter'], row['quarter'])}" for row in rows]
    drawn = artefacts.slices.assign(label=labels).rename(columns=_DRAWN)
    columns = [
        Column("the worse picture of a pair"),
        Column("from", True),
        Column("to", True),
        Column("pairs", True),
    ]
    cells = [
        [
            label,
            number(row["from"], 3),
            number(row["to"], 3),
            count(row["pairs"]),
            _span(row, "accuracy"),
            _span(row, "auc"),
        ]
        for label, row in zip(labels, rows, strict=True)
    ]
    worst = min(rows, key=lambda row: float(row["accuracy"]))
    told = (
        f"Weakest part: {worst['property']} from {worst['from']:.3g} to {worst['to']:.3g}, accuracy "
        f"{percent(worst['accuracy'])}."
    )
    return [
        Subheading("Where it fails"),
        Prose(told),
        Gallery([slices(drawn, metrics.model.test.accuracy.value)]),
        Table(
            [*columns, Column("accuracy", True), Column("AUC", True)], cells, "The same as a table.", folded=True
        ),
    ]


def _span(row: Json, name: str) -> str:
    value, low, high = (
        math.nan if row[key] is None else row[key] for key in (name, f"{name}_low", f"{name}_high")
    )
    figure = MeasuredValue(value, low, high, row["pairs"])
    return measured(figure, share=name == "accuracy")
