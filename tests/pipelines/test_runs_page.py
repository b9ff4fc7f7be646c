"""`make ui` in real Chromium: the view of trainings, names of runs, columns, no request to outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import sync_playwright

from likeness.artifacts.run_note import RUN_NOTE
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams, log_evaluation
from tests.artifacts.samples import sample_metrics
from tests.browsing import CHROMIUM, OWN, QUIET
from tests.nightly.toy_project import ROOT, environment, free_port, wait_until

RECIPES = ("small", "arcface", "koch", "triplet-hard")


def track(folder: Path, recipe: str, place: int) -> None:
    changes = {"train.learning_rate": (2e-3, 1e-3), "train.seed": (0, 2)} if recipe == "arcface" else {}
    data = DatasetNote("drawn faces", "ab" * 32, "drawn")
    title = RunTitle(recipe, "drawn", "restricted", "A recipe", changes, "none")
    values = {"train": {"seed": place, "epochs": 3}}
    with TrackedRun.start(TrackingParams(), title=title, values=values, dataset=data, folder=folder) as run:
        for epoch in (1, 2, 3):
            run.epoch({"epoch": epoch, "train_loss": 1 / epoch, "holdout_auc": 0.6 + epoch / 10})
        RUN_NOTE.write(folder / "run.json", run.finish(None, {"seconds": 1.0}))
    log_evaluation(folder / "run.json", sample_metrics(0.7 + place / 100), folder=folder)


@pytest.fixture
def address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """What the program prints, once its server answers."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / ".dvc").mkdir()
    for place, recipe in enumerate(RECIPES):
        track(tmp_path, recipe, place)
    port = free_port()
    settings = environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    settings = {key: value for key, value in settings.items() if key not in ("DISPLAY", "WAYLAND_DISPLAY")}
    command = [sys.executable, "-m", "pipelines.group", sys.executable, "-m", "pipelines.runs_page"]
    log = tmp_path / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=tmp_path, env=settings, stdout=stream, stderr=stream
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(answers, 120, "the page answers")
    (line,) = [line for line in log.read_text().splitlines() if line.startswith("runs: ")]
    yield line.removeprefix("runs: ")
    process.send_signal(signal.SIGTERM)
    process.wait(60)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_printed_page_shows_names_and_columns_and_asks_nobody_outside(address: str) -> None:
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 2400, "height": 900})
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.get_by_text("arcface · drawn · lr 1e-3 · seed 2").first.wait_for(timeout=60_000)
        text = page.locator("body").inner_text()
        browser.close()
    assert "Model registry" in text, "the view of trainings, not that of language models"
    for expected in (*RECIPES, "test/accuracy", "test accuracy", "changes", "0.7300 (0.6800 to 0.7800)"):
        assert expected in text, expected
    assert [url for url in asked if (urlsplit(url).hostname or "") not in OWN] == []
