"""Pictures of pages for the documentation: `make pictures` has the tests write those that they look at."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page


def picture(page: Page, name: str) -> None:
    """Writes what a page shows to the folder that LIKENESS_PICTURES names; nothing where it is not set."""
    if folder := os.environ.get("LIKENESS_PICTURES"):
        page.screenshot(path=Path(folder) / name)
