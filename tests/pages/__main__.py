"""Renders every page of a project at three widths and on paper, in light and dark; writes a contact sheet.

    python -m tests.pages [--project FOLDER] [--out pages] [--only report ...]

What stages have not written yet is left out. Exit code 1 if a page asks a host outside, or if one that
this project writes has an accessibility violation (axe), or an element that is clipped or overflows.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browsing import CHROMIUM, QUIET
from tests.pages.checking import View, views
from tests.pages.sheet import write_sheet
from tests.pages.sites import Site, files_of, running, servers_of


def render(browser: Browser, project: Path, out: Path, only: set[str]) -> list[View]:
    """Every view of every page whose name begins with one of `only`; of all pages where that is empty."""
    found = []
    for site in _sites(project, out, only):
        print(site.name, end=" ", flush=True)
        for view in views(browser, site, out):
            print("." if not view.faults else "F", end="", flush=True)
            found.append(view)
        print()
    return found


def _sites(project: Path, out: Path, only: set[str]) -> Iterator[Site]:
    yield from (site for site in files_of(project) if _wanted(site.name, only))
    for server in servers_of(project):
        wanted = _wanted(server.name, only)
        with running(server, project, out / f"{server.name}.log") if wanted else nullcontext():
            yield from server.sites() if wanted else ()


def _wanted(name: str, only: set[str]) -> bool:
    return not only or name in only


def main() -> int:
    parser = argparse.ArgumentParser(description="Renders and checks every page of a project.")
    parser.add_argument("--project", type=Path, default=Path(), help="folder with the results of `make run`")
    parser.add_argument("--out", type=Path, default=Path("pages"), help="folder of the pictures")
    parser.add_argument("--only", nargs="*", default=[], help="names such as report, mlflow, service")
    asked = parser.parse_args()
    if CHROMIUM is None:
        print("no Chromium on this machine: install the package chromium", file=sys.stderr)
        return 2
    out = asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        found = render(browser, asked.project.resolve(), out, set(asked.only))
        sheet = write_sheet(browser, found, out)
        browser.close()
    faulty = [view for view in found if view.faults]
    for view in faulty:
        print(f"{view.site.name}, {view.label}: {'; '.join(view.faults)}")
    print(f"{len(found)} views, {len(faulty)} with faults: {sheet}")
    return 1 if faulty or not found else 0


if __name__ == "__main__":
    sys.exit(main())
