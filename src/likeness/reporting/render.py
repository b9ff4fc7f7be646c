"""A page as HTML that opens offline, and as Markdown with its figures beside it."""

from __future__ import annotations

import base64
from pathlib import Path

import jinja2
from markupsafe import Markup

from likeness.files import atomic_path, write_text
from likeness.images.data_uri import data_uri
from likeness.reporting.document import Page
from likeness.reporting.figures.style import dark_rules
from likeness.reporting.inline import to_cell, to_html, to_strong_cell
from likeness.reporting.wording import count, decimal, number, percent, unit_spaces

_TEMPLATES = jinja2.PackageLoader("likeness.reporting", "templates")


def to_page(page: Page) -> str:
    """One self-contained HTML document: charts and scripts inline, photographs as data URIs, nothing to fetch."""
    environment = _environment(autoescape=True)
    environment.filters["inline"] = to_html
    environment.filters |= {"data_uri": data_uri, "text_uri": _text_uri}
    environment.filters |= {"number": number, "count": count, "percent": percent, "decimal": decimal}
    style = Markup(environment.get_template("style.css").render())
    template = environment.get_template("page.html")
    scripts = [Markup(environment.get_template(f"{kind}.js").render()) for kind in page.widgets()]
    text = template.render(page=page, style=style, scripts=scripts, dark_rules=Markup(dark_rules()))
    return unit_spaces(text) + "\n"


def to_markdown(page: Page, figures: str) -> str:
    """The same as Markdown; `figures` is the folder of the charts and photographs as seen from the file."""
    environment = _environment(autoescape=False)
    environment.filters["cell"] = to_cell
    environment.filters["strong_cell"] = to_strong_cell
    text = environment.get_template("page.md").render(page=page, figures=figures)
    return unit_spaces("\n".join(line.rstrip() for line in text.splitlines()).strip() + "\n")


def write_figures(page: Page, folder: Path) -> None:
    """Charts as SVG, photographs as PNG, and what can be downloaded; files of an earlier report are removed.

    Raises:
        OutputError: the folder cannot be written.
    """
    written = set()
    for figure in page.figures():
        write_text(folder / f"{figure.name}.svg", figure.svg)
        written.add(f"{figure.name}.svg")
    for picture in page.pictures():
        with atomic_path(folder / f"{picture.name}.png") as temporary:
            temporary.write_bytes(picture.png)
        written.add(f"{picture.name}.png")
    for download in page.downloads():
        write_text(folder / download.name, download.content)
    for old in [*folder.glob("*.svg"), *folder.glob("*.png")]:
        if old.name not in written:
            old.unlink()


def _text_uri(text: str) -> str:
    return f"data:text/plain;charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def _environment(autoescape: bool) -> jinja2.Environment:
    return jinja2.Environment(loader=_TEMPLATES, autoescape=autoescape, undefined=jinja2.StrictUndefined)
