"""The store is found from wherever a stage runs, and a place that cannot be used is reported in a sentence."""

from __future__ import annotations

import logging
import socket
import sqlite3
from pathlib import Path

import pytest

from likeness.errors import TrackingError
from likeness.project import main_repository
from likeness.tracking.mlflow_store import connect, portable_uri, resolve_uri


def test_the_root_is_the_nearest_project(tmp_path: Path) -> None:
    (tmp_path / "outer" / ".git").mkdir(parents=True)
    inner = tmp_path / "outer" / "inner"
    (inner / ".dvc").mkdir(parents=True)
    (inner / "src").mkdir()
    assert main_repository(inner / "src") == inner
    assert main_repository(tmp_path / "outer") == tmp_path / "outer"


@pytest.mark.parametrize("place", ["standalone/tmpab12", "tmpab12", "celery/tmpab12/sub"])
def test_a_copy_that_an_experiment_runs_in_belongs_to_the_main_repository(tmp_path: Path, place: str) -> None:
    copy = tmp_path / ".dvc" / "tmp" / "exps" / place
    (copy / ".dvc").mkdir(parents=True)
    assert main_repository(copy) == tmp_path


def test_where_runs_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert resolve_uri(None, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"
    assert resolve_uri("sqlite:///runs/all.db", tmp_path) == f"sqlite:///{tmp_path}/runs/all.db"
    assert resolve_uri("sqlite:////srv/all.db", tmp_path) == "sqlite:////srv/all.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    assert resolve_uri(None, tmp_path) == "http://mlflow.example:5000"
    assert resolve_uri("sqlite:///mlflow.db", tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_what_is_written_down_holds_neither_this_machines_folder_nor_a_password(tmp_path: Path) -> None:
    assert portable_uri(f"sqlite:///{tmp_path}/mlflow.db", tmp_path) == "sqlite:///mlflow.db"
    assert portable_uri("sqlite:////srv/all.db", tmp_path) == "sqlite:////srv/all.db"
    assert portable_uri("https://ann:secret@mlflow.example:5000/x", tmp_path) == "https://mlflow.example:5000/x"


def test_connecting_leaves_the_programs_log_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    connect(None, project)
    assert (root.handlers[:], root.level) == before
    assert "Running upgrade" not in capsys.readouterr().err


def test_an_experiment_is_made_once_and_comes_back_from_the_bin(project: Path) -> None:
    store = connect(None, project)
    made = store.experiment_id("../a/b")
    assert store.client.get_experiment(made).artifact_location == f"file://{project}/mlartifacts/-a-b"
    store.client.delete_experiment(made)
    assert store.experiment_id("../a/b") == made
    assert store.client.get_experiment(made).lifecycle_stage == "active"


def test_a_file_that_is_no_database_is_reported_at_once(project: Path) -> None:
    (project / "mlflow.db").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(TrackingError, match=r"sqlite:///mlflow.db: file is not a database"):
        connect(None, project)


def test_a_folder_in_place_of_the_database_is_reported(project: Path) -> None:
    (project / "other.db").mkdir()
    with pytest.raises(TrackingError, match=r"other.db: file is not a database"):
        connect("sqlite:///other.db", project)


def test_a_locked_database_is_reported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.tracking.mlflow_store._PROBE_SECONDS", 0.1)
    with sqlite3.connect(project / "mlflow.db", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(TrackingError, match="database is locked"):
            connect(None, project)


def test_a_server_that_is_not_there_is_reported(project: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TrackingError, match=rf"127.0.0.1:{port}: .*refused"):
        connect(f"http://127.0.0.1:{port}", project)
