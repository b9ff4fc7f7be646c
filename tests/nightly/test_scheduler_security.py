"""Nobody but the user who runs `make nightly` can make it run anything, and nothing but this checkout's flow."""

from __future__ import annotations

import base64
import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs
from tests.nightly.deployed import send_request, serving
from tests.nightly.toy_project import free_port, run, toy_project, wait_until

pytestmark = [pytest.mark.attack("1"), pytest.mark.slow]
FOREIGN = "https://elsewhere.example"
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}


@dataclass
class Scheduler:
    """A running `make nightly`."""

    project: Path
    database: Path
    url: str
    login: str

    def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Mapping[str, str], Any]:
        """Status, headers and content of an answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/{path}", data, {"Content-Type": "application/json"})
        request.method = method
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        return send_request(request)

    @property
    def authorised(self) -> dict[str, str]:
        return {"Authorization": "Basic " + base64.b64encode(self.login.encode()).decode()}

    def with_token(self) -> dict[str, str]:
        """The headers of a client that knows the login and asked for a CSRF token."""
        _, _, token = self.send("GET", "csrf-token?client=test", headers=self.authorised)
        return self.authorised | {"Prefect-Csrf-Client": "test", "Prefect-Csrf-Token": token["token"]}

    def start_run(self, **parameters: Any) -> NightlyRun:
        """Starts a run of the deployment; the record that it leaves.

        The record is written before the run has ended, and until then the next run would be cancelled.
        """
        records = self.project / "reports" / "nightly"
        before = len(read_nightly_runs(records))
        _, _, deployment = self.send("GET", "deployments/name/retrain/nightly", headers=self.authorised)
        body = {"parameters": parameters} if parameters else {}
        path = f"deployments/{deployment['id']}/create_flow_run"
        status, _, flow_run = self.send("POST", path, body, self.with_token())
        assert status == 201
        wait_until(lambda: self._state_of(flow_run["id"]) in ENDED, 300, "the run has ended")
        assert len(read_nightly_runs(records)) == before + 1
        return read_nightly_runs(records)[-1]

    def _state_of(self, flow_run: str) -> str:
        _, _, found = self.send("GET", f"flow_runs/{flow_run}", headers=self.authorised)
        return str(found["state"]["type"])


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scheduler]:
    folder = tmp_path_factory.mktemp("scheduler")
    port = free_port()
    project = toy_project(folder / "project", nightly={"port": port})
    run([sys.executable, "-m", "dvc", "repro", "-q"], project)
    with serving(project, folder) as log:
        wait_until(lambda: "stop with Ctrl-C" in log.read_text(), 180, f"the schedule is served: {log}")
        login = (project / ".likeness" / "prefect-login").read_text()
        assert login not in log.read_text()
        yield Scheduler(project, folder / "home" / "prefect.db", f"http://127.0.0.1:{port}/api", login)


def test_the_login_is_the_users_alone(scheduler: Scheduler) -> None:
    mode = (scheduler.project / ".likeness" / "prefect-login").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    commands = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert scheduler.login.partition(":")[2] not in commands


def test_it_listens_on_loopback_alone(scheduler: Scheduler) -> None:
    port = urlsplit(scheduler.url).port
    sockets = [one for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    assert {one.laddr.ip for one in sockets if one.laddr.port == port} == {"127.0.0.1"}


@pytest.mark.parametrize("headers", [{}, {"Origin": FOREIGN}, {"Host": "elsewhere.example", "Origin": FOREIGN}])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "admin/version"), ("POST", "deployments/filter"), ("PATCH", "deployments/x")],
)
def test_without_the_login_nothing_is_answered(
    scheduler: Scheduler, headers: dict[str, str], method: str, path: str
) -> None:
    refused = {401} if method == "GET" else {401, 403}
    assert scheduler.send(method, path, None, headers)[0] in refused
    wrong = headers | {"Authorization": "Basic " + base64.b64encode(b"likeness:guess").decode()}
    assert scheduler.send(method, path, None, wrong)[0] in refused


def test_no_other_page_may_read_an_answer_or_change_anything(scheduler: Scheduler) -> None:
    """Even if it knew the login: the browser keeps answers from it, and a change needs a token."""
    foreign = scheduler.authorised | {"Origin": FOREIGN}
    status, headers, _ = scheduler.send("GET", "admin/version", headers=foreign)
    assert status == 200
    assert headers.get("access-control-allow-origin") is None
    own = scheduler.authorised | {"Origin": scheduler.url.removesuffix("/api")}
    assert scheduler.send("GET", "admin/version", headers=own)[1]["access-control-allow-origin"] == own["Origin"]
    assert scheduler.send("POST", "deployments/filter", {}, foreign)[0] == 403


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv (util-linux)")
def test_another_user_can_neither_read_the_login_nor_use_the_server(scheduler: Scheduler) -> None:
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    read = subprocess.run([*nobody, "cat", scheduler.project / ".likeness" / "prefect-login"], capture_output=True)
    assert read.returncode != 0
    assert not read.stdout
    asked = [*nobody, "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"]
    found = subprocess.run([*asked, f"{scheduler.url}/admin/version"], capture_output=True, text=True)
    assert found.stdout == "401"


def test_a_run_as_deployed_is_carried_out(scheduler: Scheduler) -> None:
    """Else the refusals below would prove nothing."""
    assert scheduler.start_run().outcome == "nothing-to-do"


def test_a_deployment_altered_in_the_database_is_refused_and_recorded(scheduler: Scheduler) -> None:
    marker = scheduler.project / "marker"
    (scheduler.project / "evil.py").write_text(f"open({str(marker)!r}, 'w')")
    steps = [{"prefect.deployments.steps.run_shell_script": {"script": f"touch {marker}"}}]
    changes = {"pull_steps": json.dumps(steps), "entrypoint": "evil.retrain"}
    with sqlite3.connect(scheduler.database) as database:
        before = database.execute("select pull_steps, entrypoint from deployment").fetchone()
        database.execute("update deployment set pull_steps = ?, entrypoint = ?", list(changes.values()))
    try:
        record = scheduler.start_run()
    finally:
        with sqlite3.connect(scheduler.database) as database:
            database.execute("update deployment set pull_steps = ?, entrypoint = ?", before)
    assert record.outcome == "deployment-altered"
    assert all(name in record.line for name in changes)
    assert not marker.exists()


def test_a_run_for_another_folder_is_refused_and_recorded(scheduler: Scheduler, tmp_path: Path) -> None:
    record = scheduler.start_run(project=str(tmp_path))
    assert record.outcome == "deployment-altered"
    assert str(tmp_path) in record.line
    assert not any(tmp_path.iterdir())
