"""Charts of a training: losses and accuracies by epoch, losses by step, results by swept parameter."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import (
    BASELINE,
    DASHES,
    HEIGHT,
    MUTED,
    OURS,
    UNTRAINED,
    WIDTH,
    colours,
    figure,
)

_MOST_POINTS = 300


def loss_curves(history: pd.DataFrame, best_epoch: int | None) -> Figure:
    """Loss on training and holdout pairs at the end of each epoch."""
    series = {"train": "train_loss", "holdout": "holdout_loss"}
    chart = _curves(history, series, {"train": BASELINE, "holdout": OURS}, "loss", best_epoch)
    caption = "Loss at the end of each epoch" + _marked(best_epoch)
    return figure("loss-curves", chart, caption)


def accuracy_curves(history: pd.DataFrame, best_epoch: int | None) -> Figure:
    """Accuracy on training and holdout pairs, and AUC on the holdout, at the end of each epoch."""
    series = {"train": "train_accuracy", "holdout": "holdout_accuracy", "holdout AUC": "holdout_auc"}
    palette = {"train": BASELINE, "holdout": OURS, "holdout AUC": UNTRAINED}
    chart = _curves(history, series, palette, "accuracy, AUC", best_epoch)
    return figure("accuracy-curves", chart, "Accuracy and AUC at the end of each epoch" + _marked(best_epoch))


def step_loss(steps: pd.DataFrame) -> Figure:
    """Training loss of each optimiser step, thinned to means of neighbouring steps where there are many."""
    bins = np.array_split(np.arange(len(steps)), min(len(steps), _MOST_POINTS))
    thinned = pd.DataFrame(
        [{"step": steps["step"].iloc[b].mean(), "loss": steps["loss"].iloc[b].mean()} for b in bins]
    )
    line = alt.Chart(thinned).mark_line(strokeWidth=1.2, color=OURS)
    chart = line.encode(
        x=alt.X("step:Q", title="optimiser step", axis=alt.Axis(grid=False, tickCount=5, format="~s")),
        y=alt.Y("loss:Q", title="loss of a batch", scale=alt.Scale(zero=False)),
    ).properties(width=WIDTH, height=HEIGHT)
    size = len(bins[0]) if len(bins) else 1
    averaged = f", means of {size} neighbouring steps" if size > 1 else ""
    return figure("step-loss", chart, f"Training loss of each step{averaged}.")


def utilisation(history: pd.DataFrame, cores: int | None) -> Figure:
    """Images a second and processor cores in use, epoch by epoch.

    Args:
        history: its rows of `likeness.artifacts.history`; without known cores the first alone is drawn.
        cores: of the machine, drawn as a line.
    """
    x = alt.X(
        "epoch:Q",
        title="epoch",
        axis=alt.Axis(grid=False, tickCount=6, tickMinStep=1, format="d"),
        scale=alt.Scale(zero=False, nice=False),
    )
    speed = _use(history, x, "images_per_second", "images/s", OURS)
    known = history[history["cores"].notna()]
    if known.empty:
        chart = speed.properties(width=WIDTH, height=HEIGHT)
        return figure("utilisation", chart, "Images trained on per second, epoch by epoch.")
    busy = _use(known, x, "cores", "cores in use", BASELINE)
    if cores:
        rule = alt.Chart(pd.DataFrame({"cores": [cores]})).mark_rule(color=MUTED, strokeDash=[3, 3])
        busy = alt.layer(rule.encode(y="cores:Q"), busy)
    half = (HEIGHT - 30) // 2
    panels = [one.properties(width=WIDTH, height=half) for one in (speed, busy)]
    caption = (
        "Images trained on per second, and processor cores that the training kept busy, epoch by epoch"
        f"{f'; dashed: the {cores} cores of the machine' if cores else ''}."
    )
    return figure("utilisation", alt.vconcat(*panels, spacing=8), caption)


def _use(history: pd.DataFrame, x: Any, column: str, title: str, colour: str) -> Any:
    many = history["epoch"].nunique() > 40
    mark = alt.Chart(history[["epoch", column]])
    line = mark.mark_line(point=False if many else alt.OverlayMarkDef(size=22), strokeWidth=1.8, color=colour)
    return line.encode(x=x, y=alt.Y(f"{column}:Q", title=title, axis=alt.Axis(tickCount=4)))


def swept(sweep: pd.DataFrame, parameter: str) -> Figure:
    """Accuracy against one swept parameter.

    Args:
        sweep: its rows of `likeness.artifacts.sweep_table`.
        parameter: as the table names it.
    """
    base = alt.Chart(sweep).encode(x=_swept_axis(sweep["value"], parameter), color=alt.value(OURS))
    title = "accuracy of held-out pairs"
    y = alt.Y("accuracy:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format="~%"))
    layers = [
        base.mark_line(point=alt.OverlayMarkDef(size=36)).encode(y=y),
        base.mark_rule(opacity=0.5).encode(y=alt.Y("low:Q", title=title), y2="high:Q"),
    ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)
    name = "sweep-" + parameter.replace(".", "-").replace(" ", "-")
    return figure(name, chart, f"Accuracy against {swept_name(parameter)}.")


def swept_name(parameter: str) -> str:
    """How a text names what was swept: a parameter as code, anything else as words."""
    return f"`{parameter}`" if "." in parameter else f"number of {parameter}"


def _swept_axis(values: pd.Series[Any], parameter: str) -> Any:
    """The axis of a swept parameter: logarithmic where positive numbers span more than a factor of twenty."""
    wide = bool((values > 0).all()) and values.max() / values.min() > 20
    # the padding keeps the first interval off the axis
    scale = alt.Scale(type="log" if wide else "linear", nice=False, zero=False, padding=14)
    places = sorted({float(value) for value in values})
    ticks = {"values": places} if len(places) <= 12 else {"tickCount": 5}
    form = ".3~e" if values.max() < 0.01 else ".6~g"  # without a precision Vega takes one that rounds 32 to 3e+1
    axis = alt.Axis(grid=False, labelAngle=0, labelOverlap="greedy", format=form, **ticks)
    return alt.X("value:Q", title=parameter, scale=scale, axis=axis)


def _curves(
    history: pd.DataFrame, series: dict[str, str], palette: dict[str, str], title: str, best_epoch: int | None
) -> Any:
    known = {name: column for name, column in series.items() if history.get(column) is not None}
    frame = pd.concat(
        [
            pd.DataFrame({"epoch": history["epoch"], "value": history[column], "series": name})
            for name, column in known.items()
        ]
    ).dropna()
    names = [name for name in known if name in set(frame["series"])]
    many = history["epoch"].nunique() > 40
    mark = alt.Chart(frame).mark_line(point=False if many else alt.OverlayMarkDef(size=22), strokeWidth=1.8)
    lines = mark.encode(
        x=alt.X(
            "epoch:Q",
            title="epoch",
            axis=alt.Axis(grid=False, tickCount=6, tickMinStep=1, format="d"),
            scale=alt.Scale(zero=False, nice=False),
        ),
        y=alt.Y("value:Q", title=title, scale=alt.Scale(zero=False)),
        color=alt.Color("series:N", scale=colours(names, palette)),
        strokeDash=alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=list(DASHES[: len(names)]))),
    )
    layers = [lines]
    if best_epoch is not None:
        rule = alt.Chart(pd.DataFrame({"epoch": [best_epoch]})).mark_rule(color=MUTED, strokeDash=[3, 3])
        layers.insert(0, rule.encode(x="epoch:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=HEIGHT)


def _marked(best_epoch: int | None) -> str:
    return "." if best_epoch is None else f"; the dashed line marks epoch {best_epoch}, whose weights were kept."
