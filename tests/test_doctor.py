"""`likeness doctor` and make say what a project lacks, before anything else fails on it."""

from __future__ import annotations

import shutil
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from likeness.doctor import examine, print_report

ROOT = Path(__file__).parents[1]


@pytest.mark.fault("D20")
def test_a_project_without_git_is_reported_what_to_do(tmp_path: Path) -> None:
    (finding,) = [finding for finding in examine(tmp_path) if finding.subject == "git"]
    assert finding.status == "missing"
    assert "git init && git add -A && git commit" in finding.remedy
    (tmp_path / ".git").mkdir()
    (finding,) = [finding for finding in examine(tmp_path) if finding.subject == "git"]
    assert finding.status == "ok"


def test_the_report_is_aligned_in_80_columns(tmp_path: Path) -> None:
    stream = StringIO()
    print_report(examine(tmp_path), Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    column = next(line.index("CPython") for line in lines if "CPython" in line)
    assert max(map(len, lines)) <= 80
    assert all(line[column - 1] == " " and line[column] != " " for line in lines if line.strip())
    assert "make run" in stream.getvalue()


@pytest.mark.fault("D20")
@pytest.mark.parametrize("target", ["run", "lfw", "register", "nightly"])
def test_make_stops_before_anything_is_installed(tmp_path: Path, target: str) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    done = subprocess.run(["make", target], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "git init && git add -A && git commit" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["Makefile"]
