"""REST: a registered champion answers `mlflow models serve` requests, and no pickle is read."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from likeness.models.card import TOWER
from likeness.models.export import export_onnx
from likeness.models.weights import load_model
from likeness.tracking.registry import Registry
from tests.serving.pictures import png_bomb
from tests.tracking.samples import register, trained

_START_SECONDS = 120
_BUILD_SECONDS = 1200


def photograph(seed: int) -> str:
    grey = np.random.default_rng(seed).integers(0, 255, (250, 250), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def one_cut(photo: str) -> bytes:
    """The first half of a photograph's file."""
    whole = base64.b64decode(photo)
    return whole[: len(whole) // 2]


@contextmanager
def serving(project: Path, tmp_path: Path, *options: str, seconds: float = _START_SECONDS) -> Iterator[str]:
    """Address of a server of the champion, stopped with all its processes at the end."""
    registry, outputs = Registry.open(), trained(project / "outputs" / "first", 0, 0.8)
    loaded = load_model(outputs / "model")
    export_onnx(outputs / "model" / TOWER, loaded.siamese, loaded.card)
    registry.promote(register(registry, outputs), "a start")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tools = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": f"sqlite:///{project / 'mlflow.db'}",
        "MLFLOW_ENV_ROOT": str(tmp_path / "environments"),
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    command = ["mlflow", "models", "serve", "-m", "models:/likeness@champion", *options]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [tools / command[0], *command[1:], "--host", "127.0.0.1", "--port", str(port)],
            env=environment, cwd=tmp_path, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(address, server, tmp_path / "server.log", seconds)
            yield address
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait(30)


@pytest.fixture
def served(project: Path, tmp_path: Path) -> Iterator[str]:
    """Address of a server in the environment at hand."""
    with serving(project, tmp_path, "--env-manager", "local") as address:
        yield address


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/ping", timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"the server did not start:\n{log.read_text()[-3000:]}")


def ask(address: str, rows: list[dict[str, str]], **params: Any) -> list[dict[str, Any]]:
    body = json.dumps({"dataframe_records": rows, "params": params}).encode()
    request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        predictions = json.loads(answer.read())["predictions"]
    assert isinstance(predictions, list)
    return predictions


def test_two_photographs_in_base64_are_verified(served: str) -> None:
    one, other = photograph(1), photograph(2)
    rows = [{"first": one, "second": one}, {"first": one, "second": other}, {"first": one, "second": "no image!"}]
    same, different, broken = ask(served, rows, aligned=True)
    assert same["same"] is True
    assert same["score"] == pytest.approx(1.0, abs=1e-5)
    assert 0 <= different["probability"] <= same["probability"] <= 1
    assert different["error"] is None
    assert "base64" in broken["error"]
    assert broken["same"] is None

    hostile = {
        "announces": png_bomb(30_000, 3_000),
        "larger than 32 MB": bytes(40 << 20),
        "cut short": one_cut(one),
    }
    for said, content in hostile.items():
        (refused,) = ask(served, [{"first": base64.b64encode(content).decode(), "second": one}], aligned=True)
        assert said in refused["error"]
        assert refused["same"] is None

    (noise,) = ask(served, [{"first": one, "second": other}])
    assert "no face" in noise["error"].lower()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pyenv") is None, reason="MLflow's default manager of environments needs pyenv")
def test_the_default_manager_builds_an_environment_of_the_pinned_versions(project: Path, tmp_path: Path) -> None:
    """Needs a package index; what is built holds neither this project nor torch, and answers all the same."""
    with serving(project, tmp_path, seconds=_BUILD_SECONDS) as address:
        one = photograph(1)
        (same,) = ask(address, [{"first": one, "second": one}], aligned=True)
    assert same["same"] is True
    (packages,) = (tmp_path / "environments").glob("*/lib/python*/site-packages")
    assert (packages / "onnxruntime").is_dir()
    assert not [*packages.glob("likeness*"), *packages.glob("torch")]
