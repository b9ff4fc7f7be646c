"""The quarantine: files that were kept out of the data set, each with a text beside it that says why."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from likeness.data.names import printable, safe_path
from likeness.data.unpacking import ARCHIVES
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
        person: whose photograph it is; "" where its place did not say.
    """

    path: Path
    name: str
    reason: str
    person: str


def put(source: Path, name: str, reason: str, quarantine: Path, person: str = "") -> Path:
    """Moves a file into the quarantine, with its reason beside it; returns its new path.

    Nothing that is there already is replaced: a second file of one name gets a number.

    Args:
        source: the file.
        name: its path below the incoming folder; for a member of an archive, the archive and its path there.
        reason: a sentence.
        quarantine: the folder.
        person: whose photograph it is.

    Raises:
        OutputError: it cannot be written; the file is where it was.
    """
    target = _free_path(quarantine, safe_path(name).parts)
    facts = {
        "arrived as": printable(name),
        "person": person,
        "quarantined": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    lines = [reason, "", *(f"{key}: {value}" for key, value in facts.items() if value)]
    write_text(_reason_path(target), "\n".join(lines) + "\n")
    move(source, target)
    sync_folder(target.parent)
    return target


def listed(quarantine: Path) -> list[Quarantined]:
    """All files in quarantine, by name."""
    paths = (path for path in sorted(quarantine.rglob("*")) if path.is_file() and not path.name.endswith(REASON))
    return [_read(path, quarantine) for path in paths]


def release(files: Iterable[Quarantined], incoming: Path) -> int:
    """Moves files back into the incoming folder, to be examined again; returns their number.

    A photograph goes into the folder of its person. The texts beside them are removed.

    Raises:
        OutputError: one cannot be moved.
    """
    count = 0
    for file in files:
        move(file.path, _free_path(incoming, _incoming_parts(file)))
        _forget(file.path)
        count += 1
    return count


def _incoming_parts(file: Quarantined) -> Sequence[str]:
    if file.person:
        return file.person, file.path.name
    parts = PurePosixPath(file.name).parts
    return parts[1:] if len(parts) > 1 and parts[0].lower().endswith(ARCHIVES) else parts


def drop(files: Iterable[Quarantined]) -> int:
    """Deletes files and the texts beside them; returns their number."""
    count = 0
    for file in files:
        file.path.unlink(missing_ok=True)
        _forget(file.path)
        count += 1
    return count


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


def _free_path(root: Path, parts: Sequence[str]) -> Path:
    """A path of these names that is neither taken nor below a file, whatever is there already."""
    folder = root
    *parents, last = parts
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


def _read(path: Path, quarantine: Path) -> Quarantined:
    lines: list[str] = []
    with contextlib.suppress(OSError):
        lines = _reason_path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    person = next((line.removeprefix("person: ") for line in lines if line.startswith("person: ")), "")
    reason = lines[0] if lines else "no reason is written down"
    return Quarantined(path, printable(path.relative_to(quarantine).as_posix()), reason, person)


def _forget(path: Path) -> None:
    """Removes the text beside a file that is gone, and its folder where that is empty now."""
    _reason_path(path).unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # it is not empty
        path.parent.rmdir()
