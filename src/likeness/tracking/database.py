"""The SQLite file of a tracking store: made whole or not at all, recognised when it is not, repaired on request.

MLflow builds its database by dozens of migrations over several seconds, each committed by itself. Killed among
them, it leaves a file that it can neither use nor finish ("table already exists"). So a new database is built in a
temporary folder and renamed into place, and one that is there is looked at before MLflow touches it.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from likeness.errors import TrackingError

State = Literal["absent", "whole", "half-made", "other version", "damaged"]

_FIRST_TABLES = {"experiments", "runs", "metrics", "params", "tags"}
_SECONDS = 2.0  # that a lock is waited for
_REPAIR = "run `likeness doctor --repair`"


def state_of(path: Path, revision: str | None = None) -> State:
    """What a tracking database is, read without changing it.

    Args:
        path: of the SQLite file.
        revision: of the layout that the installed MLflow expects; None: any will do.

    Raises:
        sqlite3.OperationalError: it is locked.
    """
    if not path.exists() or (path.is_file() and path.stat().st_size == 0):
        return "absent"
    try:
        with contextlib.closing(
            sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", _SECONDS, uri=True)
        ) as database:
            tables = {name for (name,) in database.execute("select name from sqlite_master where type = 'table'")}
            found = _revision(database) if "alembic_version" in tables else None
            used = "runs" in tables and bool(database.execute("select 1 from runs limit 1").fetchone())
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise
        return "damaged"
    except sqlite3.DatabaseError:
        return "damaged"
    if not tables:
        return "absent"
    if found is None or not tables >= _FIRST_TABLES or (found != (revision or found) and not used):
        return "half-made"
    return "whole" if found == (revision or found) else "other version"


def check(path: Path, written: str, revision: str) -> None:
    """Refuses a database that MLflow would fail on, or would change without being asked.

    Args:
        path: of the SQLite file.
        written: its address as a message names it.
        revision: see `state_of`.

    Raises:
        TrackingError: half-made, of another version, or damaged; the message says what to do.
    """
    match state_of(path, revision):
        case "half-made":
            raise TrackingError(f"{written}: was left half-made by a start that was interrupted; {_REPAIR}")
        case "other version":
            raise TrackingError(
                f"{written}: was written by another version of MLflow; {_REPAIR}, which keeps a copy and "
                "brings it to the layout of the installed version"
            )
        case "damaged":
            raise TrackingError(f"{written}: file is not a database, or is damaged; {_REPAIR}")


def create(path: Path, build: Callable[[str], None]) -> None:
    """Builds a database elsewhere and renames it into place.

    Args:
        path: of the SQLite file.
        build: makes the database that an address names.
    """
    with tempfile.TemporaryDirectory(prefix="likeness-") as scratch:
        made = Path(scratch) / "mlflow.db"
        build(f"sqlite:///{made}")
        _fold_journal(made)
        _put(made, path)


def repair(path: Path, revision: str, build: Callable[[str], None], upgrade: Callable[[str], None]) -> str:
    """Makes a database usable again; returns what was done, in one sentence.

    Nothing is deleted: what was there is kept beside it under another name.

    Args:
        path: of the SQLite file.
        revision: see `state_of`.
        build: see `create`.
        upgrade: brings the database that an address names to the newest layout.
    """
    state = state_of(path, revision)
    if state == "absent":
        return f"{path.name}: none yet; the first run makes it"
    if state == "whole":
        return f"{path.name}: nothing to repair"
    if state == "other version":
        return _upgraded(path, upgrade)
    kept = set_aside(path, state.replace(" ", "-"))
    create(path, build)
    return f"{path.name}: was {state}; it is kept as {kept.name}, and an empty one took its place"


def _upgraded(path: Path, upgrade: Callable[[str], None]) -> str:
    with tempfile.TemporaryDirectory(prefix="likeness-") as scratch:
        copy = Path(scratch) / "mlflow.db"
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        upgrade(f"sqlite:///{copy}")
        _fold_journal(copy)
        kept = set_aside(path, "before-upgrade")
        _put(copy, path)
    return f"{path.name}: brought to the layout of the installed MLflow; the former one is kept as {kept.name}"


def _copy(path: Path, target: Path) -> None:
    """A consistent copy, also while somebody writes."""
    with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
        source.backup(copy)


def _revision(database: sqlite3.Connection) -> str | None:
    row = database.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def _fold_journal(path: Path) -> None:
    """Writes what is in a journal beside the file into the file."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("pragma wal_checkpoint(truncate)")


def _put(made: Path, path: Path) -> None:
    """Copies to the same disk first, so that the last step is one rename."""
    part = path.with_name(f".{path.name}.part")
    shutil.copyfile(made, part)
    part.replace(path)


def set_aside(path: Path, why: str) -> Path:
    """Renames a database, with the journals that belong to it, to the first free name."""
    number = next(n for n in range(1, 10_000) if not path.with_name(f"{path.name}.{why}-{n}").exists())
    kept = path.with_name(f"{path.name}.{why}-{number}")
    for suffix in ("-wal", "-shm", "-journal"):
        journal = path.with_name(path.name + suffix)
        if journal.exists():
            journal.rename(kept.with_name(kept.name + suffix))
    path.rename(kept)
    return kept
