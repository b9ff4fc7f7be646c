"""Charts of decisions about pairs: ROC, scores, calibration, threshold, slices, and identification."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import (
    BASELINE,
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


def roc(curves: pd.DataFrame, systems: Sequence[str]) -> Figure:
    """True accepts against false accepts on a logarithmic axis.

    Args:
        curves: columns system, far, tar.
        systems: the systems to draw, the one that the report is about first.
    """
    shown = curves[curves["system"].isin(systems)]
    positive = shown.loc[shown["far"] > 0, "far"]
    floor = max(float(positive.min()) if len(positive) else 1e-3, 1e-5)
    frame = pd.concat([_thinned(shown[shown["system"] == name], floor) for name in systems])
    palette = dict(zip(systems, SYSTEM_COLOURS, strict=False))
    lines = alt.Chart(frame).mark_line(interpolate="step-after", strokeWidth=1.8, clip=True)
    axis = alt.Axis(format="~%", tickCount=4, grid=True)
    chart = lines.encode(
        x=alt.X("far:Q", title="false-accept rate", scale=alt.Scale(type="log", domain=[floor, 1]), axis=axis),
        y=alt.Y("tar:Q", title="true-accept rate", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        color=alt.Color("system:N", scale=colours(list(systems), palette)),
        order=alt.Order("far:Q"),
    ).properties(width=WIDTH, height=HEIGHT)
    caption = "ROC on the test pairs: how many same pairs are accepted at a false-accept rate (logarithmic)."
    return figure("roc", chart, caption)


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
    """Stated probability against the observed share of same pairs.

    Args:
        bins: columns mean_probability, share_same, pairs; one row a bin.
    """
    ideal = alt.Chart(pd.DataFrame({"p": [0, 1], "q": [0, 1]})).mark_line(
        color=MUTED, strokeDash=[3, 3], strokeWidth=1
    )
    percent = alt.Axis(format="%", tickCount=5)
    x = alt.X("mean_probability:Q", title="stated probability", scale=alt.Scale(domain=[0, 1]), axis=percent)
    y = alt.Y("share_same:Q", title="share of same pairs", scale=alt.Scale(domain=[0, 1]), axis=percent)
    base = alt.Chart(bins).encode(x=x, y=y)
    points = base.mark_point(filled=True, color=OURS, opacity=1, size=60)
    line = base.mark_line(color=OURS, strokeWidth=1.2)
    chart = alt.layer(ideal.encode(x="p:Q", y="q:Q"), line, points).properties(width=WIDTH, height=HEIGHT)
    caption = (
        "Reliability: on the dashed line a stated probability is what happens. Each point stands for about as "
        "many pairs as any other."
    )
    return figure("reliability", chart, caption)


def slices(rows: pd.DataFrame, overall: float | None) -> Figure:
    """Accuracy with its interval on parts of the test pairs.

    Args:
        rows: columns label, value, low, high, in the order to be shown.
        overall: accuracy on all test pairs, drawn as a line.
    """
    y = alt.Y("label:N", sort=None, title=None, axis=alt.Axis(grid=False, minExtent=118))
    base = alt.Chart(rows).encode(y=y)
    scale = alt.Scale(zero=False)
    axis = alt.Axis(format="~%", tickCount=4)
    spans = base.mark_rule(color=OURS, strokeWidth=2, opacity=0.45).encode(
        x=alt.X("low:Q", title="accuracy", scale=scale, axis=axis), x2="high:Q"
    )
    points = base.mark_point(filled=True, color=OURS, size=45, opacity=1).encode(x=alt.X("value:Q", scale=scale))
    layers = [spans, points] if overall is None else [_rule(overall), spans, points]
    chart = alt.layer(*layers).properties(width=210, height=alt.Step(20))
    return figure("slices", chart, "Accuracy on parts of the test pairs with 95 % intervals; dashed: all of them.")


def cmc(curves: pd.DataFrame, systems: Sequence[str]) -> Figure:
    """Cumulative match characteristic: share of probes whose person is among the first `rank` of the gallery.

    Args:
        curves: columns system, rank, share.
        systems: in the order of the legend.
    """
    palette = dict(zip(systems, SYSTEM_COLOURS, strict=False))
    shown = curves[curves["system"].isin(systems)]
    lines = alt.Chart(shown).mark_line(strokeWidth=1.8, clip=True)
    chart = lines.encode(
        x=alt.X(
            "rank:Q", title="rank", scale=alt.Scale(type="log", nice=False), axis=alt.Axis(format="d", tickCount=5)
        ),
        y=alt.Y("share:Q", title="probes found", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format="%")),
        color=alt.Color("system:N", scale=colours(list(systems), palette)),
    ).properties(width=WIDTH, height=HEIGHT)
    return figure(
        "cmc", chart, "Identification: share of probes whose person is among the first k of the gallery."
    )


def _rule(place: float) -> alt.Chart:
    frame = pd.DataFrame({"place": [place]})
    return alt.Chart(frame).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="place:Q")


def _thinned(curve: pd.DataFrame, floor: float) -> pd.DataFrame:
    """A curve for a logarithmic axis: FAR 0 drawn at the axis' left end, and no more points than can be seen."""
    ordered = curve.assign(far=curve["far"].clip(lower=floor)).sort_values(["far", "tar"])
    highest = ordered.drop_duplicates(["system", "far"], keep="last")
    if len(highest) <= _ROC_POINTS:
        return highest
    wanted = np.geomspace(floor, 1, _ROC_POINTS)
    places = np.searchsorted(highest["far"].to_numpy(), wanted, side="right") - 1
    return highest.iloc[np.unique(places.clip(min=0))]
