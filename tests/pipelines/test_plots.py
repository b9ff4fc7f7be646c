"""`dvc plots show` with the project's own plots: one curve a system, and no request to outside."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import sync_playwright

from tests.browsing import CHROMIUM
from tools import plots_page

ROOT = Path(__file__).parents[2]
SYSTEMS = ("network", "untrained network", "classical baseline")


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_results(folder: Path, better: float) -> None:
    """Small files behind every plot, of a model that is so much better than chance."""
    evaluation = folder / "reports" / "evaluation"
    curve = [(0.0, 0.1), (0.01, 0.4), (0.1, 0.7), (0.5, 0.9), (1.0, 1.0)]
    raised = [
        (system, fmr, tmr ** (1 + place - better)) for place, system in enumerate(SYSTEMS) for fmr, tmr in curve
    ]
    write(evaluation / "roc.csv", [{"system": system, "fmr": fmr, "tmr": tmr} for system, fmr, tmr in raised])
    write(evaluation / "det.csv", [{"system": system, "fmr": fmr, "fnmr": 1 - tmr} for system, fmr, tmr in raised])
    calibration = [{"mean_probability": p, "share_same": p, "pairs": 10} for p in (0.1, 0.5, 0.9)]
    write(evaluation / "calibration.csv", calibration)
    kinds = ("same person", "different people")
    bars = [
        {"kind": kind, "low": low, "high": low + 1, "pairs": 10 + low * (1 if kind == kinds[0] else -1)}
        for kind in kinds
        for low in range(5)
    ]
    write(evaluation / "scores.csv", bars)
    counts = [{"actual": a, "predicted": p, "pairs": 40 if a == p else 10} for a in kinds for p in kinds]
    write(evaluation / "confusion.csv", counts)
    names = ("train_loss", "holdout_loss", "holdout_accuracy", "holdout_auc")
    values = {name: 0.5 + place / 10 + better for place, name in enumerate(names)}
    write(folder / "reports" / "train" / "history.csv", [{"epoch": epoch, **values} for epoch in (1, 2, 3)])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the plots of dvc.yaml, and small files behind them."""
    folder = tmp_path_factory.mktemp("project")
    run(folder, "git", "init", "-q")
    shutil.copytree(ROOT / ".dvc" / "plots", folder / ".dvc" / "plots")
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc" / "config")
    plots = yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"plots": plots}))
    write_results(folder, better=0.0)
    run(folder, sys.executable, "-m", "dvc", "plots", "show", "--out", "plots")
    run(folder, "git", "add", "-A")
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    run(folder, "git", *identity, "commit", "-qm", "first")
    write_results(folder, better=0.3)
    run(folder, sys.executable, "-m", "dvc", "plots", "diff", "HEAD", "workspace", "--out", "compared")
    return folder


@pytest.mark.fault("B2")
@pytest.mark.parametrize("plot", ["ROC", "DET"])
def test_every_system_has_a_curve_of_its_own(project: Path, plot: str) -> None:
    shown = json.loads(run(project, sys.executable, "-m", "dvc", "plots", "show", "--json"))
    (definition,) = shown["data"][plot]
    content = definition["content"]
    assert content["encoding"]["color"]["field"] == "system"
    assert {row["system"] for row in content["data"]["values"]} == set(SYSTEMS)


def test_every_learning_curve_has_a_colour_of_its_own(project: Path) -> None:
    shown = json.loads(run(project, sys.executable, "-m", "dvc", "plots", "show", "--json"))
    (definition,) = shown["data"]["Loss by epoch"]
    content = definition["content"]
    colour = content["encoding"]["color"]["field"]
    assert {row[colour] for row in content["data"]["values"]} == {"train_loss", "holdout_loss"}


@pytest.mark.parametrize("plot", ["Scores of the test pairs", "Decisions on the test pairs"])
def test_two_commits_are_beside_each_other(project: Path, plot: str) -> None:
    shown = json.loads(run(project, sys.executable, "-m", "dvc", "plots", "diff", "HEAD", "workspace", "--json"))
    (definition,) = shown["data"][plot]
    content = definition["content"]
    assert content["facet"]["row"]["field"] == "rev"
    assert {row["rev"] for row in content["data"]["values"]} == {"HEAD", "workspace"}


@pytest.mark.fault("B2")
@pytest.mark.attack("3")
@pytest.mark.parametrize("folder", ["plots", "compared"])
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_the_page_draws_every_plot_without_a_request_to_outside(project: Path, folder: str) -> None:
    page_file = project / folder / "index.html"
    assert "cdn.jsdelivr.net" not in re.sub(
        r"<script type=\"module\">.*?</script>", "", page_file.read_text(), flags=re.S
    )
    requests: list[str] = []
    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1500})
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_file.as_uri())
        plots = yaml.safe_load((project / "dvc.yaml").read_text())["plots"]
        page.wait_for_function(
            f"document.querySelectorAll('.vega-embed :is(canvas, svg.marks)').length == {len(plots)}"
        )
        page.screenshot(path=str(project / f"{folder}.png"), full_page=True)
        browser.close()
    assert errors == []
    assert [url for url in requests if not url.startswith(("file:", "data:"))] == []


def test_the_page_is_what_its_program_writes() -> None:
    """Both hold the page's text; `python -m tools.plots_page` writes the one from the other."""
    text = (ROOT / ".dvc" / "plots" / "offline.html").read_text(encoding="utf-8")
    assert text == plots_page.page()
    assert [text.count(name) for name in ("{plot_divs}", "{refresh_tag}", "{scripts}")] == [1, 1, 0]
