"""When a nightly run was missed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from likeness.artifacts.nightly_run import NightlyRun, write_nightly_run
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths


def test_a_run_is_missed_once_the_cron_has_fired(tmp_path: Path) -> None:
    from likeness.nightly.schedule import is_run_missed

    paths, params = ProjectPaths(tmp_path), NightlyParams(cron="0 2 * * *", timezone="Europe/Berlin")

    def at(day: int, hour: int) -> bool:
        return asyncio.run(is_run_missed(paths, params, datetime(2026, 1, day, hour, 30, tzinfo=UTC)))

    assert not at(1, 5)
    write_nightly_run(
        paths.nightly_runs, NightlyRun("2026-01-01T01:00:00+00:00", "kept", "", 1.0)
    )  # two o'clock in Berlin
    assert not at(1, 5)
    assert not at(2, 0)
    assert at(2, 1)
    assert at(9, 1)


def test_a_killed_run_is_replaced_unless_the_one_before_was_killed_too(tmp_path: Path) -> None:
    from likeness.nightly.schedule import is_run_missed

    paths, params = ProjectPaths(tmp_path), NightlyParams(cron="0 2 * * *", timezone="UTC")

    def soon_after(day: int) -> bool:
        return asyncio.run(is_run_missed(paths, params, datetime(2026, 1, day, 2, 5, tzinfo=UTC)))

    for day, outcome, expected in [(1, "kept", False), (2, "killed", True), (3, "killed", False)]:
        write_nightly_run(paths.nightly_runs, NightlyRun(f"2026-01-0{day}T02:00:00+00:00", outcome, "", 1.0))
        assert soon_after(day) == expected
