"""A registered version is made again from its commit, parameters and data, and compared bit by bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from likeness.errors import TrackingError
from likeness.experiments.reproduce import reproduce
from likeness.tracking.registry import Registry
from tests.pipelines.real_project import real_project
from tests.tracking.conftest import commit_all, empty_database, git, project  # noqa: F401
from tests.tracking.samples import register, trained

IGNORED = """
__pycache__/
/data/*
!/data/collected.json
/models/
/reports/*
!/reports/sweep.csv
/mlflow.db*
/mlartifacts/
/.likeness/
"""


def quiet(line: str) -> None:
    """Leaves the output of the stages out."""


def test_a_version_of_an_unrecorded_tree_is_refused(project: Path) -> None:  # noqa: F811
    (project / "code.py").write_text("changed")
    registry = Registry.open()
    version = register(registry, trained(project / "outputs" / "first", 0, 0.8))
    registry.promote(version, "a test")
    with pytest.raises(TrackingError, match=r"changes in code\.py that commit \w{12} does not hold"):
        reproduce(project, "models:/likeness@champion", quiet)
    assert "cannot be rebuilt" in registry.versions.of(version).description


def test_a_commit_that_is_not_here_is_named(project: Path) -> None:  # noqa: F811
    registry = Registry.open()
    version = register(registry, trained(project / "outputs" / "first", 0, 0.8))
    commit = git(project, "rev-parse", "HEAD").strip()
    registry.promote(version, "a test")
    assert f"`likeness reproduce models:/likeness/{version}`" in registry.versions.of(version).description
    (project / ".git").rename(project.parent / "away")
    git(project, "init", "-q")
    commit_all(project)
    (project / "other").write_text("another history")
    commit_all(project)
    git(project, "update-ref", "-d", "HEAD")
    git(project, "gc", "-q", "--prune=now")
    with pytest.raises(TrackingError, match=f"commit {commit} is not in this repository"):
        reproduce(project, f"models:/likeness/{version}", quiet)


@pytest.mark.slow
def test_a_version_with_changed_parameters_is_made_again_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = real_project(tmp_path / "project")
    (root / ".gitignore").write_text(IGNORED)
    commit_all(root)
    params = yaml.safe_load((root / "params.yaml").read_text())
    params["train"]["seed"] = 7  # as `dvc exp run -S train.seed=7` leaves it
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    tools = Path(sys.executable).parent
    environment = os.environ | {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": f"{root / 'src'}{os.pathsep}{root}",
    }
    for command in (["-m", "dvc", "repro", "evaluate"], ["-m", "pipelines.register"]):
        done = subprocess.run(
            [sys.executable, *command], cwd=root, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]

    found = reproduce(root, "models:/likeness/1", quiet)

    assert found.equal, found.differences
    assert list((root / ".dvc" / "tmp" / "exps").iterdir()) == []
    assert len(Registry.open(folder=root).client.search_runs(["1"])) == 1

    params["synthetic"]["seed"] = 1  # the version's own parameters count, not those of today
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    assert reproduce(root, "models:/likeness/1", quiet).equal
