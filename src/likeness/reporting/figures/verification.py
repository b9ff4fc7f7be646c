"""Charts of decisions about pairs: DET, ROC, scores, calibration, threshold, and identification."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from likeness.metrics.intervals import wilson
from likeness.reporting.document import Figure
from likeness.reporting.figures.style import (
    BASELINE,
    DASHES,
    DIFFERENT,
    HEIGHT,
    INK,
    MUTED,
    OURS,
    SAME,
    UNTRAINED,
    WIDTH,
    colours,
    figure,
)

SYSTEM_COLOURS = (OURS, BASELINE, UNTRAINED, SAME, DIFFERENT)
_KINDS = {"same person": SAME, "different people": DIFFERENT}
_ROC_POINTS = 400
_RATES = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95)  # ticks of a DET curve; the first and the last are its ends
_BANDS = 2  # systems whose intervals are drawn; more would hide one another


def roc(curves: pd.DataFrame) -> Figure:
    """True match rate against false match rate on a logarithmic axis.

    Args:
        curves: columns system, fmr, tmr; the system that the report is about first.
    """
    positive = curves.loc[curves["fmr"] > 0, "fmr"]
    floor = max(float(positive.min()) if len(positive) else 1e-3, 1e-5)
    systems = list(curves["system"].unique())
    frame = pd.concat([_thinned(curves[curves["system"] == name], floor) for name in systems])
    lines = alt.Chart(frame).mark_line(interpolate="step-after", strokeWidth=1.8, clip=True)
    ticks = [value for value in (1e-5, 1e-4, 1e-3, 0.01, 0.1, 1) if value >= floor]
    axis = alt.Axis(format="~%", values=ticks, grid=True)
    chart = lines.encode(
        x=alt.X(
            "fmr:Q", title="false match rate (FMR)", scale=alt.Scale(type="log", domain=[floor, 1]), axis=axis
        ),
        y=alt.Y(
            "tmr:Q",
            title="true match rate (1 − FNMR)",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(format="%", tickCount=5),
        ),
        color=_systems(systems),
        strokeDash=_dashes(systems),
        order=alt.Order("fmr:Q"),
    ).properties(width=WIDTH, height=HEIGHT)
    caption = (
        "ROC on the test pairs: share of same pairs that is accepted at a false match rate (logarithmic axis)."
    )
    return figure("roc", chart, caption)


def det(curves: pd.DataFrame, operating_point: tuple[float, float]) -> Figure:
    """Both error rates on normal-deviate axes, with pointwise intervals (Martin et al. 1997).

    Args:
        curves: columns system, fmr, fnmr, fnmr_low, fnmr_high; the system that the report is about first.
        operating_point: FNMR and FMR of that system at its threshold, drawn as a point.
    """
    systems = list(curves["system"].unique())
    rates = ("fmr", "fnmr", "fnmr_low", "fnmr_high")
    frame = curves.assign(**{name: [deviate(value) for value in curves[name]] for name in rates})
    x, title = _deviates("fmr:Q", "false match rate (FMR)"), "false non-match rate (FNMR)"
    banded = alt.Chart(frame[frame["system"].isin(systems[:_BANDS])]).mark_area(opacity=0.16, clip=True)
    band = banded.encode(
        x=x, y=_deviates("fnmr_low:Q", title), y2="fnmr_high:Q", color=_systems(systems).legend(None)
    )
    lines = (
        alt.Chart(frame)
        .mark_line(strokeWidth=1.8, clip=True)
        .encode(x=x, y=_deviates("fnmr:Q", title), color=_systems(systems), strokeDash=_dashes(systems))
    )
    at = pd.DataFrame({"fmr": [deviate(operating_point[1])], "fnmr": [deviate(operating_point[0])]})
    point = (
        alt.Chart(at)
        .mark_point(filled=True, size=70, color=INK, opacity=1, shape="diamond")
        .encode(x="fmr:Q", y="fnmr:Q")
    )
    layers = alt.layer(band, lines, point).resolve_legend(color="independent", strokeDash="independent")
    chart = layers.properties(width=WIDTH, height=HEIGHT)
    caption = (
        "DET on the test pairs, both axes on the scale of normal deviates; bands are 95 % intervals. The "
        "diamond is the "
        "model at its threshold. Lower and further left is better."
    )
    return figure("det", chart, caption)


def deviate(rate: float) -> float:
    """Standard normal deviate of a rate; rates beyond the chart's ends are drawn at its ends."""
    return NormalDist().inv_cdf(min(max(rate, _RATES[0]), 1 - _RATES[0]))


def _deviates(field: str, title: str) -> Any:
    """An axis of a DET curve: `field` shows it, on "fmr:Q" across, else up."""
    labels = " : ".join(f"datum.value < {deviate(rate) + 0.01:.3f} ? '{_label(rate)}'" for rate in _RATES)
    axis = alt.Axis(values=[deviate(rate) for rate in _RATES], labelExpr=f"{labels} : ''", grid=True)
    scale = alt.Scale(domain=[deviate(_RATES[0]), deviate(_RATES[-1])], nice=False)
    channel = alt.X if field.startswith("fmr") else alt.Y
    return channel(field, title=title, axis=axis, scale=scale)


def _label(rate: float) -> str:
    return f"{100 * rate:g}\u202f%"


def _systems(systems: Sequence[str]) -> Any:
    return alt.Color("system:N", scale=colours(list(systems), dict(zip(systems, SYSTEM_COLOURS, strict=False))))


def _dashes(systems: Sequence[str]) -> Any:
    """A pattern for each system, so that systems differ not by their colour alone."""
    return alt.StrokeDash("system:N", scale=alt.Scale(domain=list(systems), range=list(DASHES[: len(systems)])))


def score_histogram(scores: ArrayLike, same: ArrayLike, threshold: float | None) -> Figure:
    """Scores by class, with the threshold."""
    values, truth = np.asarray(scores, np.float64), np.asarray(same, bool)
    edges = np.histogram_bin_edges(values, bins=36)
    frame = pd.concat(
        [
            pd.DataFrame(
                {"low": edges[:-1], "high": edges[1:], "pairs": np.histogram(values[mask], edges)[0], "kind": kind}
            )
            for kind, mask in zip(_KINDS, (truth, ~truth), strict=True)
        ]
    )
    bars = (
        alt.Chart(frame)
        .mark_rect(opacity=0.55)
        .encode(
            x=alt.X("low:Q", title="score", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(grid=False)),
            x2="high:Q",
            y=alt.Y("pairs:Q", title="pairs", stack=None),
            y2=alt.datum(0),
            color=alt.Color("kind:N", scale=colours(list(_KINDS), _KINDS)),
        )
    )
    layers = [bars] if threshold is None else [bars, _rule(threshold)]
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    caption = "Scores of the test pairs. Right of the dashed line, the threshold, a pair is said to be one person."
    return figure("scores", chart, caption)


def threshold_choice(scores: ArrayLike, same: ArrayLike, threshold: float) -> Figure:
    """Accuracy on the holdout at every threshold, with the one that was chosen there."""
    values, truth = np.asarray(scores, np.float64), np.asarray(same, bool)
    at = np.quantile(values, np.linspace(0, 1, 200))
    accuracy = [float(np.mean((values >= cut) == truth)) for cut in at]
    frame = pd.DataFrame({"threshold": at, "accuracy": accuracy})
    line = alt.Chart(frame).mark_line(color=OURS, strokeWidth=1.8)
    lines = line.encode(
        x=alt.X(
            "threshold:Q", title="threshold", scale=alt.Scale(zero=False, nice=False), axis=alt.Axis(grid=False)
        ),
        y=alt.Y("accuracy:Q", title="holdout accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format="~%")),
    )
    chart = alt.layer(lines, _rule(threshold)).properties(width=WIDTH, height=HEIGHT)
    return figure("threshold", chart, "Accuracy on the holdout pairs at every threshold; dashed: the one chosen.")


def reliability(bins: pd.DataFrame) -> Figure:
    """Stated probability against the observed share of same pairs, with Wilson's intervals.

    Args:
        bins: columns mean_probability, share_same, pairs; one row a bin.
    """
    ideal = alt.Chart(pd.DataFrame({"p": [0, 1], "q": [0, 1]})).mark_line(
        color=MUTED, strokeDash=[3, 3], strokeWidth=1
    )
    limits = [wilson(share, int(pairs)) for share, pairs in zip(bins["share_same"], bins["pairs"], strict=True)]
    frame = bins.assign(low=[low for low, _ in limits], high=[high for _, high in limits])
    axis, scale = alt.Axis(format="%", tickCount=5), alt.Scale(domain=[0, 1])
    base = alt.Chart(frame).encode(
        x=alt.X("mean_probability:Q", title="stated probability", scale=scale, axis=axis),
        y=alt.Y("share_same:Q", title="share of same pairs", scale=scale, axis=axis),
    )
    spans = base.mark_rule(color=OURS, strokeWidth=2, opacity=0.45).encode(
        y=alt.Y("low:Q", title="share of same pairs", scale=scale, axis=axis), y2="high:Q"
    )
    points = base.mark_point(filled=True, color=OURS, opacity=1, size=50)
    line = base.mark_line(color=OURS, strokeWidth=1.2)
    chart = alt.layer(ideal.encode(x="p:Q", y="q:Q"), spans, line, points).properties(width=WIDTH, height=HEIGHT)
    caption = (
        "Reliability: on the dashed line a stated probability is the observed share. Each point stands for "
        "about as "
        "many pairs as any other, with the 95 % interval (Wilson) of its share."
    )
    return figure("reliability", chart, caption)


def cmc(curves: pd.DataFrame) -> Figure:
    """Cumulative match characteristic: share of probes whose person is among the first `rank` of the gallery.

    Args:
        curves: columns system, rank, share; the system that the report is about first.
    """
    systems = list(curves["system"].unique())
    lines = alt.Chart(curves).mark_line(strokeWidth=1.8, clip=True)
    ranks = [rank for rank in (1, 2, 5, 10, 20, 50, 100) if rank <= curves["rank"].max()]
    axis = alt.Axis(format="d", values=ranks)
    chart = lines.encode(
        x=alt.X("rank:Q", title="rank", scale=alt.Scale(type="log", nice=False), axis=axis),
        y=alt.Y(
            "share:Q", title="probes found", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%", tickCount=5)
        ),
        color=_systems(systems),
        strokeDash=_dashes(systems),
    ).properties(width=WIDTH, height=HEIGHT)
    caption = "CMC: share of probes whose person is among the first candidates of the gallery, by rank."
    return figure("cmc", chart, caption)


def _rule(place: float) -> alt.Chart:
    frame = pd.DataFrame({"place": [place]})
    return alt.Chart(frame).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="place:Q")


def _thinned(curve: pd.DataFrame, floor: float) -> pd.DataFrame:
    """A curve for a logarithmic axis: FMR 0 drawn at the axis' left end, and no more points than can be seen."""
    ordered = curve.assign(fmr=curve["fmr"].clip(lower=floor)).sort_values(["fmr", "tmr"])
    highest = ordered.drop_duplicates(["system", "fmr"], keep="last")
    if len(highest) <= _ROC_POINTS:
        return highest
    wanted = np.geomspace(floor, 1, _ROC_POINTS)
    places = np.searchsorted(highest["fmr"].to_numpy(), wanted, side="right") - 1
    return highest.iloc[np.unique(places.clip(min=0))]
