"""Charts of parts of the test pairs: error rates and scores by quality of the worse photograph."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import DIFFERENT, INK, OURS, SAME, colours, figure

_KINDS = {"same person": SAME, "different people": DIFFERENT}
_LABELS, _PANEL, _STEP = 132, 98, 20


def error_rates(rows: pd.DataFrame, overall: tuple[float, float]) -> Figure:
    """False non-match and false match rate with their intervals, side by side.

    Args:
        rows: columns label, fnmr, fnmr_low, fnmr_high, fmr, fmr_low, fmr_high, in the order to be shown.
        overall: FNMR and FMR on all test pairs, drawn as lines.
    """
    highest = float(rows[["fnmr_high", "fmr_high"]].max().max())
    panels = [
        _rates(rows, name, title, whole, highest, labelled=not place)
        for place, (name, title, whole) in enumerate(
            zip(("fnmr", "fmr"), ("false non-match rate", "false match rate"), overall, strict=True)
        )
    ]
    chart = alt.hconcat(*panels, spacing=12)
    caption = (
        "Error rates by quality and pose of the worse photograph, with 95 % intervals; dashed: all test pairs."
    )
    return figure("slices", chart, caption)


def _rates(rows: pd.DataFrame, name: str, title: str, overall: float, highest: float, *, labelled: bool) -> Any:
    base = alt.Chart(rows).encode(y=_labels(labelled))
    scale = alt.Scale(domain=[0, max(highest, 0.01)], nice=True)
    x = {"scale": scale, "axis": alt.Axis(format="~%", tickCount=3), "title": title}
    spans = base.mark_rule(color=OURS, strokeWidth=2, opacity=0.45).encode(
        x=alt.X(f"{name}_low:Q", **x), x2=f"{name}_high:Q"
    )
    points = base.mark_point(filled=True, color=OURS, size=45, opacity=1).encode(x=alt.X(f"{name}:Q", **x))
    rule = (
        alt.Chart(pd.DataFrame({"place": [overall]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="place:Q")
    )
    return alt.layer(rule, spans, points).properties(width=_PANEL, height=alt.Step(_STEP))


def score_spread(rows: pd.DataFrame, threshold: float) -> Figure:
    """Scores of both kinds of pairs by quality: the middle nine tenths as a line, the median as a point.

    Args:
        rows: columns label, kind ("same person" or "different people"), low, middle, high.
        threshold: of the decision, drawn as a line.
    """
    base = alt.Chart(rows).encode(
        y=_labels(True),
        yOffset=alt.YOffset("kind:N", sort=list(_KINDS), scale=alt.Scale(paddingOuter=0.45)),
        color=alt.Color("kind:N", scale=colours(list(_KINDS), _KINDS)),
    )
    axis, scale = alt.Axis(tickCount=5), alt.Scale(zero=False, nice=False, padding=4)
    spans = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
        x=alt.X("low:Q", title="score", axis=axis, scale=scale), x2="high:Q"
    )
    marks = base.mark_point(filled=True, size=30, opacity=1).encode(
        x=alt.X("middle:Q", title="score", axis=axis, scale=scale),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=list(_KINDS), range=["circle", "diamond"])),
    )
    rule = (
        alt.Chart(pd.DataFrame({"place": [threshold]})).mark_rule(color=INK, strokeDash=[4, 3]).encode(x="place:Q")
    )
    chart = alt.layer(rule, spans, marks).properties(width=2 * _PANEL + 12, height=alt.Step(_STEP / 2))
    caption = (
        "Scores by quality and pose of the worse photograph: median and middle 90 % of the pairs of each kind; "
        "dashed: the threshold. The further apart the two kinds, the easier the part."
    )
    return figure("score-spread", chart, caption)


def _labels(shown: bool) -> Any:
    axis = alt.Axis(grid=False, minExtent=_LABELS, maxExtent=_LABELS, labelLimit=_LABELS) if shown else None
    return alt.Y("label:N", sort=None, title=None, axis=axis)
