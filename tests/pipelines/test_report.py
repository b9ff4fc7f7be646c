"""The report stage as DVC runs it: a program with paths, an exit code, and a sentence for what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from likeness.reporting.artefacts import Places
from tests.reporting.small_run import PARAMS, small_run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return small_run(tmp_path_factory)


def report(run: Places, out: Path, **changed: Path) -> subprocess.CompletedProcess[str]:
    names = ("params", "faces", "splits", "model", "validation", "train", "evaluation")
    options = [f"--{name}={changed.get(name, getattr(run, name))}" for name in names]
    command = [sys.executable, "-m", "pipelines.report", *options, f"--out={out}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_stage_writes_page_twin_and_figures(run: Places, tmp_path: Path) -> None:
    done = report(run, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "report.html" in done.stderr
    assert "<h1>A small run</h1>" in (tmp_path / "report.html").read_text()
    assert (tmp_path / "report.md").read_text().startswith("# A small run")
    assert (tmp_path / "figures" / "roc.svg").is_file()


def test_wrong_parameters_are_reported_together_and_the_old_page_stays(run: Places, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old")
    wrong = tmp_path / "params.yaml"
    wrong.with_name("operations.yaml").write_text(yaml.safe_dump({"tracking": {"enabled": False}}))
    wrong.write_text(yaml.safe_dump(PARAMS | {"report": {"titel": "x", "decisions": 99}}))
    done = report(run, tmp_path, params=wrong)
    assert done.returncode == 2
    assert "did you mean title?" in done.stderr
    assert "report.decisions" in done.stderr
    assert "Traceback" not in done.stderr
    assert (tmp_path / "report.html").read_text() == "old"


def test_missing_faces_are_a_sentence(run: Places, tmp_path: Path) -> None:
    done = report(run, tmp_path, faces=tmp_path / "nowhere")
    assert done.returncode == 2
    assert "source.json: is missing" in done.stderr
    assert "Traceback" not in done.stderr
