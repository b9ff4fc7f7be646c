"""New photographs: copies of what has fully arrived, taken so that one bad file costs nothing but itself.

`data/incoming/` holds a folder for each person, or archives of such folders. Archives are taken apart in a worker
process with limits of time and memory. Whatever goes wrong with one file is that file's fault, in a sentence, and
every file that is not taken is named with its reason.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from likeness.data.incoming_folder import (
    Left,
    Stamp,
    files_in,
    folded,
    person_folder,
    remove_old_empty_folders,
    stamp_of,
    unclear_folders,
)
from likeness.data.layout import folder_layout, people_of, why_left_aside
from likeness.data.names import person_fault, printable, spelled
from likeness.data.quarantine import REASON
from likeness.data.unpacking import ARCHIVES, SLOWEST, unpack
from likeness.errors import LikenessError, OutputError, WorkerError
from likeness.images.limits import MAX_BYTES, check_bytes
from likeness.isolation import LIMITS, Limits, Worker

UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".swp", "~")
RESERVE = 256 << 20
"""Bytes of the disk that copies leave free."""
NO_PICTURE = "It is no picture of a kind that is read, in a folder named for its person."
UNCLEAR = (
    "Its outermost folder may be a person, or hold the folders of several: put the photographs right into the "
    "folder of their person."
)


@dataclass(frozen=True)
class Arrival:
    """One file of a batch.

    Attributes:
        name: its path below the incoming folder; for a member of an archive, the archive and its path there.
        person: whose photograph it is; "" where its place does not say.
        staged: its copy, which nobody writes to any more; of a file that is refused whole, the original.
        sha256: hex digest of its content; "" where that was not read.
        fault: why it cannot be used whatever it shows; "" where that is still to be seen.
    """

    name: str
    person: str
    staged: Path
    sha256: str
    fault: str = ""


@dataclass(frozen=True)
class Snapshot:
    """What had fully arrived.

    Attributes:
        arrivals: the files, in the order of their names.
        originals: the files and archives that they were copied from, or that are refused whole.
        incoming: the folder of the originals.
        staging: folder of the copies.
        left: what was not taken, and why.
        texts: reasons that the quarantine wrote and somebody moved back with the files.
    """

    arrivals: tuple[Arrival, ...]
    originals: Mapping[Path, Stamp]
    incoming: Path
    staging: Path
    left: tuple[Left, ...] = ()
    texts: tuple[Path, ...] = ()

    @property
    def waiting(self) -> int:
        """Number of files that are looked at again the next time."""
        return sum(one.waits for one in self.left)


@dataclass
class _Batch:
    """A snapshot in the making."""

    incoming: Path
    staging: Path
    spelling: dict[str, str]
    unclear: Container[str]
    worker: Worker
    arrivals: list[Arrival] = field(default_factory=list)
    originals: dict[Path, Stamp] = field(default_factory=dict)
    left: list[Left] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)

    def name_of(self, path: Path) -> str:
        return printable(path.relative_to(self.incoming).as_posix())


def take_snapshot(
    incoming: Path,
    staging: Path,
    people: Iterable[str],
    now: float,
    settle: float = 60.0,
    limits: Limits = LIMITS,
) -> Snapshot:
    """Copies everything that has fully arrived; leaves the incoming folder as it is.

    A file counts as arrived when its name is none of an unfinished download, nothing has changed it for `settle`
    seconds, and it does not change while it is copied.

    Args:
        incoming: may be missing, which is an empty batch.
        staging: folder for the copies, on the same disk as the collection; emptied first.
        people: names in use, whose spelling a new folder takes on ("ann lee" is Ann_Lee).
        now: seconds since 1970.
        settle: in seconds.
        limits: of the work on one file; a large archive gets more time.

    Raises:
        OutputError: the copies cannot be written.
    """
    _renew(staging)
    remove_old_empty_folders(incoming, now - settle)
    left: list[Left] = []
    files = list(files_in(incoming, left))
    spelling = {folded(name): name for name in people}
    unclear = unclear_folders((path.relative_to(incoming).as_posix() for path in files), set(spelling))
    with Worker(limits) as worker:
        batch = _Batch(incoming, staging, spelling, unclear, worker, left=left)
        for path in files:
            _take(path, batch, now, settle)
    arrivals, texts = tuple(batch.arrivals), tuple(batch.texts)
    return Snapshot(arrivals, batch.originals, incoming, staging, tuple(left), texts)


def _take(path: Path, batch: _Batch, now: float, settle: float) -> None:
    """Adds one file of the incoming folder to the batch, or to what is left and why."""
    name = batch.name_of(path)
    before = stamp_of(path)
    reason, until = _why_waiting(path, before, now, settle)
    if reason or before is None:
        batch.left.append(Left(name, reason, until, waits=True))
        return
    if path.name.endswith(REASON):
        batch.texts.append(path)
        return
    target = batch.staging / f"{len(batch.originals):06d}"
    left: list[Left] = []
    found = _examined(path, name, target, batch, left)
    if stamp_of(path) != before:
        batch.left.append(Left(name, "It changed while it was read.", waits=True))
        return
    batch.arrivals += found
    batch.left += left
    batch.originals[path] = before


def _why_waiting(path: Path, stamp: Stamp | None, now: float, settle: float) -> tuple[str, float | None]:
    """Why a file is not taken yet, and until when; "" where it has arrived."""
    if stamp is None:
        return "It is gone, or cannot be looked at.", None
    if path.name.lower().endswith(UNFINISHED):
        return "Its name is that of an unfinished download.", None
    until = max(stamp.modified if stamp.modified < now * 1e9 else 0, stamp.changed) / 1e9 + settle
    if until > now:
        when = datetime.fromtimestamp(until).astimezone().isoformat(timespec="seconds")
        return f"It changed within the last {settle:g} s, and counts as arrived at {when}.", until
    return "", None


def _examined(path: Path, name: str, target: Path, batch: _Batch, left: list[Left]) -> list[Arrival]:
    """The arrivals of one incoming file: of its members, if it is an archive. Its faults are its own."""
    try:
        if path.name.lower().endswith(ARCHIVES):
            return _members(path, name, target, batch, left)
        return [_picture(path, name, target, batch)]
    except OutputError:  # our disk is full or read-only: no file is the cause
        raise
    except WorkerError as error:
        return [_whole(path, name, target, f"The archive {error}.")]
    except LikenessError as error:  # of a damaged archive nothing is used: its other files may be damaged too
        return [_whole(path, name, target, str(error).replace(str(path), path.name))]
    except (OSError, ValueError) as error:
        return [_whole(path, name, target, f"It cannot be read ({error}).")]


def _whole(path: Path, name: str, target: Path, reason: str) -> Arrival:
    """An original that is refused without a copy; what was copied of it is removed."""
    shutil.rmtree(target, ignore_errors=True)
    return Arrival(name, "", path, "", printable(reason))


def _picture(path: Path, name: str, target: Path, batch: _Batch) -> Arrival:
    person, fault = _owner(path.relative_to(batch.incoming).as_posix(), batch)
    if fault:
        return Arrival(name, "", path, "", fault)
    return Arrival(name, person, target, _copy(path, target))


def _members(path: Path, name: str, target: Path, batch: _Batch, left: list[Left]) -> list[Arrival]:
    room = shutil.disk_usage(batch.staging).free - RESERVE
    seconds = batch.worker.limits.seconds + path.stat().st_size / SLOWEST
    found, aside = batch.worker.call(unpack, path, target, room, seconds=seconds)
    left += [Left(f"{name}/{printable(member)}", f"It is {why_left_aside(member)}.") for member in aside]
    pictures = [one.member for one in found if folder_layout(one.member)]
    people = dict(zip(pictures, people_of(pictures), strict=True))
    arrivals = []
    for one in found:
        member = f"{name}/{printable(one.member)}"
        if one.member.endswith(REASON):
            left.append(Left(member, "It is a text of the quarantine."))
            continue
        whose = people.get(one.member)
        person, fault = _person(whose[0], batch.spelling) if whose else ("", NO_PICTURE)
        arrivals.append(Arrival(member, person, target / one.copy, one.sha256, fault))
    return arrivals


def _owner(path: str, batch: _Batch) -> tuple[str, str]:
    """Whose photograph a file below the incoming folder is; or "" and why that is unknown."""
    if folder_layout(path) is None:
        return "", NO_PICTURE
    folder = person_folder(path, batch.unclear, batch.spelling)
    return ("", UNCLEAR) if folder is None else _person(folder, batch.spelling)


def _person(folder: str, spelling: dict[str, str]) -> tuple[str, str]:
    """Whose photographs a folder holds, in the spelling in use; or "" and why that cannot be said."""
    person = spelled(folder)
    fault = person_fault(person)
    return ("", fault) if fault else (spelling.setdefault(folded(person), person), "")


def _copy(path: Path, target: Path) -> str:
    """Copies a file of at most `MAX_BYTES`; returns its digest.

    Raises:
        ImageError: it is empty or too long.
        OutputError: the copy cannot be written.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # if it is a pipe by now
    with os.fdopen(handle, "rb") as source:
        check_bytes(os.fstat(handle).st_size, "the file")
        content = source.read(MAX_BYTES + 1)
    check_bytes(len(content), "the file")
    try:
        target.write_bytes(content)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror}); free some space") from error
    return hashlib.sha256(content).hexdigest()


def _renew(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); make it writable") from error
