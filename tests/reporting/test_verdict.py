"""The verdict: one sentence with interval and comparison, and what qualifies it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from likeness.artifacts.metrics import METRICS, Metrics
from likeness.metrics.intervals import Estimate
from likeness.reporting.artefacts import Places
from likeness.reporting.document import Note, Prose
from likeness.reporting.sections.verdict import verdict

STRICT = "tmr_at_fmr_1e-1"  # the rate that sixty pairs of a kind can show


def share(value: float) -> Estimate:
    return Estimate(value, value - 0.05, value + 0.05, 60)


def metrics_with(run: Places, *, gain: float, tmr: float, rank: float) -> Metrics:
    """The metrics of the small run, with these figures of the model; the baseline has one half of everything."""
    found = METRICS.read(run.evaluation / METRICS.name)
    compared = found.comparison["model_minus_baseline"]
    systems = {}
    for name, one in (("model", tmr), ("baseline", 0.5)):
        system = found.systems[name]
        systems[name] = replace(system, test=replace(system.test, tmr={STRICT: share(one)}, beyond_support=()))
    ranks = {"model": {"rank_1": share(rank)}, "baseline": {"rank_1": share(0.5)}}
    return replace(
        found,
        systems=systems,
        comparison={"model_minus_baseline": replace(compared, accuracy=share(gain))},
        identification=replace(found.identification, systems=ranks),
    )


@pytest.mark.parametrize(
    ("gain", "judged"),
    [(0.2, "better than"), (0.0, "not shown to be better than"), (-0.2, "worse than")],
)
def test_the_first_sentence_judges_with_interval_and_comparison(run: Places, gain: float, judged: str) -> None:
    first = verdict(metrics_with(run, gain=gain, tmr=0.9, rank=0.9))[0]
    assert isinstance(first, (Prose, Note))
    assert f"**{judged} the classical baseline**" in first.text
    assert f"95 % interval {100 * (gain - 0.05):+.1f}".replace("-", "−") in first.text
    assert "McNemar p" in first.text
    assert isinstance(first, Prose) == (gain > 0.1)


@pytest.mark.parametrize(
    ("tmr", "rank", "named"),
    [(0.4, 0.9, ["strict threshold"]), (0.9, 0.4, ["rank 1"]), (0.4, 0.4, ["strict threshold", "rank 1"])],
)
def test_a_lead_in_accuracy_alone_is_qualified(run: Places, tmr: float, rank: float, named: list[str]) -> None:
    _, qualified = verdict(metrics_with(run, gain=0.2, tmr=tmr, rank=rank))
    assert isinstance(qualified, Note)
    assert "for accuracy only" in qualified.text
    assert [name in qualified.text for name in ("strict threshold", "rank 1")] == [
        "strict threshold" in named,
        "rank 1" in named,
    ]
    if tmr < 0.5:
        assert "FNMR at FMR 10\u202f%: 60.0\u202f% against 50.0\u202f%" in qualified.text


def test_a_lead_in_everything_is_not_qualified(run: Places) -> None:
    assert len(verdict(metrics_with(run, gain=0.2, tmr=0.9, rank=0.9))) == 1
