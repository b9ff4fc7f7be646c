"""The look that all charts share, and their way into SVG.

A chart is drawn once, 340 pixels wide, so that it appears on a phone at its own size and in pairs on a desk. Its
colours are those of a light page; inside the HTML page a style sheet turns each of them into its counterpart
for a dark one (`dark_rules`), while the files in `figures/` stay light.
"""

from __future__ import annotations

import re
from typing import Any

import altair as alt
import vl_convert

from likeness.reporting.document import Figure

WIDTH, HEIGHT = 290, 210

INK, MUTED, GRID = "#1c2430", "#667085", "#e4e7ec"
OURS, BASELINE, UNTRAINED = "#1f5fa8", "#b7791f", "#8b93a1"
SAME, DIFFERENT = "#0f8a7e", "#c2512f"
PEOPLE = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Of Okabe and Ito (2008), distinct with any colour vision, on light and dark pages alike."""
_ON_DARK = {
    INK: "#e6e9ef",
    MUTED: "#9aa4b2",
    GRID: "#2b333f",
    OURS: "#6fb1f5",
    BASELINE: "#e0a94a",
    UNTRAINED: "#8b93a1",
    SAME: "#3fc4b5",
    DIFFERENT: "#f08a67",
}
DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [4, 1])
"""Patterns of lines, so that systems differ not by their colour alone."""
_LOCALE = {"decimal": ".", "thousands": "\u202f", "grouping": [3], "currency": ["", ""], "percent": "\u202f%"}
_ID = re.compile(r'(?<=\bid=")[\w-]+(?=")')


def figure(name: str, chart: Any, caption: str) -> Figure:
    """Draws an Altair chart. Equal charts give equal text: the renderer numbers its ids on from call to call."""
    styled = (
        chart.configure(background="transparent", font="system-ui, sans-serif", padding=2)
        .configure_view(stroke=None)
        .configure_axis(
            domainColor=MUTED,
            tickColor=MUTED,
            gridColor=GRID,
            labelColor=MUTED,
            titleColor=INK,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=6,
            labelLimit=150,
        )
        .configure_legend(
            orient="top",
            direction="horizontal",
            title=None,
            labelColor=INK,
            labelFontSize=12,
            symbolStrokeWidth=2.5,
            columns=2,  # three of these names in a wide font are wider than the chart
            columnPadding=14,
            offset=4,
        )
        .configure_title(color=INK, fontSize=12, fontWeight="normal", anchor="start")
    )
    svg = vl_convert.vegalite_to_svg(styled.to_dict(), format_locale=_LOCALE)
    return Figure(name, _own_ids(svg, name), caption)


def dark_rules() -> str:
    """CSS that recolours every chart for a dark page."""
    rules = [
        f'svg [{attribute}="{light}"]{{{attribute}:{dark}}}'
        for light, dark in _ON_DARK.items()
        for attribute in ("fill", "stroke")
    ]
    return "\n".join(rules)


def colours(names: list[str], palette: dict[str, str]) -> Any:
    """A scale that gives every name its colour, in the order of the legend."""
    return alt.Scale(domain=names, range=[palette[name] for name in names])


def _own_ids(svg: str, name: str) -> str:
    """Ids that begin with the figure's name: all figures are in one page, whose ids must be unique."""
    for number, old in enumerate(_ID.findall(svg)):
        own = f"{name}-{number}"
        svg = svg.replace(f'id="{old}"', f'id="{own}"').replace(f"url(#{old})", f"url(#{own})")
    return svg
