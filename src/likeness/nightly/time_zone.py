"""The machine's time zone by its name in the tz database, as Prefect needs it."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from zoneinfo import ZoneInfo

_log = logging.getLogger(__name__)
_FALLBACK = "UTC"
_POSIX = re.compile(r"(?:[A-Za-z]{3,}|<[^>]+>)([+-]?)(\d{1,2})(?::00)*")  # no summer time, whole hours


def local_zone(etc: Path = Path("/etc")) -> str:
    """The zone that TZ names, else /etc/localtime; UTC, with a warning, where neither can be understood.

    Args:
        etc: the folder of `localtime` and `timezone`.
    """
    named = os.environ.get("TZ", "").removeprefix(":")
    origin = f"TZ={named}" if named else str(etc / "localtime")
    for name in _of_variable(named) if named else _of_files(etc):
        if is_zone(name):
            return name
    _log.warning(
        "%s: no time zone of the tz database, so the cron is read in %s; set nightly.timezone in "
        "operations.yaml, such as Europe/Berlin",
        origin,
        _FALLBACK,
    )
    return _FALLBACK


def is_zone(name: str) -> bool:
    """Whether a name is in the tz database."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _of_variable(named: str) -> list[str]:
    """What TZ may mean: a name, a file of the database, or POSIX's own form (Etc/GMT-9 is nine hours ahead)."""
    fixed = _POSIX.fullmatch(named)
    hours = int(fixed[2]) if fixed else 0
    posix = [f"Etc/GMT{'-' if fixed[1] == '-' else '+'}{hours}" if hours else "UTC"] if fixed else []
    return [named, *_behind_zoneinfo(named), *posix]


def _of_files(etc: Path) -> list[str]:
    text = ""
    if (etc / "timezone").is_file():
        text = (etc / "timezone").read_text(encoding="utf-8", errors="replace").strip()
    return [*_behind_zoneinfo(str((etc / "localtime").resolve())), text]


def _behind_zoneinfo(path: str) -> list[str]:
    """The part of a path that is a zone's name, which may have three parts of its own."""
    _, found, name = path.partition("zoneinfo/")
    return [name.removeprefix("posix/").removeprefix("right/")] if found else []
