"""Time zones of any number of parts, and POSIX's own form of TZ."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import pytest

from likeness.nightly.time_zone import local_zone

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
