"""`make register` in a clone of a project, with the outputs that `dvc pull` brings."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from likeness.files import read_json
from likeness.tracking.registry import Registry
from tests.nightly.toy_project import environment, prefect_server, start_run
from tests.pipelines.real_project import real_project

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of a project whose stages ran elsewhere, with its outputs and without its tracking store."""
    folder = tmp_path_factory.mktemp("clone")
    project = real_project(folder / "project")
    (project / ".gitignore").write_text("/mlflow.db*\n/mlartifacts/\n__pycache__/\n/.likeness/\n")
    dvc, git = [sys.executable, "-m", "dvc"], ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (
        [*dvc, "repro", "-q"],
        [*dvc, "remote", "add", "-q", "-d", "beside", str(folder / "remote")],
        [*dvc, "push", "-q"],
        [*git, "add", "-A"],
        [*git, "commit", "-qm", "all"],
    ):
        run(command, project)
    run([*git, "clone", "-q", str(project), str(folder / "clone")], folder)
    run([*dvc, "pull", "-q"], folder / "clone")
    shutil.rmtree(project)
    return folder / "clone"


def run(command: list[str], folder: Path, *, check: bool = True) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=folder, env=environment(PYTHONPATH="src"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done


@pytest.mark.fault("A6", "D23")
def test_a_clone_registers_what_it_has_pulled(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    sound = clone / "models" / "model"
    kept = clone.parent / "kept"
    shutil.copytree(sound, kept)
    card = sound / "card.json"
    card.write_text(card.read_text().replace('"weights_sha256": "', '"weights_sha256": "0'))
    refused = run([sys.executable, "-m", "pipelines.register"], clone, check=False)
    assert refused.returncode == 2
    assert "models/model/weights.safetensors" in refused.stderr
    assert not (clone / "mlflow.db").exists()

    shutil.copy(kept / "card.json", card)
    done = run([sys.executable, "-m", "pipelines.register"], clone)
    assert "promoted" in done.stdout + done.stderr
    registry = Registry.open(folder=clone)
    version = registry.versions.of(1)
    logged = registry._store.client.get_run(version.run_id)
    assert logged.data.params["train.epochs"] == "2"
    assert "test/accuracy" in logged.data.metrics
    assert run([sys.executable, "-m", "dvc", "status", "train", "evaluate"], clone).stdout.count("modified") == 0


def test_a_refused_challenger_is_no_failure_and_serves_nobody(clone: Path, tmp_path: Path) -> None:
    """By `make register` and by `make nightly-now`, each with a registry of its own."""
    for name in ("by-hand", "nightly"):
        project = Path(
            shutil.copytree(clone, tmp_path / name, ignore=shutil.ignore_patterns("mlflow.db*", "mlartifacts"))
        )
        operations = yaml.safe_load((project / "operations.yaml").read_text())
        operations["gate"]["floor_margin"] = 1.0  # above the classical baseline: no accuracy reaches it
        (project / "operations.yaml").write_text(yaml.safe_dump(operations))
    run([sys.executable, "-m", "pipelines.register"], tmp_path / "by-hand")
    assert read_json(tmp_path / "by-hand" / "reports" / "gate" / "gate.json")["outcome"] == "refused"
    assert Registry.open(folder=tmp_path / "by-hand").champion() is None

    with prefect_server(tmp_path / "prefect") as url:
        nightly = start_run(tmp_path / "nightly", url, tmp_path / "prefect")
        said, _ = nightly.communicate(timeout=600)
    assert "Refused: version 1" in said
    assert nightly.returncode == 0
    assert Registry.open(folder=tmp_path / "nightly").champion() is None
