"""Records of nightly runs are written whole and read back equal; those of the version before are still read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from likeness.artifacts.nightly_run import NIGHTLY_RUN, NightlyRun, read_nightly_runs, write_nightly_run
from likeness.errors import DataError
from tests.artifacts.nightly_runs import FIRST, SECOND

FORMER = Path(__file__).parent / "former" / "reports"


def test_records_are_read_in_order(tmp_path: Path) -> None:
    for record in (SECOND, FIRST):
        write_nightly_run(tmp_path, record)
    assert read_nightly_runs(tmp_path) == [FIRST, SECOND]


def test_two_runs_of_one_second_are_two_files(tmp_path: Path) -> None:
    files = {NightlyRun(FIRST.started, "kept", "", 1, flow_run=run).file for run in ("aaaaaaaa", "bbbbbbbb")}
    assert len(files) == 2
    assert all(":" not in name for name in files)


def test_records_of_the_version_before_are_read() -> None:
    """The files were written by the code of release 0.1."""
    promoted, killed = read_nightly_runs(FORMER)
    assert (promoted.outcome, promoted.champion, promoted.stages) == (
        "promoted",
        1,
        {"ingest": 3.1, "train": 40.5},
    )
    assert promoted.batch == {"arrived": 4, "merged": 3, "known": 0, "quarantined": 1, "waiting": 0, "aside": 0}
    assert (killed.outcome, killed.flow_run) == ("killed", "89abcdef01234567")


def test_another_schema_version_is_refused(tmp_path: Path) -> None:
    path = write_nightly_run(tmp_path, FIRST)
    written = json.loads(path.read_text())
    assert written["schema_version"] == 1
    path.write_text(json.dumps(written | {"schema_version": 2}))
    with pytest.raises(DataError, match="expected schema version 1 of a NightlyRun, found 2"):
        NIGHTLY_RUN.read(path)


SPOILT = [
    b"",
    b"{",
    b"[]",
    b'{"outcome": "kept"}',
    b'{"weather": "rain"}',
    b'{"outcome": "\xff\xfe"}',
    b"[" * 100_000,
    b'{"seconds": ' + b"9" * 5000 + b"}",
    b'{"started": "yesterday", "outcome": "kept", "line": "", "seconds": 1}',
    b'{"started": "2026-01-01T02:00:00", "outcome": "kept", "line": "", "seconds": 1}',
    b'{"started": "2026-01-01T02:00:00+00:00", "outcome": "kept", "line": "", "seconds": 1, "batch": "3 files"}',
]


@pytest.mark.attack("13")
@pytest.mark.parametrize("content", SPOILT)
def test_a_spoilt_file_costs_a_warning(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    write_nightly_run(tmp_path, FIRST)
    (tmp_path / "2026-spoilt.json").write_bytes(content)
    assert read_nightly_runs(tmp_path) == [FIRST]
    assert "2026-spoilt.json: " in caplog.text
    assert "left out of the history" in caplog.text
