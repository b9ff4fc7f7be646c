"""Every target of make that starts DVC refuses an unreadable file of parameters first, in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_yaml_file import REFUSED

ROOT = Path(__file__).parents[2]
TARGETS = ["run", "lfw", "folder", "sweep", "register", "nightly", "nightly-now"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The real Makefile in a git repository that is none of DVC's, so that a DVC that starts says so."""
    for name in ("Makefile", "requirements.lock", "requirements-cuda.lock", "pyproject.toml", "operations.yaml"):
        shutil.copy(ROOT / name, tmp_path)
        os.utime(tmp_path / name, (0, 0))
    (tmp_path / ".venv").symlink_to(sys.prefix)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path


def make(project: Path, target: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
    return subprocess.run(
        ["make", "-s", target],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.attack("13")
@pytest.mark.parametrize(
    ("target", "case"), [*((target, "Latin-1") for target in TARGETS), *(("run", case) for case in REFUSED)]
)
def test_an_unreadable_file_is_refused_before_dvc_starts(project: Path, target: str, case: str) -> None:
    content, said = REFUSED[case]
    (project / "params.yaml").write_bytes(content)
    done = make(project, target)
    assert done.returncode == 2
    assert done.stderr.startswith("params.yaml: ")
    assert said in done.stderr
    assert "Nothing was started" in done.stderr
    assert "dvc" not in done.stderr.lower()


@pytest.mark.attack("13")
def test_the_settings_of_operation_are_read_too(project: Path) -> None:
    shutil.copy(ROOT / "params.yaml", project)
    (project / "operations.yaml").write_bytes("é: 1".encode("latin-1"))
    done = make(project, "nightly-now")
    assert done.returncode == 2
    assert done.stderr.startswith("operations.yaml: is not UTF-8")
