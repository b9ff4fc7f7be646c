"""The map of the test pictures' embeddings, whose points say their names under the pointer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape

import pandas as pd

from likeness.reporting.document import Figure
from likeness.reporting.figures.style import INK, MUTED, PEOPLE, UNTRAINED
from likeness.reporting.wording import percent

_SIDE, _EDGE, _LINE = 340, 10, 18  # of the drawing, its margin, and a line of its legend, in pixels
_COLUMNS = 2


def embedding_figure(embeddings: pd.DataFrame) -> Figure:
    """Every picture as a point; those of the people with the most pictures by colour and shape.

    Args:
        embeddings: its rows of `likeness.artifacts.evaluation_tables.EMBEDDINGS`.
    """
    people = embeddings["image"].str.rpartition("_")[0]
    counts = people.value_counts()
    named = list(counts[counts > 1].index[: len(PEOPLE)])
    points = _scaled(embeddings).assign(person=people, image=embeddings["image"])
    others = points[~points["person"].isin(named)]
    parts = [f'<g fill="{UNTRAINED}" fill-opacity="0.45">{"".join(_points(others, 0, 2.4))}</g>']
    for place, person in enumerate(named):
        own = points[points["person"] == person]
        parts.append(
            f'<g fill="{PEOPLE[place]}" stroke="{INK}" stroke-width="0.6">{"".join(_points(own, place))}</g>'
        )
    legend = list(_legend(named))
    height = _SIDE + 8 + _LINE * math.ceil(len(legend) / _COLUMNS)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_SIDE}" height="{height}" '
        f'viewBox="0 0 {_SIDE} {height}" font-family="system-ui, sans-serif" font-size="12">'
        f'<rect x="0.5" y="0.5" width="{_SIDE - 1}" height="{_SIDE - 1}" fill="none" stroke="{UNTRAINED}" '
        f'stroke-opacity="0.5"/>{"".join(parts)}{"".join(legend)}</svg>'
    )
    return Figure("embeddings", svg, _caption(embeddings, len(named)))


def _caption(embeddings: pd.DataFrame, named: int) -> str:
    first, second = embeddings[["x_variance", "y_variance"]].iloc[0]
    coloured = f"; the {named} people with the most pictures are coloured" if named else ""
    return (
        f"Embeddings of {len(embeddings)} test pictures along their two leading principal components{coloured}. "
        f"Both together hold {percent(first + second, 0)} of the variance: what lies apart here is apart, "
        "what lies together need not be alike. The pointer shows a picture's name."
    )


def _scaled(embeddings: pd.DataFrame) -> pd.DataFrame:
    """Places in pixels, both axes on one scale."""
    places = embeddings[["x", "y"]]
    low, span = places.min(), max(float((places.max() - places.min()).max()), 1e-12)
    pixels = (places - low - (places.max() - low) / 2) / span * (_SIDE - 2 * _EDGE) + _SIDE / 2
    return pixels.assign(y=_SIDE - pixels["y"])


def _points(points: pd.DataFrame, shape: int, size: float = 4.0) -> Iterator[str]:
    for x, y, image in zip(points["x"], points["y"], points["image"], strict=True):
        person, _, number = str(image).rpartition("_")
        title = escape(f"{person.replace('_', ' ')} {int(number)}")
        yield f'<path d="{_mark(x, y, shape, size)}"><title>{title}</title></path>'


def _mark(x: float, y: float, shape: int, size: float) -> str:
    """A circle, square, triangle, diamond, cross or triangle upside down, as the `d` of a path."""
    if shape == 0:
        return f"M{x - size:.1f},{y:.1f}a{size},{size} 0 1 0 {2 * size},0a{size},{size} 0 1 0 {-2 * size},0z"
    outline = _OUTLINES[shape]
    return "M" + "L".join(f"{x + size * dx:.1f},{y + size * dy:.1f}" for dx, dy in outline) + "z"


_OUTLINES: dict[int, tuple[tuple[float, float], ...]] = {
    1: ((-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)),
    2: ((0, -1.2), (1.1, 0.8), (-1.1, 0.8)),
    3: ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    4: (
        *((-0.4, -1.2), (0.4, -1.2), (0.4, -0.4), (1.2, -0.4), (1.2, 0.4), (0.4, 0.4)),
        *((0.4, 1.2), (-0.4, 1.2), (-0.4, 0.4), (-1.2, 0.4), (-1.2, -0.4), (-0.4, -0.4)),
    ),
    5: ((0, 1.2), (1.1, -0.8), (-1.1, -0.8)),
}


def _legend(named: list[str]) -> Iterator[str]:
    for place, person in enumerate([*named, "others"]):
        line, column = divmod(place, _COLUMNS)
        x, y = 8 + column * _SIDE / _COLUMNS, _SIDE + 16 + line * _LINE
        shape, fill = (place, PEOPLE[place]) if place < len(named) else (0, UNTRAINED)
        text = escape(person.replace("_", " "))
        yield (
            f'<path d="{_mark(x, y - 4, shape, 4.0)}" fill="{fill}"/>'
            f'<text x="{x + 10:.0f}" y="{y}" fill="{MUTED}">{text}</text>'
        )
