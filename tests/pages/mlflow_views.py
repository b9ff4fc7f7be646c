"""MLflow's own views of runs beside each other and of models, operated as a person would."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page

_TRAININGS = "workflowType=machine_learning"
_NO_ASSISTANT = """
localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true');
localStorage.setItem('mlflow.assistant.panelOpen_v1', 'false');
"""
_PATIENCE_MS = 60_000
_DRAW_MS = 3000


@contextmanager
def compared_runs(
    browser: Browser,
    server: str,
    runs: Sequence[str],
    params: Sequence[str],
    metrics: Sequence[str],
) -> Iterator[Page]:
    """The view of runs beside each other, with these parameters and metrics as parallel coordinates."""
    query = urlencode({"runs": json.dumps(list(runs)), "experiments": '["1"]'})
    with _page(browser, f"{server}/#/compare-runs?{query}&{_TRAININGS}", f"Comparing {len(runs)} Runs") as page:
        page.set_viewport_size({"width": 1400, "height": 960})
        page.get_by_text("Clear All").click()
        for number, names in enumerate((params, metrics), 1):
            page.locator(f"#dubois-select-{number}").click()
            for name in names:
                _choose(page, name)
            page.keyboard.press("Escape")
        page.wait_for_timeout(_DRAW_MS)
        yield page


@contextmanager
def curves(browser: Browser, server: str, runs: Sequence[str], metric: str) -> Iterator[Page]:
    """The page of one metric over the epochs of several runs."""
    chosen = {"runs": json.dumps(list(runs)), "metric": json.dumps(metric), "experiments": '["1"]'}
    query = urlencode(chosen | {"plot_metric_keys": json.dumps([metric])})
    with _page(browser, f"{server}/#/metric?{query}&{_TRAININGS}", metric) as page:
        page.set_viewport_size({"width": 1400, "height": 800})
        page.get_by_text("Step", exact=True).click()  # rather than the time
        page.wait_for_timeout(_DRAW_MS)
        yield page


@contextmanager
def models(browser: Browser, server: str) -> Iterator[Page]:
    """The page of models of the first experiment."""
    with _page(browser, f"{server}/#/experiments/1/models?{_TRAININGS}", "Source run") as page:
        page.set_viewport_size({"width": 1900, "height": 420})
        page.wait_for_timeout(_DRAW_MS)
        yield page


@contextmanager
def _page(browser: Browser, address: str, text: str) -> Iterator[Page]:
    context = browser.new_context()
    context.add_init_script(_NO_ASSISTANT)  # its panel opens by itself once, over the right third of the page
    page = context.new_page()
    try:
        page.goto(address)
        page.get_by_text(text).first.wait_for(timeout=_PATIENCE_MS)
        yield page
    finally:
        context.close()


def _choose(page: Page, name: str) -> None:
    """Chooses from a list that holds only the entries in sight."""
    dropdown = page.locator("[class*=select-dropdown]:visible").last
    entry = dropdown.get_by_text(name, exact=True)
    dropdown.hover()
    for _ in range(40):
        if entry.count():
            break
        page.mouse.wheel(0, 100)
        page.wait_for_timeout(150)
    entry.last.click()
