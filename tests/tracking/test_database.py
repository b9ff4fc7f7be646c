"""A tracking database is whole or recognised as something else, whatever was killed, and can be repaired."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from likeness.doctor import examine, repair_databases
from likeness.errors import TrackingError
from likeness.tracking.database import state_of
from likeness.tracking.mlflow_store import connect
from likeness.tracking.registry import Registry
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams

CONNECT = "from pathlib import Path; from likeness.tracking.mlflow_store import connect; connect(None, Path.cwd())"
NOTE = DatasetNote("synthetic", "f" * 64, "lfwa.tar.gz")


def tables_of(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as database:
        return {name for (name,) in database.execute("select name from sqlite_master")}


def track(folder: Path) -> str | None:
    title = RunTitle("x", "y")
    with TrackedRun.start(TrackingParams(), title=title, values={}, dataset=NOTE, folder=folder) as run:
        return run.run_id


@pytest.fixture
def half_made(project: Path) -> Path:
    """What MLflow leaves when it is killed among its migrations."""
    with closing(sqlite3.connect(project / "mlflow.db")) as database:
        database.execute("update alembic_version set version_num = '451aebb31d03'")
        database.execute("drop table trace_info")
        database.commit()
    return project


@pytest.fixture
def older(project: Path) -> Path:
    """A database with a run, of an MLflow before this one."""
    assert track(project)
    with closing(sqlite3.connect(project / "mlflow.db")) as database:
        (database.execute("update alembic_version set version_num = '1b5f0d9ad7c1'"), database.commit())
    return project


@pytest.mark.attack("6")
@pytest.mark.parametrize("delay", [0.5, 1.5, 2.5, 3.5])
def test_killed_while_it_is_made_it_is_made_by_the_next(tmp_path: Path, delay: float) -> None:
    (tmp_path / ".git").mkdir()
    environ = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}
    process = subprocess.Popen([sys.executable, "-c", CONNECT], cwd=tmp_path, env=environ)
    time.sleep(delay)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert state_of(tmp_path / "mlflow.db") in ("absent", "whole")
    assert track(tmp_path) is not None


@pytest.mark.attack("6")
def test_a_half_made_one_is_recognised_and_repaired(half_made: Path) -> None:
    with pytest.raises(TrackingError, match=r"half-made.*likeness doctor --repair"):
        connect(None, half_made)
    (finding,) = [finding for finding in examine(half_made) if finding.subject == "tracking"]
    assert finding.status != "ok" or state_of(half_made / "mlflow.db") == "whole"
    done = repair_databases(half_made)
    assert "half-made" in done[0]
    assert (half_made / "mlflow.db.half-made-1").exists()
    assert track(half_made) is not None
    assert "nothing to repair" in repair_databases(half_made)[0]


@pytest.mark.attack("6")
@pytest.mark.parametrize("content", [b"<html>not found</html>" * 99, b"SQLite format 3\0" + bytes(5000)])
def test_a_damaged_one_is_recognised_and_repaired(project: Path, content: bytes) -> None:
    (project / "mlflow.db").write_bytes(content)
    with pytest.raises(TrackingError, match="likeness doctor --repair"):
        connect(None, project)
    assert "damaged" in repair_databases(project)[0]
    assert (project / "mlflow.db.damaged-1").read_bytes() == content
    assert track(project) is not None


@pytest.mark.attack("6")
def test_a_damaged_database_of_the_scheduler_is_set_aside(project: Path) -> None:
    path = project / ".likeness" / "prefect" / "prefect.db"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database" * 1000)
    assert "was damaged" in repair_databases(project)[1]
    assert not path.exists()
    assert "none yet" in repair_databases(project)[1]


@pytest.mark.fault("D30")
def test_one_of_another_version_is_left_alone_until_repair_is_asked_for(older: Path) -> None:
    before = (older / "mlflow.db").read_bytes()
    with pytest.raises(TrackingError, match="another version of MLflow"):
        connect(None, older)
    assert (older / "mlflow.db").read_bytes() == before


@pytest.mark.fault("D19")
def test_asking_for_a_registry_makes_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(TrackingError, match=r"mlflow.db: there is no tracking database here"):
        Registry.open()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("D25")
def test_a_project_may_have_any_name(
    empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "100 % sure, é's [1] #2?"
    (folder / ".git").mkdir(parents=True)
    shutil.copy(empty_database, folder / "mlflow.db")
    monkeypatch.chdir(folder)
    assert track(folder) is not None
    (folder / "mlflow.db").unlink()
    assert track(folder) is not None  # made there
    assert {path.name for path in folder.iterdir()} <= {".git", "mlflow.db", "mlflow.db.lock", "mlartifacts"}
