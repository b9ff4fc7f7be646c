"""Starts a server, opens pages in a real browser, and prints which hosts the pages asked: run inside `record`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# Chromium itself asks its maker for updates: these names never reach the name server, others do.
_MAKERS = ("clients2.google.com", "update.googleapis.com", "redirector.gvt1.com", "accounts.google.com")
QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--disable-client-side-phishing-detection",
    "--disable-features=OptimizationHints,MediaRouter,AutofillServerCommunication",
    "--host-resolver-rules=" + ",".join(f"MAP {name} 127.0.0.1" for name in _MAKERS),
)
OWN = ("127.0.0.1", "localhost", "")
_START_SECONDS = 300


def main(plan: dict[str, Any]) -> dict[str, Any]:
    """Visits pages.

    Args:
        plan: `pages`, addresses; `chromium`; `server`, a command, with `ready`, an address that answers once it
            runs; `login`, a file whose content the page asks for; `token`, a file that the address ends with.
    """
    server = subprocess.Popen(plan["server"]) if plan.get("server") else None
    try:
        if server is not None:
            wait_for(plan["ready"], server)
        return _visit(plan)
    finally:
        if server is not None:
            server.terminate()
            server.wait(60)


def _visit(plan: dict[str, Any]) -> dict[str, Any]:
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    shown: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=plan["chromium"], args=list(QUIET))
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        for address in plan["pages"]:
            ending = Path(plan["token"]).read_text() if plan.get("token") else ""
            page.goto(address + ending, wait_until="load")
            page.wait_for_timeout(4000)
            password = page.locator("input[type=password]")
            if plan.get("login") and password.count():
                password.first.fill(Path(plan["login"]).read_text())
                page.keyboard.press("Enter")
                page.wait_for_timeout(4000)
            shown.append(page.locator("body").inner_text())
        browser.close()
    foreign = [url for url in asked if (urlsplit(url).hostname or "") not in OWN]
    return {"asked": len(asked), "foreign": foreign, "shown": shown}


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until a server answers at an address.

    Raises:
        SystemExit: it ended, or has not answered in time.
    """
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{address} does not answer")


if __name__ == "__main__":
    print("\n" + json.dumps(main(json.loads(sys.argv[1]))))
