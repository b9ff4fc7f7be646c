"""The pages that the documentation shows: the service, the nightly runs, and a nightly run in Prefect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs
from likeness.reporting.nightly_runs import write_page
from tests.browsing import CHROMIUM, OWN, QUIET
from tests.data.pictures import jpeg, write_folder
from tests.nightly.toy_project import ROOT, free_port, prefect_server, start_run, toy_project
from tests.pages.pictures import picture
from tests.pages.sites import BIN, Server, running

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")]
MODEL = ROOT / "pretrained" / "arcface-lfw"  # with weights, which a heat map needs
BEGINNING = ["promoted", "nothing-to-do", "kept", "nothing-to-do", "bad-batch", "kept", "refused"]
MIDDLE = ["promoted", "nothing-to-do", "kept", "killed", "kept", "promoted", "nothing-to-do", "drift"]
OUTCOMES = [*BEGINNING, *MIDDLE, "nothing-to-do", "kept", "refused", "kept", "promoted", "nothing-to-do", "kept"]
GAINS = {"promoted": 0.03, "kept": -0.012, "refused": 0.025}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def three_weeks() -> list[NightlyRun]:
    """Nightly runs with every kind of end, whose champion gets better."""
    start, version, champion, accuracy = datetime(2026, 11, 5, 2, tzinfo=UTC), 0, 0, 0.78
    runs = []
    for number, outcome in enumerate(OUTCOMES):
        run = NightlyRun((start + timedelta(number)).isoformat(), outcome, f"An example of {outcome}.", 4.0)
        if outcome in GAINS:
            version += 1
            found = accuracy + GAINS[outcome]
            if outcome == "promoted":
                champion, accuracy = version, found
            run = replace(
                run, seconds=750.0 + 11 * number, trained=True, fingerprint=f"{number:02x}9c41d0",
                challenger=version, champion=champion, challenger_accuracy=found, champion_accuracy=accuracy,
                challenger_interval=(found - 0.027, found + 0.025),
                champion_interval=(accuracy - 0.027, accuracy + 0.025),
                batch={"merged": 12 + number, "quarantined": number % 3, "waiting": number % 2},
            )  # fmt: skip
        elif outcome == "bad-batch":
            run = replace(run, batch={"merged": 0, "quarantined": 2})
        runs.append(run)
    return runs


def test_the_page_of_nightly_runs(browser: Browser, tmp_path: Path) -> None:
    write_page(three_weeks(), tmp_path / "nightly-runs.html")
    page = browser.new_page(viewport={"width": 1040, "height": 1250})
    page.goto((tmp_path / "nightly-runs.html").as_uri())
    expect(page.get_by_role("heading", level=2)).to_have_text(
        ["The champion over time", "Champions", "Run by run"]
    )
    expect(page.get_by_role("heading", level=1)).to_have_text("Likeness: nightly runs")
    picture(page, "nightly-runs.png")
    page.close()


def test_the_service_compares_two_drawn_faces(browser: Browser, tmp_path: Path) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    secret = tmp_path / ".likeness" / "service-token"
    command = [str(BIN / "likeness"), "serve", "--model", str(MODEL), "--port", address.rpartition(":")[2]]
    server = Server("service", command, f"{address}/health", {}, own=True, secret=secret)
    with running(server, tmp_path, tmp_path / "log.txt"):
        page = browser.new_page(viewport={"width": 1000, "height": 1180})
        page.goto(f"{address}/?token={secret.read_text()}")
        page.get_by_role("button", name="Try two drawn faces").click()
        expect(page.locator("#compare .verdict")).to_contain_text("%", timeout=60_000)
        page.locator("#compare input[type=range]").last.fill("60", timeout=60_000)  # the heat map has arrived
        picture(page, "service.png")
        page.close()


def test_prefect_names_a_run_by_what_it_does_and_asks_nobody_outside(browser: Browser, tmp_path: Path) -> None:
    project = toy_project(tmp_path / "project")
    write_folder(project / "data" / "incoming", {"Ann/1.jpg": jpeg(1), "Bo/2.jpg": jpeg(2)})
    with prefect_server(tmp_path / "home") as url:
        log = start_run(project, url, tmp_path / "home").communicate(timeout=300)[0]
        (record,) = read_nightly_runs(project / "reports" / "nightly")
        assert record.batch["merged"] == 2, log
        asked: list[str] = []
        page = browser.new_page(viewport={"width": 1300, "height": 990}, color_scheme="light")
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{url.removesuffix('/api')}/runs/flow-run/{record.flow_run}")
        title = re.compile(r"retrain \d{4}-\d\d-\d\d: 2 new photographs")
        expect(page.get_by_text(title).first).to_be_visible(timeout=60_000)
        page.wait_for_timeout(4000)  # the time line is drawn
        picture(page, "nightly-run.png")
        page.close()
    assert [address for address in asked if (urlsplit(address).hostname or "") not in OWN] == []
