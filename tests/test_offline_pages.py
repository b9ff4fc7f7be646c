"""No page of ours, nor of a tool that we start, asks a host outside: seen by a name server and a browser."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from likeness.telemetry import SWITCHES
from tests.browsing import CHROMIUM
from tests.nightly.toy_project import free_port
from tests.pipelines.real_project import real_project
from tests.recording import NEEDS_NAMESPACES, Recorded, record

BROWSING = Path(__file__).with_name("browsing.py")
BIN = Path(sys.executable).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.attack("3"),
    NEEDS_NAMESPACES,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
]


def offline(command: list[Any], project: Path, home: Path, seconds: float, **variables: str) -> Recorded:
    """The command as a user runs it, in a namespace without a way out, with no switch set beforehand."""
    home.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([str(BIN), os.environ["PATH"]])
    environ = {"PATH": path, "PYTHONPATH": str(project / "src"), "OMP_NUM_THREADS": "1", **variables}
    unset = [*SWITCHES, "MLFLOW_TRACKING_URI", "PREFECT_API_URL", "LIKENESS_TOKEN"]
    return record([str(part) for part in command], project, home, seconds=seconds, unset=unset, environ=environ)


def browsed(project: Path, home: Path, plan: dict[str, Any], **variables: str) -> tuple[Recorded, dict[str, Any]]:
    """What opening pages asked for: names at the name server, and requests of the pages."""
    command = [sys.executable, BROWSING, json.dumps({"chromium": CHROMIUM, **plan})]
    found = offline(command, project, home, 400, **variables)
    assert found.code == 0, found.output[-3000:]
    said = [line for line in found.output.splitlines() if line.startswith('{"asked"')]  # beside the server's log
    return found, json.loads(said[-1])


@pytest.fixture(scope="module")
def nightly_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorded]:
    """A project after a nightly run with all its stages, and what that run asked for."""
    folder = tmp_path_factory.mktemp("offline")
    project = real_project(folder / "project", port=free_port())
    command = [sys.executable, "-m", "pipelines.nightly", "now"]
    return project, offline(command, project, folder / "home", 580)


def test_a_nightly_run_with_all_stages_asks_for_no_host(nightly_run: tuple[Path, Recorded]) -> None:
    _, found = nightly_run
    assert found.code == 0, found.output[-3000:]
    assert "Promoted: version 1" in found.output
    assert found.names == ()


def test_the_files_that_people_open_ask_for_no_host(nightly_run: tuple[Path, Recorded], tmp_path: Path) -> None:
    project, _ = nightly_run
    files = ("reports/report.html", "reports/validation/docs/index.html", "reports/nightly-runs.html")
    found, seen = browsed(project, tmp_path / "home", {"pages": [(project / file).as_uri() for file in files]})
    assert all(len(text) > 100 for text in seen["shown"])
    assert (found.names, seen["foreign"]) == ((), [])


def test_the_page_of_mlflow_asks_for_no_host(nightly_run: tuple[Path, Recorded], tmp_path: Path) -> None:
    project, _ = nightly_run
    shutil.copy(Path(__file__).parents[1] / "Makefile", project)
    if not (project / ".venv").exists():
        (project / ".venv").symlink_to(sys.prefix)
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    plan = {
        "server": ["make", "ui", "-o", ".venv/.installed"],
        "ready": f"{site}/health",
        "pages": [f"{site}/", f"{site}/#/experiments", f"{site}/#/models/likeness", f"{site}/#/settings"],
    }
    found, seen = browsed(project, tmp_path / "home", plan, MLFLOW_PORT=str(port))
    assert any("likeness" in text for text in seen["shown"]), seen["shown"]
    assert (found.names, seen["foreign"]) == ((), [])


def test_the_page_of_the_service_asks_for_no_host(nightly_run: tuple[Path, Recorded], tmp_path: Path) -> None:
    project, _ = nightly_run
    port = free_port()
    site = f"http://127.0.0.1:{port}"
    plan = {
        "server": [str(BIN / "likeness"), "serve", "--model", "models:/likeness@champion", "--port", str(port)],
        "ready": f"{site}/health",
        "pages": [f"{site}/?token="],
        "token": ".likeness/service-token",
    }
    found, seen = browsed(project, tmp_path / "home", plan)
    assert "Do two photographs show the same person?" in seen["shown"][0]
    assert (found.names, seen["foreign"]) == ((), [])


@pytest.mark.fault("B13")
def test_the_page_of_the_scheduler_asks_for_no_host(nightly_run: tuple[Path, Recorded], tmp_path: Path) -> None:
    project, _ = nightly_run
    found, seen = browsed(project, tmp_path / "home", scheduler(project))
    assert any("retrain" in text for text in seen["shown"]), seen["shown"]
    assert (found.names, seen["foreign"]) == ((), [])


@pytest.mark.fault("B13")
def test_the_second_page_of_the_scheduler_would(nightly_run: tuple[Path, Recorded], tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    project, _ = nightly_run
    plan = scheduler(project)
    plan["pages"] = [plan["pages"][0]]
    variables = {"PREFECT_SERVER_UI_V2_ENABLED": "true", "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "true"}
    found, seen = browsed(project, tmp_path / "home", plan, **variables)
    assert found.names or seen["foreign"]


def scheduler(project: Path) -> dict[str, Any]:
    """`make nightly` and the pages of its server."""
    from likeness.nightly.params import read_nightly

    site = f"http://127.0.0.1:{read_nightly(project / 'params.yaml').port}"
    return {
        "server": [sys.executable, "-m", "pipelines.nightly", "serve"],
        "ready": f"{site}/api/health",
        "pages": [f"{site}/{page}" for page in ("", "dashboard", "runs", "deployments", "flows", "settings")],
        "login": ".likeness/prefect-login",
    }
