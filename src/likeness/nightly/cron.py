"""The check of a cron expression."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim, CronSimError

_NICKNAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")


def cron_fault(cron: str) -> str:
    """Why a text is no cron expression that ever fires; "" where it is one."""
    if cron in _NICKNAMES:
        return ""
    example = "such as 0 2 * * * for two o'clock every night"
    fields = cron.split()
    if len(fields) != 5:
        return f"expected five fields (minute, hour, day, month, weekday), {example}, found {cron!r}"
    if "#" in fields[4] and fields[2] != "*":  # CronSim accepts it, but Prefect then never fires
        return f"expected a day of the month or a weekday of a certain week, not both, found {cron!r}"
    try:
        next(CronSim(cron, datetime.now(UTC)))
    except (CronSimError, ValueError) as error:
        return f"expected a cron, {example}, found {cron!r} ({error})"
    except StopIteration:
        return f"{cron!r} names a day that never comes"
    return ""
