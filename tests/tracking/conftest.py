"""A project folder for each test; the database is created once and copied, because creating one takes seconds."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from likeness.tracking.mlflow_store import connect
from tests.sharing import shared_folder


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = shared_folder(tmp_path_factory, "empty-store", lambda root: connect("sqlite:///mlflow.db", root))
    return made / "mlflow.db"


@pytest.fixture
def project(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A git repository with one commit and an empty store, the current folder of the test."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_EXP_NAME", raising=False)
    root = tmp_path / "project"
    (root / ".dvc").mkdir(parents=True)
    shutil.copy(empty_database, root / "mlflow.db")
    (root / ".gitignore").write_text("/mlflow.db*\n/mlartifacts/\n/outputs/\n")
    (root / "params.yaml").write_text("a: 1\n")
    (root / "dvc.lock").write_text("schema: '2.0'\n")
    git(root, "init", "-q")
    commit_all(root)
    monkeypatch.chdir(root)
    return root


def git(root: Path, *arguments: str) -> str:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = ["git", "-C", str(root), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def commit_all(root: Path) -> None:
    git(root, "add", "-A")
    git(root, "commit", "-qm", "all")
