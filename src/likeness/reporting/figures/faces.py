"""Charts of the photographs: how many a person has, and how bright, rich in contrast and sharp they are."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from likeness.artifacts.manifest import usable
from likeness.reporting.document import Figure
from likeness.reporting.figures.style import HEIGHT, MUTED, OURS, WIDTH, figure
from likeness.reporting.wording import percent

_BINS = ((1, 1), (2, 2), (3, 3), (4, 5), (6, 10), (11, 20), (21, 50), (51, None))

_TICKS = [0, 1, 10, 100, 1000, 10_000, 100_000]


def images_per_person(counts: ArrayLike) -> Figure:
    """People by how many images they have; `counts` holds one number a person."""
    values = np.asarray(counts)
    rows = []
    for low, high in _BINS:
        inside = (values >= low) & (values <= high if high else True)
        name = f"{low}" if low == high else f"{low}–{high}" if high else f"{low}+"
        rows.append({"images": name, "people": int(inside.sum())})
    frame = pd.DataFrame(rows)
    names = alt.Axis(labelAngle=0, grid=False)
    base = alt.Chart(frame).encode(
        x=alt.X("images:N", sort=None, title="images of a person", axis=names),
        y=alt.Y(
            "people:Q", title="people", scale=alt.Scale(type="symlog"), axis=alt.Axis(values=_TICKS, format=",d")
        ),
    )
    numbers = base.mark_text(dy=-6, fontSize=12, color=MUTED).encode(text=alt.Text("people:Q", format=",d"))
    chart = (base.mark_bar(color=OURS) + numbers).properties(width=WIDTH, height=HEIGHT)
    one = float(np.mean(values == 1)) if len(values) else 0.0
    caption = f"Images per person (logarithmic height). {percent(one, 0)} of the people have one image only."
    return figure("images-per-person", chart, caption)


def photograph_quality(manifest: pd.DataFrame) -> Figure:
    """Histograms of brightness, contrast and sharpness of the usable images of a manifest."""
    shown = manifest[usable(manifest)]
    titles = {
        "brightness": ("brightness (mean / 255)", False),
        "contrast": ("contrast (standard deviation / 255)", False),
        "sharpness": ("sharpness (variance of the Laplacian)", True),
    }
    panels = [_histogram(shown[name].to_numpy(), title, log) for name, (title, log) in titles.items()]
    chart = alt.vconcat(*panels, spacing=8)
    caption = "Brightness, contrast and sharpness of the stored crops; the height is the number of images."
    return figure("photograph-quality", chart, caption)


def _histogram(values: ArrayLike, title: str, log: bool) -> alt.Chart:
    numbers = np.asarray(values, dtype=np.float64)
    shown = np.log10(np.maximum(numbers, 1e-3)) if log else numbers
    heights, edges = np.histogram(shown, bins=40)
    edges = 10**edges if log else edges
    frame = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "images": heights})
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(zero=False, nice=False)
    x = alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(grid=False, tickCount=5, format="~g"))
    y = alt.Y("images:Q", title=None, axis=alt.Axis(tickCount=3))
    chart = alt.Chart(frame).mark_rect(color=OURS).encode(x=x, x2="high:Q", y=y, y2=alt.datum(0))
    return chart.properties(width=WIDTH, height=62)
