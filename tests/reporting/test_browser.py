"""The page in a browser: nothing is fetched, nothing sticks out on a phone, texts can be read in both modes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from likeness.artifacts.metrics import METRICS
from likeness.reporting.artefacts import Places
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


@pytest.fixture
def explorer(browser: Browser, address: str) -> Iterator[Page]:
    tab = opened(browser, address, 1280, "light")
    yield tab
    tab.close()


def counts_of(tab: Page) -> list[int]:
    names = ("truematches", "falsenonmatches", "truenonmatches", "falsematches")
    return [int(tab.locator(f"[data-{name}]").inner_text().replace("\u202f", "")) for name in names]


def reaches(tab: Page, wanted: list[int]) -> bool:
    """Whether the counts become those; a busy machine shows a pressed key late."""
    for _ in range(50):
        if counts_of(tab) == wanted:
            return True
        tab.wait_for_timeout(100)
    return False


def test_without_a_script_the_operating_point_of_the_model_is_shown(
    browser: Browser, address: str, run: Places
) -> None:
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.goto(address)
    assert counts_of(tab) == confusion_of(run)
    assert not tab.locator("#explorer-slider").is_visible()
    context.close()


def confusion_of(run: Places) -> list[int]:
    counts = METRICS.read(run.evaluation / METRICS.name).model.test.confusion
    return [counts.true_matches, counts.false_non_matches, counts.true_non_matches, counts.false_matches]


def test_the_threshold_moves_counts_rates_and_histogram_by_keyboard(explorer: Page, run: Places) -> None:
    start = counts_of(explorer)
    assert start == confusion_of(run)
    slider = explorer.locator("#explorer-slider")
    slider.press("Home")
    accepted, rejected = sum(start[:2]), sum(start[2:])
    assert reaches(explorer, [accepted, 0, 0, rejected])
    assert explorer.locator("[data-fnmr]").inner_text().startswith("0.0\u202f% (0.0 to ")
    assert explorer.locator("[data-fmr]").inner_text().startswith("100.0\u202f%")
    assert explorer.locator("[data-line]").get_attribute("transform") == "translate(0)"
    slider.press("End")
    assert reaches(explorer, [0, accepted, rejected, 0])
    assert explorer.locator("[data-rejected]").get_attribute("width") == "640"
    slider.press("ArrowLeft")
    assert float(explorer.locator("[data-accepted]").get_attribute("x") or 0) < 640
    explorer.get_by_role("button", name="Threshold of the model").press("Enter")
    assert reaches(explorer, start)


def test_the_script_writes_rates_as_the_page_does(explorer: Page) -> None:
    names = ("fnmr", "fmr", "accuracy", "value")
    written = [explorer.locator(f"[data-{name}]").inner_text() for name in names]
    explorer.get_by_role("button", name="Threshold of the model").click()
    assert [explorer.locator(f"[data-{name}]").inner_text() for name in names] == written


def test_paper_shows_the_operating_point_of_the_model(explorer: Page) -> None:
    start = counts_of(explorer)
    explorer.locator("#explorer-slider").press("Home")
    moved = [sum(start[:2]), 0, 0, sum(start[2:])]
    assert reaches(explorer, moved)
    explorer.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert counts_of(explorer) == start
    explorer.evaluate("dispatchEvent(new Event('afterprint'))")
    assert counts_of(explorer) == moved
    explorer.emulate_media(media="print")
    assert not explorer.locator("#explorer-slider").is_visible()


def test_errors_are_filtered_searched_and_sorted(explorer: Page, run: Places) -> None:
    rows = explorer.locator(".errors tbody tr")
    _, rejects, _, accepts = confusion_of(run)
    assert rows.count() == rejects + accepts
    explorer.locator("[data-kind]").select_option("false match")
    assert rows.locator("visible=true").count() == accepts
    assert explorer.locator("[data-shown]").inner_text() == f"{accepts} shown"
    explorer.locator("[data-kind]").select_option("both kinds")
    name = rows.nth(3).locator("td").nth(2).inner_text().split("\n")[0]
    explorer.locator("[data-search]").fill(name.upper())
    shown = rows.locator("visible=true")
    assert 0 < shown.count() <= rejects + accepts
    assert all(name in text for text in shown.all_inner_texts())
    explorer.locator("[data-search]").fill("")
    explorer.locator("[data-sort]").select_option("blurriest first")
    values = [float(value) for value in rows.evaluate_all("all => all.map(one => one.dataset.sharpness)")]
    assert values == sorted(values)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_no_accessibility_violation(browser: Browser, address: str, scheme: str) -> None:
    tab = opened(browser, address, 768, scheme)
    assert [one["id"] for one in Axe().run(tab).response["violations"]] == []
    tab.close()
