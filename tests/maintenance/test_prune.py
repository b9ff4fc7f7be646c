"""`likeness prune` on a real store, a real cache and the scheduler's own layout of its database."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from likeness.cli import app
from likeness.errors import TrackingError
from likeness.maintenance.prune import Keep, plan
from likeness.maintenance.pruned_runs import data_steps
from likeness.models.card import WEIGHTS
from likeness.tracking.registry import Registry, resolve
from tests.maintenance.conftest import run, trained_on
from tests.tracking.conftest import git
from tests.tracking.samples import register, trained

pytestmark = pytest.mark.fault("A12")
OLD = "2020-01-01 00:00:00.000000"


def prune(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["prune", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output


def run_ids(registry: Registry) -> set[str]:
    return {one.info.run_id for one in registry.client.search_runs([registry._store.experiment_id("likeness")])}


@pytest.fixture
def registry(project: Path) -> Registry:
    """Four versions: the first and second have served, the third is the champion, the fourth the challenger."""
    registry = Registry.open()
    for seed in range(4):
        register(registry, trained(project / "outputs" / str(seed), seed, 0.8, log_model=True))
        if seed < 3:
            registry.promote(seed + 1, "a test")
    trained(project / "outputs" / "more", 9, 0.8)
    return registry


def test_a_dry_run_changes_nothing(registry: Registry) -> None:
    before = run_ids(registry)
    code, said = prune("--days", "0", "--runs", "0")
    assert code == 0
    assert "would be removed (say --yes)" in said
    assert "2 MLflow runs, with registered version 1" in said
    assert run_ids(registry) == before
    assert registry.versions.numbers() == {1, 2, 3, 4}


def test_old_runs_go_with_their_versions_and_what_is_needed_stays(registry: Registry, project: Path) -> None:
    binned = trained(project / "outputs" / "bin", 10, 0.8, log_model=True)
    registry.client.delete_run(json.loads((binned / "run.json").read_text())["run_id"])
    assert len(list((project / "mlartifacts").rglob(WEIGHTS))) == 5
    code, said = prune("--days", "0", "--runs", "0", "--yes")
    assert code == 0, said
    assert registry.versions.numbers() == {2, 3, 4}
    assert len(run_ids(registry)) == 3
    assert len(list((project / "mlartifacts").rglob(WEIGHTS))) == 3
    assert resolve("models:/likeness@champion").is_dir()
    assert len(registry.journal()) == 3
    assert registry.rollback("a look back").champion == 2


def test_a_rollback_never_takes_a_version_that_was_removed(registry: Registry) -> None:
    for version in ("1", "2"):
        registry.client.delete_model_version("likeness", version)
    with pytest.raises(TrackingError, match="nothing to roll back to"):
        registry.rollback("a look back")
    assert registry.champion() == 3


def test_copies_of_a_servers_versions_go_but_for_those_in_use(registry: Registry, project: Path) -> None:
    for number in range(1, 5):
        (project / ".likeness" / "versions" / f"likeness-{number}").mkdir(parents=True)
    code, said = prune("--yes")
    assert (code, "the copy of likeness-1 here" in said) == (0, True)
    left = {path.name for path in (project / ".likeness" / "versions").iterdir()}
    assert left == {"likeness-2", "likeness-3", "likeness-4"}


def test_what_is_young_or_among_the_newest_stays(registry: Registry) -> None:
    assert prune("--runs", "0") == (0, "nothing to remove\n")
    assert prune("--days", "0", "--runs", "5") == (0, "nothing to remove\n")


def test_runs_of_a_data_set_go_whatever_their_age_unless_they_serve(registry: Registry, project: Path) -> None:
    folder = trained_on(project, "d" * 64, 20)
    version = register(registry, folder)
    assert [step.what for step in data_steps(project, ["e" * 12])] == []
    code, said = prune("--data", "d" * 12, "--yes")
    assert (code, version in registry.versions.numbers()) == (0, False), said
    with pytest.raises(TrackingError, match="version 3, which serves, was trained on this data"):
        list(data_steps(project, ["f" * 12]))
    assert registry.versions.numbers() == {1, 2, 3, 4}


def test_experiments_and_cached_outputs_that_nothing_names_go(people: Path) -> None:
    """`people` has a data set in the cache; another one comes from an experiment that is old."""
    cached = set((people / ".dvc" / "cache").rglob("*"))
    (people / "more.txt").write_text("an output of an experiment")
    run(people, "dvc", "add", "-q", "more.txt")
    for name in ("more.txt", "more.txt.dvc"):
        (people / name).unlink()
    head = git(people, "rev-parse", "HEAD").strip()
    reference = f"refs/exps/{head[:2]}/{head[2:]}/old-try"
    tree = git(people, "rev-parse", "HEAD^{tree}").strip()
    dated = os.environ | {"GIT_COMMITTER_DATE": "2020-01-01T00:00:00Z"}
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    made = subprocess.run(
        ["git", *author, "commit-tree", tree, "-p", head, "-m", "x"],
        cwd=people, env=dated, check=True, capture_output=True, text=True,
    )  # fmt: skip
    git(people, "update-ref", reference, made.stdout.strip())
    _, said = prune()
    assert "DVC experiment old-try" in said
    assert "outputs in the DVC cache" in said
    assert git(people, "for-each-ref", "refs/exps") != ""
    code, said = prune("--yes")
    assert code == 0, said
    assert git(people, "for-each-ref", "refs/exps") == ""
    files = {path for path in cached if path.is_file()}
    assert {path for path in (people / ".dvc" / "cache").rglob("*") if path.is_file()} == files
    assert prune() == (0, "nothing to remove\n")


def test_records_and_logs_that_are_old_go(project: Path) -> None:
    nightly, logs = project / "reports" / "nightly", project / ".dvc" / "tmp" / "exps" / "run" / "x"
    for folder in (nightly, logs):
        folder.mkdir(parents=True)
    paths = [*(nightly / f"2020-01-0{day}.json" for day in range(1, 5)), logs / "x.log"]
    for path in paths:
        path.write_text("{}")
        os.utime(path, (0, 0))
    (nightly / "2021-01-01.json").write_text("{}")
    assert [step.what for step in plan(project, Keep(90, 2))] == [
        "records of 3 nightly runs", "1 logs of DVC's queue",
    ]  # fmt: skip
    for step in plan(project, Keep(90, 2)):
        step.remove()
    assert sorted(path.name for path in nightly.iterdir()) == ["2020-01-04.json", "2021-01-01.json"]


PREFECT = """
import asyncio
from prefect.server.database import provide_database_interface
asyncio.run(provide_database_interface().create_db())
"""


@pytest.mark.slow
def test_old_rows_of_the_schedulers_database_go(project: Path) -> None:
    home = project / ".likeness" / "prefect"
    home.mkdir(parents=True)
    url = f"sqlite+aiosqlite:///{home / 'prefect.db'}"
    variables = {"PREFECT_HOME": str(home), "PREFECT_API_DATABASE_CONNECTION_URL": url}
    subprocess.run([sys.executable, "-c", PREFECT], env=os.environ | variables, check=True, capture_output=True)
    with closing(sqlite3.connect(home / "prefect.db")) as database, database:
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("INSERT INTO flow (id, name) VALUES ('f', 'retrain')")
        for name, state, ended in (
            ("old", "COMPLETED", OLD),
            ("new", "FAILED", "2999-01-01"),
            ("now", "RUNNING", OLD),
        ):
            database.execute(
                "INSERT INTO flow_run (id, name, state_type, end_time, flow_id) VALUES (?, ?, ?, ?, 'f')",
                [name, name, state, ended],
            )
            database.execute(
                "INSERT INTO task_run (id, name, task_key, dynamic_key, flow_run_id) VALUES (?, ?, 'k', 'd', ?)",
                [f"{name}-task", name, name],
            )
            database.execute(
                "INSERT INTO log (name, level, flow_run_id, message, timestamp) VALUES ('x', 20, ?, ?, ?)",
                [name, "m" * 1000, ended],
            )
    (step,) = plan(project, Keep(90, 0))
    assert step.what == "old rows of the scheduler's database: 1 of flow_run, 2 of log"
    step.remove()
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        left = {
            table: {row[0] for row in database.execute(f"SELECT name FROM {table}")}
            for table in ("flow_run", "task_run")
        }
        assert left == {"flow_run": {"new", "now"}, "task_run": {"new", "now"}}
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert plan(project, Keep(90, 0)) == []


def test_a_folder_that_is_no_project_has_nothing_to_remove(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert prune("--yes") == (0, "nothing to remove\n")
    assert list(tmp_path.iterdir()) == []
