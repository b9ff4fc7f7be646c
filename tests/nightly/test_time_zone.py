"""Time zones of any number of parts, POSIX's own form of TZ, and crons that can fire."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from likeness.errors import ParamsError
from likeness.nightly.params import read_nightly
from likeness.nightly.time_zone import cron_fault, local_zone

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture
def etc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("TZ", raising=False)
    (tmp_path / "etc").mkdir()
    return tmp_path / "etc"


def link(etc: Path, name: str) -> None:
    target = etc.parent / "usr" / "share" / "zoneinfo" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch()
    (etc / "localtime").symlink_to(target)


@pytest.mark.fault("D18")
@pytest.mark.parametrize(
    "name",
    [
        "America/Argentina/Buenos_Aires",
        "America/Indiana/Indianapolis",
        "Asia/Tokyo",
        "UTC",
        "posix/America/North_Dakota/Center",
    ],
)
def test_everything_behind_zoneinfo_is_the_name(etc: Path, name: str) -> None:
    link(etc, name)
    assert local_zone(etc) == name.removeprefix("posix/")


@pytest.mark.fault("D18")
def test_every_zone_of_the_database_can_be_the_machines_own(etc: Path) -> None:
    for name in sorted(available_timezones()):
        (etc / "localtime").unlink(missing_ok=True)
        link(etc, name)
        assert local_zone(etc) == name


@pytest.mark.fault("D18")
@pytest.mark.parametrize(
    ("variable", "hours"),
    [
        ("JST-9", 9),
        ("<-03>3", -3),
        ("EST+5", -5),
        ("UTC0", 0),
        (":Asia/Tokyo", 9),
        ("/usr/share/zoneinfo/America/Argentina/Buenos_Aires", -3),
    ],
)
def test_the_variable_comes_first_in_any_form(
    etc: Path, monkeypatch: pytest.MonkeyPatch, variable: str, hours: int
) -> None:
    link(etc, "Europe/Berlin")
    monkeypatch.setenv("TZ", variable)
    offset = NOON.astimezone(ZoneInfo(local_zone(etc))).utcoffset()
    assert offset is not None
    assert offset.total_seconds() == hours * 3600


@pytest.mark.fault("D18")
@pytest.mark.parametrize("variable", ["CET-1CEST,M3.5.0,M10.5.0/3", "Mars/Base", "../../etc/passwd", "IST-5:30"])
def test_a_fallback_is_reported(
    etc: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, variable: str
) -> None:
    monkeypatch.setenv("TZ", variable)
    assert local_zone(etc) == "UTC"
    assert f"TZ={variable}: no time zone" in caplog.text
    assert "set nightly.timezone" in caplog.text


def test_a_copied_file_is_named_by_the_text_beside_it(etc: Path, caplog: pytest.LogCaptureFixture) -> None:
    (etc / "localtime").write_bytes(b"TZif2")
    (etc / "timezone").write_text("Europe/Berlin\n")
    assert local_zone(etc) == "Europe/Berlin"
    (etc / "timezone").unlink()
    assert local_zone(etc) == "UTC"
    assert "cron is read in UTC" in caplog.text


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
    import yaml

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
