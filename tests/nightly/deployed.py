"""The flow as it is left alone: `make nightly`, or a worker of a process pool; and the API that the page uses."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from likeness.nightly.params import read_nightly
from likeness.nightly.prefect_server import healthy
from tests.nightly.toy_project import ROOT, environment, prefect_server, processes_in, wait_until

LOGINS: dict[str, str] = {}
"""Of the servers that ask for one, by address."""


@contextmanager
def serving(project: Path, folder: Path) -> Iterator[Path]:
    """`make nightly` until the block ends, then SIGTERM; yields its log."""
    log = folder / f"serve-{time.time_ns()}.log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipelines.nightly", "serve"],
            cwd=project,
            env=environment(PREFECT_HOME=str(folder / "home")),
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(120)


@contextmanager
def served(project: Path, folder: Path) -> Iterator[str]:
    """`make nightly`; yields its API's address."""
    url = f"http://127.0.0.1:{read_nightly(project / 'params.yaml').port}/api"
    with serving(project, folder):
        wait_until(lambda: healthy(url), 400, "the server answers")
        assert ask(url.removesuffix("/api"), "ui-settings")["api_url"] == url, "the page asks another server"
        LOGINS[url] = (project / ".likeness" / "prefect-login").read_text()
        yield url


@contextmanager
def pooled(project: Path, folder: Path) -> Iterator[str]:
    """The deployment of prefect.yaml: a server, a process pool, a worker; yields the API's address."""
    shutil.copy(ROOT / "prefect.yaml", project)
    with prefect_server(folder / "home") as url:
        environ = environment(
            PREFECT_API_URL=url, PREFECT_HOME=str(folder / "home"), LIKENESS_PROJECT=str(project)
        )
        prefect = [sys.executable, "-m", "prefect"]
        deploy = [sys.executable, "-m", "pipelines.nightly", "deploy"]
        for command in ([*prefect, *["work-pool", "create", "likeness", "--type", "process"]], deploy):
            subprocess.run(command, cwd=project, env=environ, capture_output=True, check=True)
        with (folder / "worker.log").open("w") as log:
            worker = subprocess.Popen(
                [*prefect, "worker", "start", "--pool", "likeness"],
                cwd=folder,
                env=environ,
                stdout=log,
                stderr=log,
            )
            try:
                yield url
            finally:
                worker.send_signal(signal.SIGTERM)
                worker.wait(120)


def begin_run(url: str) -> str:
    deployment = ask(url, "deployments/name/retrain/nightly")
    return str(ask(url, f"deployments/{deployment['id']}/create_flow_run", {})["id"])


def state_of(url: str, flow_run: str, final: str) -> dict[str, Any]:
    """The state of a run once it is of this type."""
    wait_until(lambda: ask(url, f"flow_runs/{flow_run}")["state"]["type"] == final, 400, final)
    return dict(ask(url, f"flow_runs/{flow_run}")["state"])


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the API answers, None if there is no such thing."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    if url in LOGINS:
        headers["Authorization"] = "Basic " + base64.b64encode(LOGINS[url].encode()).decode()
        if data is not None:
            token = ask(url, "csrf-token?client=tests")["token"]
            headers |= {"Prefect-Csrf-Client": "tests", "Prefect-Csrf-Token": token}
    status, _, content = send_request(urllib.request.Request(f"{url}/{path}", data, headers))
    if status == 404:
        return None
    assert status < 400, f"{path}: HTTP {status}"
    return content


def send_request(request: urllib.request.Request) -> tuple[int, Mapping[str, str], Any]:
    """Status, headers and JSON content (None of an error) of the server's answer.

    While its SQLite database is locked, Prefect's server answers 503 and asks to try again. Its own client does;
    so does this one, for a minute.
    """
    last_try = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            if error.code != 503 or time.monotonic() > last_try:
                return error.code, error.headers, None
        time.sleep(1)


def commands_in(project: Path) -> list[list[str]]:
    found = []
    for process in processes_in(project):
        with suppress(psutil.Error):
            found.append(process.cmdline())
    return found


def stages_in(project: Path) -> list[list[str]]:
    return [command for command in commands_in(project) if "stage.py" in " ".join(command)]
