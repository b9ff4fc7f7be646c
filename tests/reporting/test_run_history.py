"""The table of nightly runs."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

from rich.console import Console

from likeness.artifacts.nightly_run import write_nightly_run
from likeness.reporting.run_history import print_history
from tests.artifacts.nightly_runs import FIRST, SECOND


def printed(folder: Path, last: int = 14, as_json: bool = False, width: int = 120) -> str:
    stream = StringIO()
    print_history(folder, Console(file=stream, width=width), last, as_json)
    return stream.getvalue()


def test_the_table_shows_the_newest_first(tmp_path: Path) -> None:
    for record in (FIRST, SECOND):
        write_nightly_run(tmp_path, record)
    lines = printed(tmp_path).splitlines()
    assert lines[1].split()[:3] == ["2026-01-02", "02:00", "nothing-to-do"]
    assert lines[2].split()[2:] == ["promoted", "v1", "81.2%", "v1", "81.2%", "3", "1", "2", "1", "1.0"]
    assert lines[3] == "last: nothing new. Nothing."
    assert "promoted" not in printed(tmp_path, last=1)
    assert lines[0].index("bad") + 3 == lines[2].index(" 1 ") + 2, "numbers end below the end of their heading"
    assert [one["outcome"] for one in json.loads(printed(tmp_path, as_json=True))] == ["nothing-to-do", "promoted"]


def test_it_fits_80_columns_and_a_killed_run_has_no_duration(tmp_path: Path) -> None:
    killed = replace(FIRST, outcome="killed", seconds=28406638.0)
    longest = replace(FIRST, outcome="validation-failed", challenger=99, champion=98, seconds=86400.0)
    for day, record in enumerate((killed, longest), 1):
        write_nightly_run(tmp_path, replace(record, started=f"2026-02-0{day}T02:00:00+00:00"))
    head, second, first = printed(tmp_path, width=80).splitlines()[:3]
    assert max(map(len, (head, second, first))) <= 80
    assert "validation-failed" in second
    assert "1440.0" in second
    assert first.split()[-1] == "-"


def test_no_run_yet(tmp_path: Path) -> None:
    assert "make nightly-now" in printed(tmp_path / "none")
