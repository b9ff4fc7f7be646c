"""Charts of the nightly runs: the champion's accuracy over time, and how each run ended."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import altair as alt
import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import (
    BASELINE,
    DIFFERENT,
    HEIGHT,
    MUTED,
    OURS,
    SAME,
    UNTRAINED,
    WIDTH,
    colours,
    figure,
)

_COLOURS = {"promoted": SAME, "kept": MUTED, "refused": BASELINE} | dict.fromkeys(
    ("nothing-to-do", "overlapping", "cancelled"), UNTRAINED
)  # the rest: DIFFERENT
_SHAPES = {"promoted": "diamond", "kept": "circle", "refused": "triangle-down"}
_ROW = 24  # pixels of an outcome
_EDGE = timedelta(hours=1)  # the least beside the first and the last run


def champion_over_time(runs: pd.DataFrame, first: datetime, last: datetime) -> Figure:
    """Accuracy on the frozen test pairs, run by run, with its 95 % intervals.

    Args:
        runs: one row a run that compared models: start (UTC), outcome, and for champion and challenger accuracy,
            low and high (`champion_low`, ...), in [0, 1] or NaN.
        first, last: start of the first and of the last run on the page.
    """
    x, y = _time(first, last), alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=_shares())
    serving = _series(runs, "champion")
    serving = pd.concat([serving, serving.tail(1).assign(start=last.isoformat())])  # it serves on
    # The champion serves until the next decision: a step, not a slope.
    line = alt.Chart(serving).mark_line(interpolate="step-after", strokeWidth=2.5, color=OURS).encode(x=x, y=y)
    band = alt.Chart(serving.dropna()).mark_area(interpolate="step-after", color=OURS, opacity=0.15)
    judged = _series(runs, "challenger")
    shown = [name for name in _SHAPES if name in set(judged["outcome"])]
    colour = alt.Color("outcome:N", scale=colours(shown, _COLOURS), legend=alt.Legend(symbolType="circle"))
    shape = alt.Shape("outcome:N", scale=alt.Scale(domain=shown, range=[_SHAPES[name] for name in shown]))
    spans = (
        alt.Chart(judged.dropna()).mark_rule(strokeWidth=1.25).encode(x=x, y="low:Q", y2="high:Q", color=colour)
    )
    rivals = alt.Chart(judged).mark_point(filled=True, size=60, opacity=1)
    chart = alt.layer(
        band.encode(x=x, y="low:Q", y2="high:Q"), line, spans, rivals.encode(x=x, y=y, color=colour, shape=shape)
    )
    caption = (
        "Accuracy on the frozen test pairs with 95 % intervals: the champion that serves (line and band), and the "
        "challenger of each run that compared two models (mark and bar)."
    )
    return figure("champion-over-time", chart.properties(width=WIDTH, height=HEIGHT), caption)


def outcomes_over_time(runs: pd.DataFrame) -> Figure:
    """A strip for each outcome, with a mark where a run ended so.

    Args:
        runs: one row a run, the oldest first: start (UTC) and outcome.
    """
    starts = pd.to_datetime(runs["start"])
    names = runs["outcome"].value_counts().index.tolist()
    palette = {name: _COLOURS.get(name, DIFFERENT) for name in names}
    y = alt.Y("outcome:N", title=None, sort=names, axis=alt.Axis(domain=False, ticks=False, grid=True))
    chart = (
        alt.Chart(runs)
        .mark_tick(thickness=4, size=16, opacity=1)
        .encode(
            x=_time(starts.iloc[0], starts.iloc[-1]),
            y=y,
            color=alt.Color("outcome:N", scale=colours(names, palette), legend=None),
        )
        .properties(width=WIDTH - 60, height=_ROW * len(names))
    )
    return figure("outcomes-over-time", chart, "How each nightly run ended, the most frequent outcome first.")


def _time(first: datetime, last: datetime) -> alt.X:
    """An axis of days; of hours, from 00:00 to 23:59, where all runs are of two days."""
    edge = max(_EDGE, (last - first) * 0.04)
    days = (last - first).days
    text = "%H:%M" if days < 2 else "%-d %b" if days < 300 else "%b %Y"
    title = f"start, UTC ({first:%-d %b %Y})" if days < 2 else "start, UTC"
    domain = [(first - edge).isoformat(), (last + edge).isoformat()]
    axis = alt.Axis(grid=False, tickCount=3, labelOverlap="greedy", format=text)
    return alt.X("start:T", title=title, axis=axis, scale=alt.Scale(type="utc", domain=domain))


def _shares() -> alt.Axis:
    return alt.Axis(format=".1%", tickCount=5)


def _series(runs: pd.DataFrame, name: str) -> Any:
    columns = {name: "accuracy", f"{name}_low": "low", f"{name}_high": "high"}
    found = runs[["start", "outcome", *columns]].rename(columns=columns)
    return found[found["accuracy"].notna()]
