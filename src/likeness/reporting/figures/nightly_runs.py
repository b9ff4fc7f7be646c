"""Chart of the nightly runs: the champion's accuracy over time, and the challengers compared with it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import HEIGHT, INK, MUTED, OURS, WIDTH, figure


def champion_over_time(runs: pd.DataFrame) -> Figure:
    """Accuracy on the frozen test pairs, run by run.

    Args:
        runs: columns start (UTC), champion and challenger (accuracies in [0, 1] or NaN), one row a run.
    """
    x = alt.X(
        "start:T", title="start (UTC)", axis=alt.Axis(grid=False, tickCount=3, labelOverlap="greedy"), scale=_utc()
    )
    y = alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(zero=False), axis=alt.Axis(format=".1%"))
    champion = _series(runs, "champion")
    challenger = _series(runs, "challenger")
    # The champion serves until the next decision: a step, not a slope.
    line = alt.Chart(champion).mark_line(interpolate="step-after", strokeWidth=2.5, color=OURS).encode(x=x, y=y)
    dots = alt.Chart(champion).mark_point(filled=True, size=50, color=OURS, opacity=1).encode(x=x, y=y)
    rivals = alt.Chart(challenger).mark_point(size=90, color=INK, strokeWidth=1.5).encode(x=x, y=y)
    rule = alt.Chart(challenger).mark_rule(color=MUTED, opacity=0.25).encode(x=x)
    chart = alt.layer(rule, line, dots, rivals).properties(width=WIDTH, height=HEIGHT)
    caption = (
        "Accuracy on the frozen test pairs: the champion that served after each judged run (line), and that "
        "run's challenger (ring; around the dot where it was promoted)."
    )
    return figure("champion-over-time", chart, caption)


def _utc() -> alt.Scale:
    return alt.Scale(type="utc")


def _series(runs: pd.DataFrame, name: str) -> pd.DataFrame:
    return runs[["start", name]].dropna().rename(columns={name: "accuracy"})
