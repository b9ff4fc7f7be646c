"""The pages of a project: files that stages have written, and pages of servers that are started for the time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from likeness.nightly.params import read_nightly
from tests.browsing import wait_for
from tests.nightly.toy_project import free_port

BIN = Path(sys.executable).parent
_FILES = {
    "report": "reports/report.html",
    "validation": "reports/validation/docs/index.html",
    "nightly": "reports/nightly-runs.html",
    "plots": "dvc_plots/index.html",
    "documentation": "docs/_build/html/index.html",
    "tutorial": "docs/_build/html/tutorial.html",
    "configuration": "docs/_build/html/reference/configuration.html",
}


@dataclass(frozen=True)
class Site:
    """A page.

    Attributes:
        name: of its pictures.
        address: file or http.
        own: whether this project writes it: pages of MLflow and Prefect are looked at, but only requests to
            outside are faults there.
        login: what a field for a password is filled with.
    """

    name: str
    address: str
    own: bool = True
    login: str = ""


@dataclass(frozen=True)
class Server:
    """A server, the pages that it shows, and the address that answers once it runs."""

    name: str
    command: list[str]
    ready: str
    pages: Mapping[str, str]
    own: bool
    secret: Path | None = None
    environ: Mapping[str, str] = field(default_factory=dict)

    def sites(self) -> list[Site]:
        """Its pages, once it runs."""
        secret = self.secret.read_text() if self.secret else ""
        return [
            Site(f"{self.name} {page}".strip(), address.replace("{secret}", secret), self.own, secret)
            for page, address in self.pages.items()
        ]


def files_of(project: Path) -> list[Site]:
    """The pages that are in the project as files."""
    return [Site(name, (project / path).as_uri()) for name, path in _FILES.items() if (project / path).exists()]


def servers_of(project: Path) -> list[Server]:
    """MLflow, the service with the project's model, and the scheduler, each on a port of its own."""
    mlflow, service = (f"http://127.0.0.1:{port}" for port in (free_port(), free_port()))
    scheduler = f"http://127.0.0.1:{read_nightly(project / 'params.yaml').port}"
    found = [
        Server(
            "mlflow",
            ["make", "ui", "-o", ".venv/.installed"],
            f"{mlflow}/health",
            {"": f"{mlflow}/", "runs": f"{mlflow}/#/experiments/1", "models": f"{mlflow}/#/models"},
            own=False,
            environ={"MLFLOW_PORT": mlflow.rpartition(":")[2]},
        ),
        Server(
            "scheduler",
            [sys.executable, "-m", "pipelines.nightly", "serve"],
            f"{scheduler}/api/health",
            {page: f"{scheduler}/{page}" for page in ("dashboard", "runs", "deployments")},
            own=False,
            secret=project / ".likeness" / "prefect-login",
        ),
    ]
    if (project / "models" / "model").is_dir():
        command = [str(BIN / "likeness"), "serve", "--model", "models/model"]
        found.append(
            Server(
                "service",
                [*command, "--port", service.rpartition(":")[2]],
                f"{service}/health",
                {"": f"{service}/?token={{secret}}"},
                own=True,
                secret=project / ".likeness" / "service-token",
            )
        )
    return found


@contextmanager
def running(server: Server, project: Path, log: Path) -> Iterator[None]:
    """The server, until the block ends; what it prints is in the log."""
    environ = os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"} | dict(server.environ)
    with log.open("w") as stream:
        process = subprocess.Popen(server.command, cwd=project, env=environ, stdout=stream, stderr=stream)
        try:
            wait_for(server.ready, process)
            yield
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    processes = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    for one in processes:
        if one.is_running():
            one.terminate()
    _, alive = psutil.wait_procs(processes, 60)
    for one in alive:
        one.kill()
    process.wait(10)
