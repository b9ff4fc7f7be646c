"""The beginning of the results: the verdict with what qualifies it, and the conditions of the figures."""

from __future__ import annotations

from collections.abc import Iterator

from likeness.artifacts.metrics import Metrics
from likeness.metrics.intervals import Estimate
from likeness.reporting.document import Block, Headline, Note, Prose
from likeness.reporting.inline import quoted
from likeness.reporting.wording import complement, count, decimal, interval, level, percent, points, rate


def headline(metrics: Metrics) -> Headline:
    """The figures that a reader should carry away."""
    return Headline(list(_figures(metrics)))


def _figures(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    test = metrics.model.test
    yield percent(test.accuracy.value), "accuracy on the test pairs", interval(test.accuracy)
    yield decimal(test.auc.value), "area under the ROC (AUC)", interval(test.auc, share=False)
    strictest = strictest_rate(metrics)
    if strictest is not None:
        missed = complement(test.tmr[strictest])
        yield percent(missed.value), f"false non-matches at {rate(strictest)} false matches", interval(missed)
    baseline = metrics.baseline.test.accuracy
    yield percent(baseline.value), "accuracy of the classical baseline, same pairs", interval(baseline)


def strictest_rate(metrics: Metrics) -> str | None:
    """Name of the lowest false match rate that the test pairs can show; None if they can show none."""
    test = metrics.model.test
    supported = [name for name in test.tmr if name not in test.beyond_support]
    return min(supported, key=level) if supported else None


def verdict(metrics: Metrics) -> list[Block]:
    """One sentence with interval and comparison; then what it does not hold for."""
    gain = metrics.comparison["model_minus_baseline"]
    accuracy = metrics.model.test.accuracy
    ahead = gain.accuracy.low > 0
    judged = _judged(gain.accuracy)
    text = (
        f"The model decides {percent(accuracy.value)} of the test pairs correctly ({interval(accuracy)}) and is "
        f"**{judged} the classical baseline**: {points(gain.accuracy.value)} points of accuracy (95 % interval "
        f"{points(gain.accuracy.low)} to {points(gain.accuracy.high)}, paired); "
        f"{count(gain.mcnemar.first_only)} pairs are decided correctly by the model alone, "
        f"{count(gain.mcnemar.second_only)} by the baseline alone ({_probability(gain.mcnemar.p_value)})."
    )
    blocks: list[Block] = [Prose(text) if ahead else Note(text, "warning")]
    behind = list(_behind(metrics))
    if behind and gain.accuracy.value > 0:
        leads = "That holds for accuracy only." if ahead else "Other figures say the opposite."
        text = f"**{leads}** The model is behind the baseline at {'; '.join(behind)}."
        blocks.append(Note(text, "warning"))
    return blocks


def _judged(gain: Estimate) -> str:
    if gain.low > 0:
        return "better than"
    return "worse than" if gain.high < 0 else "not shown to be better than"


def _behind(metrics: Metrics) -> Iterator[str]:
    """Where the baseline has the better figure: at a strict threshold, at rank 1, among N people."""
    strictest = strictest_rate(metrics)
    ours, theirs = metrics.model.test.tmr, metrics.baseline.test.tmr
    if strictest is not None and strictest in theirs and ours[strictest].value < theirs[strictest].value:
        missed = (percent(complement(one[strictest]).value) for one in (ours, theirs))
        yield f"a strict threshold (FNMR at FMR {rate(strictest)}: {' against '.join(missed)})"
    found = metrics.identification
    names = {"rank_1": "rank 1", "one_shot": f"{found.ways}-way one-shot recognition"}
    systems = [found.systems.get(name, {}) for name in ("model", "baseline")]
    for name, label in names.items():
        figures = [system.get(name) for system in systems]
        if figures[0] and figures[1] and figures[0].value < figures[1].value:
            yield f"{label} ({percent(figures[0].value)} against {percent(figures[1].value)})"


def _probability(p: float) -> str:
    return "McNemar p < 0.001" if p < 0.001 else f"McNemar p = {p:.2g}"


def ensemble(metrics: Metrics, cohort: bool) -> list[Block]:
    """What averaging several networks, and a cohort if the model has one, has gained over the best of them."""
    if "best_member" not in metrics.systems:
        return []
    best, gain = metrics.systems["best_member"], metrics.comparison["model_minus_best_member"].accuracy
    low, high, value = (points(each) for each in (gain.low, gain.high, gain.value))
    return [
        Prose(
            f"Against its **best member** ({quoted(best.name)}, chosen on held-out pairs) "
            f"the ensemble{' with its cohort' if cohort else ''} gains {value} points of accuracy (95 % interval "
            f"{low} to {high}, paired). A decision costs what all members cost together; see the layers of the "
            "model."
        )
    ]


def conditions(metrics: Metrics) -> str:
    """Protocol, outside data, alignment and what the intervals mean: what an accuracy is nothing without."""
    protocol, data = metrics.protocol, metrics.data
    pairs, span = protocol.pairs["test"], protocol.interval
    drawn = data.alignment == "synthetic"
    pictures = "drawn faces" if drawn else f"pictures {quoted(data.source)} aligned **{data.alignment}**"
    fold = "" if protocol.fold is None else f", fold {protocol.fold}"
    return (
        f"Measured on {count(pairs.all)} test pairs ({count(pairs.same)} of one person, "
        f"{count(pairs.different)} of two people) of people who are in no training pair. Protocol "
        f"**{protocol.name}**, view {protocol.view}{fold}, outside data **{protocol.outside_data}**, "
        f"{pictures}. Intervals: {percent(span.confidence, 0)}, {span.method} with {count(span.resamples)} "
        f"resamples by {span.unit}; where fewer than five outcomes of a kind were seen, at least Wilson's "
        "interval."
    )
