"""`make ui`: MLflow's page on this machine, opened at the runs of trainings with the columns that compare them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path

import typer

from likeness.errors import TrackingError
from likeness.operations import read_operations
from likeness.project import main_repository
from likeness.tracking.experiment_page import runs_address
from likeness.tracking.mlflow_store import TrackingParams, connect
from pipelines._stage import run

_START_SECONDS = 120


def main(port: int = typer.Option(5000, envvar="MLFLOW_PORT", help="Of the page.")) -> None:
    """Serves the page until it is stopped; says its address, and opens it where there is a screen."""
    server = f"http://127.0.0.1:{port}"
    address = _address(server, Path("params.yaml"))
    typer.echo(f"runs: {address}")
    if _has_screen():
        threading.Thread(target=_open, args=(server, address), daemon=True).start()
    command = [sys.executable, "-m", "mlflow", "ui", "--workers", "1", "--port", str(port)]
    raise SystemExit(subprocess.run(command, check=False).returncode)


def _address(server: str, params: Path) -> str:
    """Of the runs; that of the page alone where nothing is tracked yet."""
    try:
        tracking = read_operations(params, TrackingParams) if params.is_file() else TrackingParams()
        store = connect(tracking.uri, main_repository(Path.cwd()), create=False)
        return runs_address(server, store.experiment_id(tracking.experiment))
    except TrackingError:
        return server


def _has_screen() -> bool:
    return sys.platform in ("darwin", "win32") or any(
        os.environ.get(key) for key in ("DISPLAY", "WAYLAND_DISPLAY")
    )


def _open(server: str, address: str) -> None:
    """Opens a browser once the server answers."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{server}/health", timeout=2).close()
        except (OSError, urllib.error.URLError):
            time.sleep(0.5)
        else:
            webbrowser.open(address)
            return


if __name__ == "__main__":
    run(main)
