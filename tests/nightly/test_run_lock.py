"""One run at a time, and the record of one that was killed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from likeness.nightly.outcome import HaltError
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.run_lock import note_step, run_lock, take_crashed_run
from tests.nightly.toy_project import ROOT

FORMER = ROOT / "tests" / "artifacts" / "former"


def test_only_a_crashed_run_is_found_and_only_once(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    with run_lock(paths, 1_767_225_600.0, "0123456789"):
        note_step(paths, "train")
        assert take_crashed_run(paths) is None
        left = (paths.state / "running.json").read_bytes()
        with pytest.raises(HaltError, match="another nightly run"), run_lock(paths, 0.0, None):
            pass
    assert take_crashed_run(paths) is None
    (paths.state / "running.json").write_bytes(left)
    record = take_crashed_run(paths)
    assert record is not None
    assert (record.started, record.outcome) == ("2026-01-01T00:00:00+00:00", "killed")
    assert "killed at train" in record.line
    assert take_crashed_run(paths) is None
    (paths.state / "running.json").write_bytes(left)
    assert take_crashed_run(paths) is None, "it is recorded already"


def test_a_state_file_cut_short_by_the_kill_is_a_crashed_run_too(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(parents=True)
    (paths.state / "running.json").write_text("{")
    record = take_crashed_run(paths)
    assert record is not None
    assert record.outcome == "killed"


def test_a_run_that_the_version_before_left_killed_is_recorded(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(parents=True)
    shutil.copy(FORMER / "state" / "at-work.json", paths.state)
    record = take_crashed_run(paths)
    assert record is not None
    assert (record.started, record.flow_run) == ("2026-01-03T02:00:00+00:00", "fedcba9876543210")
    assert "killed at evaluate" in record.line
    assert not list(paths.state.glob("*.json"))
