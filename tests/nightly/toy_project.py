"""Projects in a temporary folder with real git and DVC, and a real Prefect server for them."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import yaml

from likeness.artifacts.gate_decision import GateDecision
from likeness.artifacts.metrics import METRICS as METRICS_FILE
from likeness.nightly.dvc import PREPARATION
from likeness.nightly.params import STAGES
from likeness.nightly.prefect_server import healthy
from likeness.telemetry import SWITCHES
from likeness.tracking.consistency import StageOutputs
from likeness.tracking.registry import Registry
from tests.data.tiny import tiny_faceset
from tests.tracking.samples import METRICS, trained

ROOT = Path(__file__).parents[2]
START_SECONDS = 180

STAGE_PROGRAM = '''
"""Does what params.yaml says of its stage: ok, sleep, an error of ours by its name, or a text to fail with."""
import pathlib, subprocess, sys, yaml
from likeness import errors
from pipelines._stage import run
name = sys.argv.pop(1)
do = yaml.safe_load(open("params.yaml"))["toy"][name]
print("toy stage", name, do, flush=True)
def main() -> None:
    error, _, message = do.partition(": ")
    if do == "sleep":
        # A child of its own, as the decoding processes of a real stage are.
        subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
    elif hasattr(errors, error):
        raise getattr(errors, error)(message)
    elif do == "full":
        raise OSError(28, "No space left on device")
    elif do != "ok":
        sys.exit(do)
    pathlib.Path("out").mkdir(exist_ok=True)
    pathlib.Path("out", name + ".txt").write_text(do)
run(main)
'''


def toy_project(folder: Path, nightly: Mapping[str, Any] | None = None, **toy: str) -> Path:
    """A project whose six stages are real DVC stages that do next to nothing, with a judged model."""
    folder.mkdir()
    (folder / "stage.py").write_text(STAGE_PROGRAM)
    stages = {
        name: {"cmd": f"python stage.py {name}", "params": [f"toy.{name}"], "outs": [f"out/{name}.txt"]}
        for name in STAGES
    }
    stages |= {name: {"cmd": "true", "always_changed": True} for name in PREPARATION}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    (folder / "data").mkdir()
    (folder / "data" / "collected.json").write_text('{"photographs": 0, "people": 0, "index_sha256": null}')
    shutil.copytree(ROOT / "pipelines", folder / "pipelines", ignore=shutil.ignore_patterns("__pycache__"))
    write_params(folder, nightly, **toy)
    shutil.copytree(judged_model(), folder, dirs_exist_ok=True)
    initialise(folder)
    return folder


@cache
def judged_model() -> Path:
    """Face set, model, evaluation, and a registry in which the gate has decided on them; made once and copied."""
    folder = Path(tempfile.mkdtemp(prefix="judged-"))
    atexit.register(shutil.rmtree, folder)
    faces, model, evaluation = (folder / name for name in ("data/faces", "models/model", "reports/evaluation"))
    outputs = StageOutputs(faces, model, evaluation, folder / "run.json")
    with contextlib.chdir(folder):
        trained(folder, seed=0, accuracy=0.8)
        model.parent.mkdir()
        (folder / "model").rename(model)
        tiny_faceset(faces, {"Ann": 2, "Bo": 2})
        evaluation.mkdir(parents=True)
        predictions = (folder / "predictions.parquet").rename(evaluation / "predictions.parquet")
        METRICS_FILE.write(evaluation / "metrics.json", METRICS)
        registry = Registry.open()
        version = registry.register(model, predictions, METRICS, outputs.run).version
        registry.record(GateDecision("promoted", "It clears the floor.", version, None, 2, ()))
    return folder


def write_params(folder: Path, nightly: Mapping[str, Any] | None = None, **toy: str) -> None:
    sections = {
        "data": {"source": "folder", "mirror": None, "crop": None, "size": [16, 12]},
        "validate": {"sharpness": [0, 60000]},
        "toy": dict.fromkeys(STAGES, "ok") | toy,
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(sections))
    operations = {
        "nightly": {"settle_seconds": 0, "free_gigabytes": 0, "lock_wait_minutes": 0.02, "grace_seconds": 10}
        | {"retry_seconds": [0.1]}
        | dict(nightly or {}),
    }
    (folder / "operations.yaml").write_text(yaml.safe_dump(operations))


def initialise(folder: Path) -> None:
    run(["git", "init", "-q"], folder)
    run([sys.executable, "-m", "dvc", "init", "-q"], folder)


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=True)


def environment(**more: str) -> dict[str, str]:
    binaries = str(Path(sys.executable).parent)
    quiet = {"DVC_NO_ANALYTICS": "1", "DO_NOT_TRACK": "1", "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    path = os.pathsep.join([binaries, os.environ["PATH"]])
    return os.environ | quiet | {"PATH": path, "OMP_NUM_THREADS": "1"} | more


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prefect_server(home: Path) -> Iterator[str]:
    """A real server on a free port of loopback with a database of its own; yields its API's address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    home.mkdir(parents=True, exist_ok=True)
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)],
            env=environment(PREFECT_HOME=str(home), PREFECT_SERVER_UI_API_URL=url) | SWITCHES,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        until = time.monotonic() + START_SECONDS
        while not healthy(url):
            assert server.poll() is None, (home / "server.log").read_text()
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.5)
        yield url
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


def start_run(folder: Path, url: str, home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Runs the flow once in a process of its own, with the project's own code where it has some."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines.nightly", "now", *arguments],
        cwd=folder,
        env=environment(PREFECT_API_URL=url, PREFECT_HOME=str(home), PYTHONPATH=str(folder / "src")),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def processes_in(folder: Path) -> list[psutil.Process]:
    """Every process that works in a folder and has not ended."""
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()) == folder and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return found


def wait_until(true: Any, seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.1)
