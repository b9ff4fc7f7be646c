"""The checks find what is wrong with a page, and nothing on one that is right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browsing import CHROMIUM, QUIET
from tests.pages.checking import WIDTHS, View, views
from tests.pages.sheet import write_sheet
from tests.pages.sites import Site

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
PAGE = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1>{}</main></html>"
RIGHT = "<p>A text.</p><div style='overflow-x:auto' tabindex=0><p style='width:300px'>Fits.</p></div>"
WRONG = {
    "overflows": "<div style='width:3000px'>wide</div>",
    "is clipped": "<div style='overflow:hidden;white-space:nowrap;width:50px'>a long line of text</div>",
    "is cut off on paper": "<div style='overflow-x:auto' tabindex=0><p style='width:3000px'>wide</p></div>",
    "image-alt": "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA='>",
    "asks http://elsewhere.example/a.png": "<img alt='' src='http://elsewhere.example/a.png'>",
    "script error": "<script>undefined.x</script>",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        launched.close()


def seen(browser: Browser, folder: Path, body: str) -> list[View]:
    path = folder / "page.html"
    path.write_text(PAGE.format(body))
    return list(views(browser, Site("page", path.as_uri()), folder))


def test_a_page_without_faults_is_shown_in_every_view(browser: Browser, tmp_path: Path) -> None:
    found = seen(browser, tmp_path, RIGHT)
    assert len(found) == 2 * (len(WIDTHS) + 1)
    assert [view.faults for view in found] == [()] * len(found)
    sheet = write_sheet(browser, found, tmp_path)
    assert all(view.picture.name in sheet.read_text() and view.picture.exists() for view in found)


def test_each_kind_of_fault_is_found(browser: Browser, tmp_path: Path) -> None:
    found = " ".join(fault for view in seen(browser, tmp_path, "".join(WRONG.values())) for fault in view.faults)
    assert [kind for kind in WRONG if kind not in found] == []
