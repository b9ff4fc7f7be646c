"""The quarantine: files that were kept out of the data set, each with a text beside it that says why."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from likeness.data.names import printable, safe_path
from likeness.errors import OutputError
from likeness.files import atomic_path, sync_file, sync_folder, write_text

REASON = ".reason.txt"
"""Ends the name of the text beside a file; the intake never takes such a text for a photograph."""
_MAX_COPIED = 1 << 30  # bytes; what is larger, and no photograph, stays on its own disk


@dataclass(frozen=True)
class Quarantined:
    """One file in quarantine.

    Attributes:
        path: the file.
        name: its path below the quarantine.
        reason: why it is there, in a sentence.
        arrived: its path below the incoming folder when it arrived.
    """

    path: Path
    name: str
    reason: str
    arrived: str


def put(source: Path, name: str, reason: str, quarantine: Path) -> Path:
    """Moves a file into the quarantine, with its reason beside it; returns its new path.

    Nothing that is there already is replaced: a second file of one name gets a number.

    Args:
        source: the file.
        name: its path below the incoming folder; for a member of an archive, the archive and its path there.
        reason: a sentence.
        quarantine: the folder.

    Raises:
        OutputError: it cannot be written; the file is where it was.
    """
    target = _free_path(quarantine, name)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    write_text(_reason_path(target), f"{reason}\n\narrived as: {printable(name)}\nquarantined: {now}\n")
    move(source, target)
    sync_folder(target.parent)
    return target


def move(source: Path, target: Path) -> None:
    """Moves a file, by a copy where the two are on different disks.

    Raises:
        OutputError: it cannot be moved; the file is where it was.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    except OSError as error:
        if error.errno == errno.EXDEV and source.stat().st_size <= _MAX_COPIED:
            with atomic_path(target) as copy:
                shutil.copyfile(source, copy)
                sync_file(copy)
            source.unlink(missing_ok=True)
            return
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}); the photograph is still in the incoming folder. "
            "Free some space or make the folder writable, then run again"
        ) from error


def _free_path(quarantine: Path, name: str) -> Path:
    """A path of that name that is neither taken nor below a file, whatever is in the quarantine already."""
    folder = quarantine
    *parents, last = safe_path(name).parts
    for part in parents:
        folder = next(path for path in _numbered(folder / part) if path.is_dir() or not os.path.lexists(path))
    return next(path for path in _numbered(folder / last) if not os.path.lexists(path))


def _numbered(path: Path) -> Iterator[Path]:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.stem}~{number}{path.suffix}")
        number += 1


def _reason_path(path: Path) -> Path:
    return path.with_name(path.name + REASON)


def listed(quarantine: Path) -> list[Quarantined]:
    """All files in quarantine, by name."""
    paths = (path for path in sorted(quarantine.rglob("*")) if path.is_file() and not path.name.endswith(REASON))
    return [_read(path, quarantine) for path in paths]


def _read(path: Path, quarantine: Path) -> Quarantined:
    name = path.relative_to(quarantine).as_posix()
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = _reason_path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    arrived = next((line.removeprefix("arrived as: ") for line in lines if line.startswith("arrived as: ")), name)
    return Quarantined(path, printable(name), lines[0] if lines else "no reason is written down", arrived)
