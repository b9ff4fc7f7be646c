"""dvc.lock belongs to the committed tree: DVC itself compares what it holds with the tracked files."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from dvc.repo import Repo

ROOT = Path(__file__).parents[2]
HELP = "run `make run` with the shipped params.yaml, and commit dvc.lock"
CODE = ("src/", "pipelines/")
pytestmark = pytest.mark.fault("A9")


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("this is not a git repository, so no file is known to be committed")
    wanted = (*CODE, ".dvc", "dvc.", "params.yaml", "operations.yaml", "data/", "models/", "reports/")
    return [name for name in done.stdout.split("\0") if name.startswith(wanted) and (ROOT / name).is_file()]


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tracked files alone, as a clone has them (no outputs, nothing untracked), as the working folder."""
    folder = tmp_path / "clone"
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    monkeypatch.chdir(folder)  # DVC names stages and paths relative to it
    return folder


def changes(folder: Path) -> dict[str, dict[str, Any]]:
    """What DVC finds changed in the dependencies of each stage, by path; outputs are left out."""
    with Repo(str(folder)) as repo:
        return {stage: dict(_inputs(entries)) for stage, entries in repo.status().items()}


def _inputs(entries: list[Any]) -> Iterator[tuple[str, Any]]:
    for entry in entries:
        if entry == "changed command":
            yield "its command", "modified"
        elif isinstance(entry, dict):
            yield from entry.get("changed deps", {}).items()


def code(found: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    return {stage: names for stage, deps in found.items() if (names := [n for n in deps if n.startswith(CODE)])}


def lock() -> dict[str, Any]:
    stages: dict[str, Any] = yaml.safe_load((ROOT / "dvc.lock").read_text())["stages"]
    return stages


def test_every_code_dependency_has_the_hash_in_dvc_lock(clone: Path) -> None:
    stale = code(changes(clone))
    assert not stale, f"dvc.lock holds other hashes than the committed code has: {HELP}\n{yaml.safe_dump(stale)}"


def test_commands_and_parameters_are_those_in_dvc_lock(clone: Path) -> None:
    """And committed data; what a stage makes is not there (deleted) in a clone."""
    stale = {
        stage: names
        for stage, deps in changes(clone).items()
        if (names := [n for n, state in deps.items() if not n.startswith(CODE) and state != "deleted"])
    }
    assert not stale, f"dvc.lock was made with other commands or parameters: {HELP}\n{yaml.safe_dump(stale)}"


def test_each_stage_read_what_the_stage_before_it_wrote() -> None:
    """The hash of every output equals the one with which a later stage depends on it."""
    assert lock().keys() == yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].keys(), HELP
    written = {out["path"]: out["md5"] for stage in lock().values() for out in stage["outs"]}
    unlike = [
        f"{name}: {dep['path']}"
        for name, stage in lock().items()
        for dep in stage["deps"]
        if dep["md5"] != written.get(dep["path"], dep["md5"])
    ]
    assert not unlike, f"dvc.lock mixes two runs: {HELP}\n{unlike}"


@pytest.mark.parametrize("path", ["pipelines/train.py", "src/likeness/models/network.py"])
def test_an_edited_file_is_noticed(clone: Path, path: str) -> None:
    before = code(changes(clone))
    (clone / path).write_text((clone / path).read_text() + "\n# edited\n")
    after = code(changes(clone))
    dependency = path if path.startswith("pipelines/") else "src/likeness/models"
    assert dependency in after["train"]
    assert all(set(before.get(stage, [])) <= set(names) for stage, names in after.items())


@pytest.mark.slow
def test_drawn_faces_have_the_hash_in_dvc_lock(clone: Path) -> None:
    """Drawing is exact, so that the first outputs are the same on every machine."""
    command = [sys.executable, "-m", "dvc", "repro", "ingest"]
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "DVC_NO_ANALYTICS": "1", "HOME": str(clone)}
    done = subprocess.run(command, cwd=clone, env=path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = yaml.safe_load((clone / "dvc.lock").read_text())["stages"]["ingest"]["outs"]
    assert found == lock()["ingest"]["outs"], f"the drawn faces differ from those of dvc.lock: {HELP}"
