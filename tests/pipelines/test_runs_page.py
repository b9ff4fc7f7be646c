"""`make ui` in real Chromium: the view of trainings, names of runs, columns, no request to outside."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import numpy as np
import pytest
from playwright.sync_api import Browser, sync_playwright

from likeness.artifacts.run_note import RUN_NOTE
from likeness.models.decision import fit_decision
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams, log_evaluation
from likeness.tracking.sweeps import tag_sweep
from tests.artifacts.samples import sample_metrics
from tests.browsing import CHROMIUM, OWN, QUIET
from tests.nightly.toy_project import ROOT, environment, free_port, wait_until
from tests.pages.mlflow_views import compared_runs, curves, models
from tests.pages.pictures import picture
from tests.tracking.samples import model_folder

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]
RECIPES = ("small", "arcface", "koch", "triplet-hard")
RATES, ACCURACIES = (2e-3, 1e-3, 5e-4, 1e-3), (0.7, 0.73, 0.71, 0.72)
DECISION = fit_decision(np.array([0.4, 0.5, -0.4, -0.5]), np.array([True, True, False, False]))
ARCFACE = "arcface · drawn · lr 1e-3 · seed 2"


SWEPT = {
    5e-5: 0.62,
    1e-4: 0.6,
    1e-3: 0.55,
}  # accuracy at the first epoch by learning rate; the first is the recipe's


def track_swept(folder: Path, rate: float) -> str:
    """A training of a sweep over the learning rate, as `make sweep` leaves it; returns the run's id."""
    changes = {} if rate == 5e-5 else {"train.learning_rate": (5e-5, rate)}
    title = RunTitle("koch", "drawn", "restricted", "A recipe", changes, "none")
    data = DatasetNote("drawn faces", "ab" * 32, "drawn")
    values = {"train": {"learning_rate": rate, "batch_size": 32, "epochs": 3}}
    with TrackedRun.start(TrackingParams(), title=title, values=values, dataset=data, folder=folder) as run:
        for epoch in (1, 2, 3):
            run.epoch({"epoch": epoch, "train_loss": 1 / epoch, "holdout_accuracy": SWEPT[rate] + epoch / 100})
        note = run.finish(None, {"seconds": 1.0})
    assert tag_sweep(note, {"sweep": "drawn", "sweep.parameters": "train.learning_rate"}, folder)
    assert run.run_id is not None
    return run.run_id


def track(folder: Path, recipe: str, place: int) -> str:
    """A training with its model and its evaluation; returns the run's id."""
    changes = {"train.learning_rate": (2e-3, 1e-3), "train.seed": (0, 2)} if recipe == "arcface" else {}
    data = DatasetNote("drawn faces", "ab" * 32, "drawn")
    title = RunTitle(recipe, "drawn", "restricted", "A recipe", changes, "none")
    values = {"train": {"seed": place, "epochs": 4 * place + 6, "learning_rate": RATES[place]}}
    with TrackedRun.start(TrackingParams(), title=title, values=values, dataset=data, folder=folder) as run:
        for epoch in (1, 2, 3):
            run.epoch({"epoch": epoch, "train_loss": 1 / epoch, "holdout_auc": 0.6 + epoch / 10})
        model = model_folder(folder / recipe, place, DECISION)
        RUN_NOTE.write(folder / "run.json", run.finish(model, {"seconds": 1.0}))
    log_evaluation(folder / "run.json", sample_metrics(ACCURACIES[place]), folder=folder)
    assert run.run_id is not None
    return run.run_id


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A project with four trainings of different recipes; their ids."""
    folder = tmp_path_factory.mktemp("tracked")
    (folder / ".dvc").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return folder, [track(folder, recipe, place) for place, recipe in enumerate(RECIPES)]


@pytest.fixture(scope="module")
def address(runs: tuple[Path, list[str]]) -> Iterator[str]:
    """What the program prints, once its server answers."""
    folder = runs[0]
    port = free_port()
    settings = environment(PYTHONPATH=f"{ROOT}:{ROOT / 'src'}", MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "MLFLOW_TRACKING_URI")
    settings = {key: value for key, value in settings.items() if key not in left_out}
    command = [sys.executable, "-m", "pipelines.group", sys.executable, "-m", "pipelines.runs_page"]
    log = folder / "log.txt"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=folder, env=settings, stdout=stream, stderr=stream
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield browser
        browser.close()


def test_the_printed_page_shows_names_and_columns_and_asks_nobody_outside(address: str, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 2400, "height": 900})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.get_by_text(ARCFACE).first.wait_for(timeout=60_000)
    text = page.locator("body").inner_text()
    page.close()
    assert "Model registry" in text, "the view of trainings, not that of language models"
    for expected in (*RECIPES, "test/accuracy", "test accuracy", "changes", "0.7300 (0.6800 to 0.7800)"):
        assert expected in text, expected
    assert [url for url in asked if (urlsplit(url).hostname or "") not in OWN] == []


def test_four_recipes_compare_by_name_parameters_and_accuracy(
    address: str, runs: tuple[Path, list[str]], browser: Browser
) -> None:
    server = address.partition("/#/")[0]
    params, metrics = ["train.learning_rate", "train.epochs"], ["test/accuracy", "test/auc"]
    with compared_runs(browser, server, runs[1], params, metrics) as page:
        text = page.locator("body").inner_text()
        axes = page.locator(".parcoords .axis-title").all_text_contents()
        picture(page, "compare-runs.png")
    assert axes == [*params, *metrics]
    for expected in ("Comparing 4 Runs from 1 Experiment", ARCFACE, *(f"{recipe} · drawn" for recipe in RECIPES)):
        assert expected in text, expected


def test_the_trainings_of_a_sweep_compare_by_what_was_varied(
    address: str, runs: tuple[Path, list[str]], browser: Browser
) -> None:
    """Parallel coordinates and curves say by the runs' own names which value each of them has."""
    swept = [track_swept(runs[0], rate) for rate in SWEPT]
    names = ["koch · drawn", "koch · drawn · lr 1e-4", "koch · drawn · lr 1e-3"]
    server = address.partition("/#/")[0]
    with compared_runs(browser, server, swept, ["train.learning_rate"], ["holdout/accuracy"]) as page:
        shown = page.locator("body").inner_text().splitlines()
        axes = page.locator(".parcoords .axis-title").all_text_contents()
        picture(page, "compare-sweep.png")
    assert axes == ["train.learning_rate", "holdout/accuracy"]
    assert set(names) <= set(shown)
    with curves(browser, server, swept, "holdout/accuracy") as page:
        legend = page.locator("body").inner_text()
    for name in names:
        assert f"{name} (holdout/accuracy)" in legend, name


def test_the_page_of_models_compares_their_accuracy(address: str, browser: Browser) -> None:
    with models(browser, address.partition("/#/")[0]) as page:
        text = page.locator("body").inner_text()
        picture(page, "compare-models.png")
    lines = text.splitlines()
    columns = ("Model name", "Source run", "Dataset", "test/accuracy", "test/accuracy_low", "test/accuracy_high")
    assert {*columns, *RECIPES, ARCFACE} <= set(lines)
    assert lines.count("Ready") == len(RECIPES)
    assert [line for line in lines if line in map(str, ACCURACIES)] == ["0.72", "0.71", "0.73", "0.7"]
