"""A registered version is made again from its commit, parameters and data, and compared bit by bit."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from likeness.cli import app
from likeness.errors import DataError, TrackingError
from likeness.experiments.reproduce import reproduce
from likeness.files import file_sha256
from likeness.models.card import WEIGHTS
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


STAGES = """
stages:
  ingest: {cmd: python stage.py ingest, outs: [data/faces]}
  train: {cmd: python stage.py train, deps: [data/faces], outs: [models/model]}
"""
STAGE = """
import hashlib, pathlib, shutil, sys, yaml
from likeness.artifacts.source_card import SOURCE_CARD, SourceCard
params = yaml.safe_load(open("params.yaml"))
print("toy stage", sys.argv[1])
if sys.argv[1] == "ingest":
    digest = hashlib.sha256(pathlib.Path(params["mirror"]).read_bytes()).hexdigest()
    pathlib.Path("data/faces").mkdir(parents=True)
    card = SourceCard("folder", False, "none", "photographs", fingerprint=digest)
    SOURCE_CARD.write(pathlib.Path("data/faces/source.json"), card)
else:
    shutil.copytree(params["trained"], "models/model")
"""


@dataclass(frozen=True)
class Version:
    """A registered version of a project whose two stages are DVC's and do next to nothing.

    Attributes:
        uri: of the version.
        photographs: the file that its data are.
        trained: the model folder that its training results in.
    """

    uri: str
    photographs: Path
    trained: Path


@pytest.fixture
def version(project: Path, tmp_path: Path) -> Version:  # noqa: F811
    photographs, outcome = tmp_path / "photographs", tmp_path / "trained"
    photographs.write_text("those of that time")
    (project / "params.yaml").write_text(yaml.safe_dump({"mirror": str(photographs), "trained": str(outcome)}))
    (project / "dvc.yaml").write_text(STAGES)
    (project / "stage.py").write_text(STAGE)
    subprocess.run([sys.executable, "-m", "dvc", "init", "-q", "-f"], cwd=project, check=True)
    commit_all(project)
    fingerprint = hashlib.sha256(photographs.read_bytes()).hexdigest()
    made = trained(project / "outputs" / "first", 0, 0.8, fingerprint=fingerprint)
    shutil.copytree(made / "model", outcome)
    return Version(f"models:/likeness/{register(Registry.open(), made)}", photographs, outcome)


def worktrees(project: Path) -> list[Path]:  # noqa: F811
    return list((project / ".dvc" / "tmp" / "exps").glob("reproduce-*/version-1"))


def test_changed_data_are_named_before_anything_is_trained(project: Path, version: Version) -> None:  # noqa: F811
    version.photographs.write_text("one more")
    lines: list[str] = []
    expected = "version 1: the data changed: expected fingerprint [0-9a-f]{12}…, found [0-9a-f]{12}…"
    with pytest.raises(DataError, match=expected):
        reproduce(project, version.uri, lines.append)
    assert "toy stage ingest" in lines
    assert "toy stage train" not in lines
    assert worktrees(project) == []


@pytest.mark.slow
def test_the_command_answers_in_json_and_keeps_the_worktree(project: Path, version: Version) -> None:  # noqa: F811
    done = CliRunner().invoke(app, ["reproduce", version.uri, "--keep", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["equal"] is True
    assert answer["expected"] == answer["found"] == file_sha256(version.trained / WEIGHTS)
    assert (answer["version"], answer["differences"]) == (1, [])
    (place,) = worktrees(project)
    assert (place / "models" / "model" / WEIGHTS).is_file()
    assert str(place) in done.stderr


@pytest.mark.slow
def test_other_weights_are_exit_code_1_and_named(project: Path, version: Version) -> None:  # noqa: F811
    shutil.rmtree(version.trained)
    shutil.copytree(trained(project / "outputs" / "second", 1, 0.8) / "model", version.trained)
    done = CliRunner().invoke(app, ["reproduce", version.uri])
    assert done.exit_code == 1, done.output
    assert "weights" in done.stdout
    assert "expected" in done.stdout
    assert re.search(r"\d+ of \d+ tensors differ, by at most", done.stdout)
    assert worktrees(project) == []


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
