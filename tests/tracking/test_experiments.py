"""A stage that DVC runs in a temporary copy of the project notes its run in the project's own store."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.tracking.conftest import commit_all

PROGRAM = """
from pathlib import Path
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams

assert ".dvc/tmp/exps" in Path.cwd().as_posix(), Path.cwd()
data = DatasetNote("tiny", "ab" * 32, "tiny.tar")
with TrackedRun.start(TrackingParams(), title=RunTitle("tiny", "drawn"), values={"a": 2}, dataset=data) as run:
    noted = run.finish(Path("model"), {})
Path("run.txt").write_text(noted.run_id + " " + noted.uri)
"""
PIPELINE = f"""
stages:
  train:
    cmd: {sys.executable} train.py
    deps: [train.py, model]
    params: [a]
    metrics: [run.txt: {{cache: false}}]
"""


def dvc(project: Path, *arguments: str) -> str:
    environment = {
        **os.environ,
        "DVC_NO_ANALYTICS": "1",
        "GIT_AUTHOR_NAME": "A",
        "GIT_AUTHOR_EMAIL": "a@example.org",
    }
    environment |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    command = [sys.executable, "-m", "dvc", *arguments]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def pipeline(project: Path) -> Path:
    (project / "dvc.lock").unlink()
    (project / ".dvc").rmdir()
    dvc(project, "init", "-q")
    (project / "train.py").write_text(PROGRAM)
    (project / "dvc.yaml").write_text(PIPELINE)
    (project / "model").mkdir()
    (project / "model" / "card.json").write_text("{}")
    (project / "model" / "weights.safetensors").write_bytes(b"weights")
    commit_all(project)
    return project


def test_an_experiment_in_a_temporary_folder_is_noted_in_the_project(pipeline: Path) -> None:
    dvc(pipeline, "exp", "run", "--temp", "-S", "a=22", "-n", "tiny-two")
    (run,) = MlflowClient(f"sqlite:///{pipeline}/mlflow.db").search_runs(["1"])
    assert run.info.status == "FINISHED"
    assert run.data.params == {"a": "2"}
    assert run.data.tags["dvc.experiment"] == "tiny-two"
    assert run.info.run_name == "tiny · drawn · tiny-two"
    assert run.data.tags["git.changed"] == "params.yaml"
    assert len(list((pipeline / "mlartifacts").glob("likeness/models/*/artifacts/data/model/card.json"))) == 1
    assert not list((pipeline / ".dvc" / "tmp" / "exps").glob("**/mlflow.db"))
