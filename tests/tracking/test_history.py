"""Nights are written whole, read back equal, and told as a table."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from likeness.tracking.history import Night, print_history, read_nights, write_night

FIRST = Night(
    "2026-01-01T02:00:00+00:00",
    "promoted",
    "version 1: it clears the floor. Nothing.",
    61.2,
    trained=True,
    fingerprint="ab" * 32,
    challenger=1,
    champion=1,
    challenger_accuracy=0.8125,
    champion_accuracy=0.8125,
    batch={"merged": 3, "quarantined": 1},
    stages={"train": 40.5},
    flow_run="0123456789abcdef",
)
SECOND = Night("2026-01-02T02:00:00+00:00", "nothing-to-do", "nothing new. Nothing.", 4.0)


def printed(folder: Path, last: int = 14, as_json: bool = False) -> str:
    stream = StringIO()
    print_history(folder, Console(file=stream, width=120), last, as_json)
    return stream.getvalue()


def test_nights_come_back_in_order(tmp_path: Path) -> None:
    for night in (SECOND, FIRST):
        write_night(tmp_path, night)
    assert read_nights(tmp_path) == [FIRST, SECOND]


def test_two_runs_of_one_second_are_two_files(tmp_path: Path) -> None:
    files = {Night(FIRST.started, "kept", "", 1, flow_run=run).file for run in ("aaaaaaaa", "bbbbbbbb")}
    assert len(files) == 2
    assert all(":" not in name for name in files)


def test_the_table_shows_the_newest_first(tmp_path: Path) -> None:
    for night in (FIRST, SECOND):
        write_night(tmp_path, night)
    lines = printed(tmp_path).splitlines()
    assert lines[1].split()[:3] == ["2026-01-02", "02:00", "nothing-to-do"]
    assert lines[2].split()[2:] == ["promoted", "ababababab", "v1", "0.8125", "v1", "0.8125", "3", "1", "61"]
    assert lines[3] == "last: nothing new. Nothing."
    assert "promoted" not in printed(tmp_path, last=1)
    assert [one["outcome"] for one in json.loads(printed(tmp_path, as_json=True))] == ["nothing-to-do", "promoted"]


def test_no_night_yet(tmp_path: Path) -> None:
    assert "make nightly-now" in printed(tmp_path / "none")


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
    write_night(tmp_path, FIRST)
    (tmp_path / "2026-spoilt.json").write_bytes(content)
    assert read_nights(tmp_path) == [FIRST]
    assert "promoted" in printed(tmp_path)
    assert "2026-spoilt.json: left out" in caplog.text
