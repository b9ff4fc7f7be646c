"""The Prefect server of one machine: embedded, on loopback, its database in the project, no telemetry."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from likeness.errors import UnreachableError
from likeness.nightly.login import login_file, read_login
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.process import start_guarded, stop_guarded
from likeness.telemetry import disable_telemetry

_log = logging.getLogger(__name__)
HOST = "127.0.0.1"
START_SECONDS = 180.0
_ASK_SECONDS = 5.0
_GRACE = 15.0

_SETTINGS = {
    "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_CLI_PROMPT": "false",
}


def configure_prefect(paths: ProjectPaths) -> None:
    """Sets what Prefect reads when it is imported; variables that are set already stay."""
    disable_telemetry()
    for key, value in _SETTINGS.items():
        os.environ.setdefault(key, value)
    home = os.environ.setdefault("PREFECT_HOME", str(paths.root / ".likeness" / "prefect"))
    Path(home).mkdir(parents=True, exist_ok=True)  # Prefect makes no folder above it, and then has no database


def connect(paths: ProjectPaths, params: NightlyParams) -> bool:
    """Points Prefect to a server that answers: the environment's, else the embedded one of this machine.

    Returns:
        Whether one does. `ensure_server` starts one where none does, so that an unreachable server costs no run.
    """
    wanted = os.environ.pop("PREFECT_API_URL", "")
    if wanted.rstrip("/") == _address(params):
        wanted = ""
    if wanted and healthy(wanted):
        os.environ["PREFECT_API_URL"] = wanted
        return True
    if wanted:
        _log.warning(
            "the Prefect server %s does not answer; this run is recorded in %s", wanted, paths.state.parent
        )
    _use_login(paths)
    url = _address(params)
    if healthy(url):
        os.environ["PREFECT_API_URL"] = url
        return True
    return False


@contextmanager
def embedded_server(paths: ProjectPaths, params: NightlyParams) -> Iterator[None]:
    """A server while the block runs: the one that PREFECT_API_URL names, else one of our own on `params.port`.

    Raises:
        UnreachableError: it does not answer.
    """
    wanted = os.environ.get("PREFECT_API_URL")
    if wanted:
        _await(wanted, deque())
        yield
        return
    url = _address(params)
    if healthy(url):
        raise UnreachableError(
            f"{url}: a Prefect server answers already; end it, set nightly.port in operations.yaml to another "
            "port, or set PREFECT_API_URL to use it"
        )
    with _own_server(paths, params.port):
        _log.info("the page http://%s:%d asks for the login in %s", HOST, params.port, login_file(paths))
        yield


def ensure_server(paths: ProjectPaths, params: NightlyParams) -> None:
    """Makes sure that a server answers: one that runs already, else one of our own on a free port.

    That one ends last of all when this process does: Prefect, which must be imported after this, still sends it
    its events then. Prefect would start one too, but leaves it behind when this process is killed.

    Raises:
        UnreachableError: it does not answer.
    """
    if not connect(paths, params):
        server = ExitStack()
        server.enter_context(_own_server(paths, _free_port()))
        atexit.register(server.close)


@contextmanager
def _own_server(paths: ProjectPaths, port: int) -> Iterator[None]:
    url = f"http://{HOST}:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", HOST, "--port", str(port)]
    _use_login(paths)
    own = f"http://{HOST}:{port},http://localhost:{port}"
    environ = os.environ | {
        "PREFECT_SERVER_UI_API_URL": url,  # else its page asks port 4200
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": own,  # else any page may read what the server answers
    }
    server = start_guarded(command, folder=paths.root, grace=_GRACE, environ=environ)
    last: deque[str] = deque(maxlen=20)
    threading.Thread(target=lambda: last.extend(server.stdout or ()), daemon=True).start()
    try:
        _await(url, last, server)
        os.environ["PREFECT_API_URL"] = url
        yield
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        stop_guarded(server, _GRACE)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def healthy(url: str) -> bool:
    """Whether a Prefect API answers."""
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=_ASK_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _use_login(paths: ProjectPaths) -> None:
    """Gives the login to a server started from here and to its clients; never to a server of somebody else."""
    login = read_login(paths)
    for name in ("PREFECT_SERVER_API_AUTH_STRING", "PREFECT_API_AUTH_STRING"):
        os.environ[name] = login


def _address(params: NightlyParams) -> str:
    return f"http://{HOST}:{params.port}/api"


def _await(url: str, last: deque[str], server: subprocess.Popen[str] | None = None) -> None:
    until = time.monotonic() + START_SECONDS
    while not healthy(url):
        ended = server is not None and server.poll() is not None
        if ended or time.monotonic() > until:
            raise UnreachableError(f"{url}: no Prefect server answers. {''.join(last)}".strip())
        time.sleep(0.5)
