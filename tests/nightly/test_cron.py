"""Crons that can fire, and those that cannot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from likeness.errors import ParamsError
from likeness.nightly.cron import cron_fault
from likeness.nightly.params import read_nightly

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.attack("14")
@pytest.mark.parametrize(
    "cron",
    [
        "every full moon",
        "",
        "0 2 * *",
        "0 2 * * * *",
        "61 * * * *",
        "0 0 30 2 *",
        "0 2 * * someday",
        "0 2 1 * 5#3",
        "@moon",
        "a\0b c d e",
    ],
)
def test_a_cron_that_never_fires_is_a_mistake_of_the_file(tmp_path: Path, cron: str) -> None:
    (tmp_path / "operations.yaml").write_text(yaml.safe_dump({"nightly": {"cron": cron}}))
    with pytest.raises(ParamsError, match="nightly: cron: ") as caught:
        read_nightly(tmp_path / "params.yaml")
    assert "operations.yaml" in str(caught.value)


NUMBERS = ["*", "*/7", "0", "1", "1-5", "1,3", "2-10/2", "7", "31", "60"]
field = st.sampled_from([*NUMBERS, "MON", "mon-fri", "jan", "L", "5#3"])


@pytest.mark.attack("14")
@settings(deadline=None)
@example("* * 1 * 5#3")
@given(st.lists(field, min_size=5, max_size=5).map(" ".join) | st.sampled_from(["@daily", "@hourly", "@yearly"]))
def test_what_is_accepted_fires_in_prefect_too(cron: str) -> None:
    from prefect.server.schemas.schedules import CronSchedule

    if not cron_fault(cron):
        schedule = CronSchedule(cron=cron, timezone="Europe/Berlin")
        assert asyncio.run(schedule.get_dates(n=1, start=NOON))
