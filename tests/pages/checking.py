"""Opens a page at each width, in light, dark and print; takes its picture and names what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browsing import OWN
from tests.pages.sites import Site

WIDTHS = (390, 768, 1440)
PRINT_WIDTH = 718
"""A4 less margins of 10 mm, in pixels of CSS."""
_SETTLE_MS = {True: 500, False: 4000}
_HIGHEST = 6000
_SHOWN = 3

# Elements beyond the right edge that no ancestor scrolls or hides, and elements that hide a part of their text.
_OVERFLOW = """print => {
  const edge = document.documentElement.clientWidth + 1;
  const named = e => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') +
    (e.classList.length ? '.' + [...e.classList].slice(0, 2).join('.') : '');
  const contained = e => { for (let p = e.parentElement; p; p = p.parentElement)
    if (getComputedStyle(p).position === 'fixed' || (getComputedStyle(p).overflowX !== 'visible' &&
      p !== document.body && p !== document.documentElement)) return true; return false; };
  const found = [];
  for (const e of document.body.querySelectorAll('*')) {
    if (e.closest('svg') && e.tagName !== 'svg') continue;
    const box = e.getBoundingClientRect(), style = getComputedStyle(e);
    if (!box.width || !box.height || style.visibility === 'hidden') continue;
    if (box.right > edge && style.position !== 'fixed' && !contained(e)) found.push(named(e) + ' overflows');
    const hides = ['hidden', 'clip'].includes(style.overflowX) && style.textOverflow !== 'ellipsis';
    const scrolls = ['auto', 'scroll'].includes(style.overflowX);
    if (print && scrolls && e.scrollWidth > e.clientWidth + 2) found.push(named(e) + ' is cut off on paper');
    if (hides && e.clientWidth > 2 && e.scrollWidth > e.clientWidth + 2 && e.innerText)
      found.push(named(e) + ' is clipped');
  }
  return [...new Set(found)];
}"""


@dataclass(frozen=True)
class View:
    """One picture of a page, and the faults found on it."""

    site: Site
    label: str
    picture: Path
    faults: tuple[str, ...]


def views(browser: Browser, site: Site, folder: Path) -> Iterator[View]:
    """Every view of a page, in turn: each width on screen, then paper, in light and dark."""
    for width in WIDTHS:
        for scheme in ("light", "dark"):
            yield _view(browser, site, folder, f"{width} {scheme}", width, scheme, "screen")
    for scheme in ("light", "dark"):
        yield _view(browser, site, folder, f"print {scheme}", PRINT_WIDTH, scheme, "print")


def _view(browser: Browser, site: Site, folder: Path, label: str, width: int, scheme: str, media: str) -> View:
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    )
    page = context.new_page()
    asked: list[str] = []
    failed: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: failed.append(f"script error: {error}"))
    try:
        _open(page, site, media)
        faults = [f"asks {url}" for url in asked if (urlsplit(url).hostname or "") not in OWN]
        if site.own:
            faults += failed + list(page.evaluate(_OVERFLOW, media == "print")) + _axe(page)
        name = re.sub(r"\W+", "-", f"{site.name} {label}").strip("-")
        picture = folder / f"{name}.png"
        height = min(int(page.evaluate("document.documentElement.scrollHeight")), _HIGHEST)
        page.screenshot(path=picture, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": height})
    finally:
        context.close()
    return View(site, label, picture, tuple(dict.fromkeys(faults)))


def _open(page: Page, site: Site, media: str) -> None:
    page.emulate_media(media=media)  # type: ignore[arg-type]
    page.goto(site.address, wait_until="load")
    page.wait_for_timeout(_SETTLE_MS[site.own])
    password = page.locator("input[type=password]")
    if site.login and not site.own and password.count():
        password.first.fill(site.login)
        page.keyboard.press("Enter")
        page.wait_for_timeout(_SETTLE_MS[False])
        page.goto(site.address, wait_until="load")
        page.wait_for_timeout(_SETTLE_MS[False])


def _axe(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {_targets(one['nodes'])}" for one in found]


def _targets(nodes: Sequence[dict[str, list[str]]]) -> str:
    shown = ", ".join(str(node["target"][0]) for node in nodes[:_SHOWN])
    return shown if len(nodes) <= _SHOWN else f"{shown} and {len(nodes) - _SHOWN} more"
