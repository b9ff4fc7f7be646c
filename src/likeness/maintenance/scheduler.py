"""Old rows of the embedded scheduler's database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from likeness.errors import OutputError
from likeness.maintenance.removal_step import Step

_WAIT = 10.0
_OLD = {
    "flow_run": "coalesce(end_time, updated) < ? AND state_type IN "
    "('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')",
    "log": "timestamp < ?",
    "artifact": "created < ?",
    "events": "occurred < ?",
    "event_resources": "occurred < ?",
}
"""Which rows of a table are old; the states and tasks of a run go with it."""


def scheduler_steps(root: Path, since: float) -> Iterator[Step]:
    """Runs, logs, artifacts and events before a moment, in seconds since 1970."""
    path = root / ".likeness" / "prefect" / "prefect.db"
    if not path.is_file():
        return
    before = datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=_WAIT)) as database:
            counts = {table: _count(database, table, before) for table in _tables(database)}
    except sqlite3.Error as error:
        raise OutputError(
            f"{path}: cannot be read ({error}); `likeness doctor --repair` looks after it"
        ) from error
    if any(counts.values()):
        counted = ", ".join(f"{count} of {table}" for table, count in counts.items() if count)
        yield Step(f"old rows of the scheduler's database: {counted}", None, lambda: _delete(path, before))


def _tables(database: sqlite3.Connection) -> list[str]:
    found = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return [table for table in _OLD if table in found]


def _count(database: sqlite3.Connection, table: str, before: str) -> int:
    return int(database.execute(f"SELECT count(*) FROM {table} WHERE {_OLD[table]}", [before]).fetchone()[0])


def _delete(path: Path, before: str) -> None:
    """Deletes the rows, and gives their space back."""
    try:
        with closing(sqlite3.connect(path, timeout=_WAIT)) as database:
            database.execute("PRAGMA foreign_keys = ON")
            with database:
                for table in _tables(database):
                    database.execute(f"DELETE FROM {table} WHERE {_OLD[table]}", [before])
            database.execute("VACUUM")
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise OutputError(
            f"{path}: cannot be pruned ({error}); stop `make nightly`, and run this again"
        ) from error
