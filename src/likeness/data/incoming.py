"""New photographs: a snapshot of what has fully arrived, quarantine for what is bad, a merge for what is good.

`data/incoming/` holds a folder for each person, or archives of such folders. Nothing leaves it before its content
has found its place, every place is reached by a rename, and names in the collection are digests, so a kill at any
point loses nothing and the same batch twice changes nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import logging
import os
import re
import shutil
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from likeness.data.archive import open_reader
from likeness.data.collected import Collected, Photograph
from likeness.data.layout import folder_layout, is_system, people_of
from likeness.errors import LikenessError, OutputError
from likeness.files import atomic_path, write_text

log = logging.getLogger(__name__)

ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".download", ".swp", "~")
REASON = ".reason.txt"
_DIGITS = 20  # hex digits of a digest in a file name: no two photographs will share them


@dataclass(frozen=True)
class Arrival:
    """One file of a batch.

    Attributes:
        name: where it stood below the incoming folder; for a member of an archive, the archive and its path.
        person: whose photograph it is; "" where its place does not say.
        staged: its copy, which nobody writes to any more.
        sha256: hex digest of its content.
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
        originals: the files and archives that they were copied from, with size and time of change.
        staging: folder of the copies.
        waiting: files that are left for the next time, because they are still being written.
    """

    arrivals: tuple[Arrival, ...]
    originals: Mapping[Path, tuple[int, int]]
    staging: Path
    waiting: int = 0

    @property
    def digest(self) -> str:
        """Tells batches apart by what they hold, whoever packed them."""
        content = sorted(f"{arrival.person}\0{arrival.sha256}" for arrival in self.arrivals)
        return hashlib.sha256("\n".join(content).encode()).hexdigest()


@dataclass(frozen=True)
class Placed:
    """What became of a batch, as counts of files."""

    merged: int = 0
    known: int = 0
    quarantined: int = 0
    people: frozenset[str] = field(default_factory=frozenset)


def take_snapshot(
    incoming: Path, staging: Path, people: Iterable[str], now: float, settle: float = 60.0
) -> Snapshot:
    """Copies everything that has fully arrived; leaves the incoming folder as it is.

    A file counts as arrived when its name is none of an unfinished download, nothing has changed it for `settle`
    seconds, and it does not change while it is copied.

    Args:
        incoming: may be missing, which is an empty batch.
        staging: folder for the copies, on the same disk as the collection; emptied first.
        people: names in use, whose spelling a newcomer's folder takes on ("ann lee" is Ann_Lee).
        now: seconds since 1970.
        settle: in seconds.

    Raises:
        OutputError: the copies cannot be written.
    """
    _renew(staging)
    _remove_old_empty_folders(incoming, now - settle)
    spelling = {_folded(name): name for name in people}
    arrivals: list[Arrival] = []
    originals: dict[Path, tuple[int, int]] = {}
    waiting = 0
    for path in _visible_files(incoming):
        before = _stamp(path)
        if before is None or before[1] > (now - settle) * 1e9 or path.name.lower().endswith(UNFINISHED):
            waiting += 1
            continue
        found = list(_copied(path, incoming, staging / f"{len(originals):06d}", spelling))
        if _stamp(path) != before:
            waiting += 1
            continue
        arrivals += found
        originals[path] = before
    return Snapshot(tuple(arrivals), originals, staging, waiting)


def place(
    snapshot: Snapshot, refused: Mapping[Arrival, str], note: Path, quarantine: Path, known: Iterable[str] = ()
) -> Placed:
    """Moves the refused to quarantine, merges the rest into the collection, then empties the incoming folder.

    Args:
        snapshot: the batch.
        refused: files to be kept out, and why.
        note: of the collection.
        quarantine: gets each refused file under its name, with a text beside it that says why.
        known: digests of photographs that the data set holds already; they are dropped.

    Raises:
        OutputError: something cannot be written; what is not placed is still in the incoming folder.
    """
    collected = Collected.listed(note.with_suffix(""))
    held = {photograph.sha256 for photograph in collected.photographs} | set(known)
    fresh: list[Photograph] = []
    dropped = 0
    for arrival in snapshot.arrivals:
        if arrival in refused:
            _quarantine(arrival, refused[arrival], quarantine)
        elif arrival.sha256 in held:
            dropped += 1
        else:
            held.add(arrival.sha256)
            fresh.append(_merge(arrival, collected.folder))
    Collected(collected.folder, (*collected.photographs, *fresh)).write(note)
    _empty(snapshot)
    return Placed(len(fresh), dropped, len(refused), frozenset(photograph.person for photograph in fresh))


def spelled(name: str) -> str:
    """A person's name in one form: composed characters, single underscores for blanks."""
    return re.sub(r"\s+", "_", unicodedata.normalize("NFC", name).strip())


def _folded(name: str) -> str:
    return spelled(name).casefold()


def _copied(path: Path, incoming: Path, target: Path, spelling: dict[str, str]) -> Iterator[Arrival]:
    """The copies of one incoming file: of its members, if it is an archive."""
    name = path.relative_to(incoming).as_posix()
    if not path.name.lower().endswith(ARCHIVES):
        yield _arrival(name, name, path.read_bytes(), target, spelling)
        return
    copies: list[Arrival] = []
    try:
        for at, (member, content) in enumerate(open_reader(path, _is_visible)):
            part = target.with_name(f"{target.name}-{at:06d}")
            copies.append(_arrival(f"{name}/{member}", member, content, part, spelling))
    except LikenessError as error:  # nothing of a damaged archive is used: its other members may be damaged too
        whole = _arrival(name, "", path.read_bytes(), target, spelling)
        yield Arrival(name, "", whole.staged, whole.sha256, str(error))
        return
    yield from _with_people(copies, name, spelling)


def _with_people(copies: list[Arrival], archive: str, spelling: dict[str, str]) -> Iterator[Arrival]:
    """The members of an archive with their people, which its folders tell only together."""
    pictures = [copy for copy in copies if not copy.fault]
    people = people_of([copy.name.removeprefix(f"{archive}/") for copy in pictures])
    named = {copy.name: spelled(person) for copy, (person, _) in zip(pictures, people, strict=True)}
    for copy in copies:
        person = named.get(copy.name, "")
        yield dataclasses.replace(copy, person=spelling.setdefault(_folded(person), person))


def _arrival(name: str, path: str, content: bytes, target: Path, spelling: dict[str, str]) -> Arrival:
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)
    found = folder_layout(path)
    person = spelled(found[0]) if found else ""
    fault = "" if found else "It is no picture (jpg, png, bmp, webp, pgm) in a folder named for its person."
    return Arrival(
        name, spelling.setdefault(_folded(person), person), target, hashlib.sha256(content).hexdigest(), fault
    )


def _merge(arrival: Arrival, folder: Path) -> Photograph:
    suffix = PurePosixPath(arrival.name).suffix.lower()
    photograph = Photograph(arrival.person, arrival.sha256, arrival.sha256[:_DIGITS] + suffix)
    _move(arrival.staged, folder / photograph.person / photograph.file)
    return photograph


def _quarantine(arrival: Arrival, reason: str, quarantine: Path) -> None:
    target = quarantine / arrival.name
    if target.exists() or target.parent.is_file():  # another file of that name was bad before
        target = quarantine / f"{arrival.name}.{arrival.sha256[:8]}"
    write_text(target.with_name(target.name + REASON), f"{reason}\n")
    _move(arrival.staged, target)
    log.warning("%s: to quarantine. %s", arrival.name, reason)


def _move(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written ({error.strerror}); the photograph is still in the incoming folder. "
            "Free some space or make the folder writable, then run again"
        ) from error


def _empty(snapshot: Snapshot) -> None:
    """Removes the originals, unless somebody has written to them since, and the staging folder."""
    for path, stamp in snapshot.originals.items():
        if _stamp(path) == stamp:
            path.unlink()
    shutil.rmtree(snapshot.staging, ignore_errors=True)


def _renew(folder: Path) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); make it writable") from error


def _remove_old_empty_folders(incoming: Path, before: float) -> None:
    """Those that stand empty for a while: a fresh one is about to be filled."""
    for root, _, _ in os.walk(incoming, topdown=False):
        folder = Path(root)
        if folder != incoming and folder.stat().st_mtime < before and not any(folder.iterdir()):
            folder.rmdir()


def _visible_files(incoming: Path) -> list[Path]:
    files = (path for path in incoming.rglob("*") if path.is_file() and not path.is_symlink())
    return sorted(path for path in files if _is_visible(path.relative_to(incoming).as_posix()))


def _is_visible(path: str) -> bool:
    return not is_system(path)


def _stamp(path: Path) -> tuple[int, int] | None:
    """Size and time of change in ns; None where the file is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
