"""Chart of recipes: accuracy against what they cost."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import HEIGHT, INK, OURS, UNTRAINED, WIDTH, figure

_TITLES = {"parameters": "million parameters", "mmacs": "MMACs of an embedding"}
_COSTS = {"parameters": "the number of parameters", "mmacs": "the MMACs of an embedding"}
_NAMES = 3.4  # by which the axis begins before the cheapest recipe, so that its name has room


def accuracy_by_cost(recipes: pd.DataFrame, cost: str) -> Figure:
    """Accuracy with its interval against a cost; recipes that no other beats at that cost or less are named.

    Args:
        recipes: columns recipe, accuracy, low, high, parameters, mmacs.
        cost: "parameters" or "mmacs".
    """
    costs = recipes[cost] / (1e6 if cost == "parameters" else 1)
    frame = recipes.assign(cost=costs, best=best_at(recipes, cost))
    x = alt.X(
        "cost:Q",
        title=_TITLES[cost],
        scale=alt.Scale(type="log", nice=False, domain=[costs.min() / _NAMES, costs.max() * 1.3]),
        axis=alt.Axis(values=[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000], format=",d", grid=False),
    )
    y = {
        "title": "test accuracy",
        "scale": alt.Scale(zero=False, nice=False, padding=8),
        "axis": alt.Axis(format="~%"),
    }
    base = alt.Chart(frame).encode(x=x, color=_colour())
    spans = base.mark_rule(strokeWidth=1.5, opacity=0.35).encode(y=alt.Y("low:Q", **y), y2="high:Q")
    marks = base.mark_point(filled=True, size=42, opacity=1).encode(y=alt.Y("accuracy:Q", **y), shape=_shape())
    names = alt.Chart(frame[frame["best"]]).mark_text(dy=-4, dx=-6, align="right", fontSize=12, color=INK)
    layers = alt.layer(spans, marks, names.encode(x=x, y=alt.Y("accuracy:Q", **y), text="recipe:N"))
    chart = layers.properties(width=WIDTH, height=HEIGHT)
    caption = (
        f"Accuracy on the test pairs against {_COSTS[cost]} (logarithmic axis), with 95\u202f% intervals. Circles "
        "with names: no other recipe is as accurate at that cost or less."
    )
    return figure(f"recipes-{cost}", chart, caption)


def best_at(recipes: pd.DataFrame, cost: str) -> pd.Series[bool]:
    """Whether no other recipe is at least as accurate at the same cost or less, bool, one a row."""
    ordered = recipes.sort_values([cost, "accuracy"], ascending=[True, False], kind="stable")
    highest = ordered["accuracy"].cummax().shift(fill_value=-1.0)
    return (ordered["accuracy"] > highest).reindex(recipes.index)


def _colour() -> Any:
    return alt.Color("best:N", scale=alt.Scale(domain=[True, False], range=[OURS, UNTRAINED]), legend=None)


def _shape() -> Any:
    return alt.Shape("best:N", scale=alt.Scale(domain=[True, False], range=["circle", "diamond"]), legend=None)
