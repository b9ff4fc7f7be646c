"""The contact sheet: every picture with its faults, on one page and as one picture."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser

from tests.pages.checking import View

_STYLE = """
body{font:14px system-ui,sans-serif;margin:24px;background:#fff;color:#1c2430}
section{margin:0 0 32px} .row{display:flex;gap:16px;align-items:flex-start;overflow-x:auto}
figure{margin:0;flex:none;width:210px} img{width:210px;max-height:520px;object-fit:cover;object-position:top;
border:1px solid #cbd2dc} figcaption{margin:4px 0} li{color:#a12016} ul{margin:0;padding-left:16px;font-size:12px}
"""


def write_sheet(browser: Browser, found: Sequence[View], folder: Path) -> Path:
    """Writes `index.html` and `index.png` beside the pictures; returns the page."""
    names = list(dict.fromkeys(view.site.name for view in found))
    rows = "".join(_row(name, [view for view in found if view.site.name == name]) for name in names)
    page = folder / "index.html"
    page.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>Pages</title><style>{_STYLE}</style>"
        f"<h1>Pages</h1>{rows}</html>",
        encoding="utf-8",
    )
    tab = browser.new_page(viewport={"width": 1880, "height": 900})
    tab.goto(page.as_uri())
    tab.screenshot(path=folder / "index.png", full_page=True)
    tab.close()
    return page


def _row(name: str, found: Sequence[View]) -> str:
    return f"<section><h2>{html.escape(name)}</h2><div class=row>{''.join(map(_figure, found))}</div></section>"


def _figure(view: View) -> str:
    faults = "".join(f"<li>{html.escape(fault)}</li>" for fault in view.faults)
    picture = html.escape(view.picture.name)
    return (
        f"<figure><a href='{picture}'><img src='{picture}' alt='{html.escape(view.site.name)}'></a>"
        f"<figcaption>{html.escape(view.label)}</figcaption><ul>{faults}</ul></figure>"
    )
