"""The page in a browser: nothing is fetched, nothing sticks out on a phone, texts can be read day and night."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from likeness.reporting.document import Page as Document
from likeness.reporting.render import to_page
from tests.browsing import CHROMIUM

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

# Ratio of luminances of a text and the page below it (WCAG 2.1, 1.4.3); the least of all texts on the page itself.
CONTRAST = """() => {
  const linear = x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
  const lum = c => { const v = c.map(x => linear(x / 255)); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const rgb = s => s.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const page = lum(rgb(getComputedStyle(document.body).backgroundColor));
  const ratio = c => { const l = lum(rgb(c)); return (Math.max(l, page) + .05) / (Math.min(l, page) + .05); };
  const texts = [...document.querySelectorAll('p:not(.note):not(.banner), th, td, dt, dd, figcaption, h2')];
  const ticks = [...document.querySelectorAll('svg text')];
  const styles = [...texts.map(e => getComputedStyle(e).color), ...ticks.map(e => getComputedStyle(e).fill)];
  return Math.min(...styles.map(ratio));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def address(page: Document, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(to_page(page), encoding="utf-8")
    return path.as_uri()


def opened(browser: Browser, address: str, width: int, scheme: str) -> Page:
    tab = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    tab.goto(address)
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    return tab


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_nothing_sticks_out_sideways(browser: Browser, address: str, width: int) -> None:
    tab = opened(browser, address, width, "light")
    assert tab.evaluate("document.scrollingElement.scrollWidth") <= width
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_the_page(browser: Browser, address: str, scheme: str) -> None:
    tab = opened(browser, address, 1280, scheme)
    assert tab.evaluate(CONTRAST) >= 4.5
    tab.close()


def test_nothing_is_fetched_and_nothing_complains(browser: Browser, address: str) -> None:
    tab = browser.new_page()
    fetched: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: fetched.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.goto(address)
    assert [url for url in fetched if not url.startswith("data:")] == [address]
    assert complaints == []
    tab.close()


def test_tables_that_are_too_wide_scroll_by_keyboard(browser: Browser, address: str) -> None:
    tab = opened(browser, address, 360, "light")
    wide = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth)"
    scrolled = tab.evaluate(f"{wide}.map(one => one.tabIndex)")
    assert scrolled
    assert set(scrolled) == {0}
    tab.close()
