"""The table of nightly runs."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from likeness.artifacts.nightly_run import write_nightly_run
from likeness.reporting.run_history import print_history
from tests.artifacts.nightly_runs import FIRST, SECOND


def printed(folder: Path, last: int = 14, as_json: bool = False) -> str:
    stream = StringIO()
    print_history(folder, Console(file=stream, width=120), last, as_json)
    return stream.getvalue()


def test_the_table_shows_the_newest_first(tmp_path: Path) -> None:
    for record in (FIRST, SECOND):
        write_nightly_run(tmp_path, record)
    lines = printed(tmp_path).splitlines()
    assert lines[1].split()[:3] == ["2026-01-02", "02:00", "nothing-to-do"]
    assert lines[2].split()[2:] == ["promoted", "ababababab", "v1", "0.8125", "v1", "0.8125", "3", "1", "61"]
    assert lines[3] == "last: nothing new. Nothing."
    assert "promoted" not in printed(tmp_path, last=1)
    assert [one["outcome"] for one in json.loads(printed(tmp_path, as_json=True))] == ["nothing-to-do", "promoted"]


def test_no_run_yet(tmp_path: Path) -> None:
    assert "make nightly-now" in printed(tmp_path / "none")
