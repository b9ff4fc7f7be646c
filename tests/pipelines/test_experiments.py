"""Folders of any name reach the programs from every make target."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.experiments.test_overrides import NAMES, ROOT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The real Makefile, with a `python` that writes down what it is given."""
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "requirements-cuda.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    recorder = binaries / "python"
    recorder.write_text('#!/bin/sh\nprintf "%s|" "$MIRROR" "$@" >> calls\necho >> calls\n')
    recorder.chmod(0o755)
    for name in ("dvc", "likeness"):
        (binaries / name).symlink_to("/bin/true")
    (tmp_path / ".venv" / ".installed").touch()
    (tmp_path / ".dvc").mkdir()
    for command in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "start"]):
        author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        subprocess.run(["git", *author, *command], cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.fault("D11")
@pytest.mark.parametrize("target", ["lfw", "folder", "sweep", "results", "view2", "results-pack"])
def test_every_make_target_hands_a_folder_on_as_it_was_typed(project: Path, target: str) -> None:
    for name in NAMES:
        said = f"~/{name}"
        subprocess.run(["make", "-s", target, f"MIRROR={said}", "RECIPES=koch"], cwd=project, check=True)
        calls = [call.split("|") for call in (project / "calls").read_text().splitlines()]
        assert len(calls) > 1 or target not in (
            "lfw",
            "folder",
            "sweep",
        )  # the look at the parameters is the first
        for mirror, *arguments in calls:
            assert mirror == said
            assert not any(name in argument for argument in arguments if len(name) > 2)
        (project / "calls").unlink()


def test_make_folder_suits_small_sets_unless_asked_otherwise(project: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "RECIPE"}
    for more, expected in (([], "own-photographs"), (["RECIPE=koch"], "koch")):
        subprocess.run(["make", "-s", "folder", "MIRROR=x", *more], cwd=project, env=environ, check=True)
        call = (project / "calls").read_text().splitlines()[-1].split("|")
        assert call[call.index("--recipe") + 1] == expected
        assert call[call.index("--source") + 1] == "folder"
