"""Where the files of a batch go: into the collection or into quarantine, and only then out of the incoming folder.

Every place is reached by a rename, names in the collection are digests, and the originals are removed only when
copies, folders and index are on the disk. So a kill or a power failure at any point loses nothing, and the same
batch twice changes nothing.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from likeness.artifacts.collected_index import Photograph
from likeness.data import quarantine as quarantines
from likeness.data.collected import Collected
from likeness.data.incoming import Arrival, Snapshot
from likeness.data.incoming_folder import stamp_of
from likeness.data.names import printable
from likeness.errors import OutputError
from likeness.files import sync_file, sync_folder

log = logging.getLogger(__name__)
_DIGITS = 20  # hex digits of a digest in a file name: no two photographs will share them

Placement = Literal["merged", "known", "quarantined", "waiting", "aside"]
_COUNTED: tuple[Placement, ...] = ("merged", "known", "quarantined")


@dataclass(frozen=True)
class PlacedFile:
    """What became of one file, and why.

    Attributes:
        name: its path below the incoming folder; for a member of an archive, the archive and its path there.
        placement: merged: in the collection now; known: the data set or the collection holds it already;
            quarantined; waiting: looked at again the next time; aside: no photograph, and left where it is.
        reason: a sentence; "" of what was merged.
    """

    name: str
    placement: Placement
    reason: str = ""


@dataclass(frozen=True)
class Placed:
    """What became of a batch, as counts of files.

    Attributes:
        merged, known, quarantined: see `PlacedFile.placement`.
        people: those of whom a photograph was merged.
        rows: every file, also those that were not taken.
    """

    merged: int = 0
    known: int = 0
    quarantined: int = 0
    people: frozenset[str] = field(default_factory=frozenset)
    rows: tuple[PlacedFile, ...] = field(default=(), compare=False)


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
        DataError: the index of the collection is damaged.
    """
    collected = Collected.listed(note.with_suffix(""))
    held = {photograph.sha256 for photograph in collected.photographs} | set(known)
    fresh: list[Photograph] = []
    rows = [PlacedFile(one.name, "waiting" if one.waits else "aside", one.reason) for one in snapshot.left]
    for arrival in snapshot.arrivals:
        if arrival in refused:
            rows.append(_refuse(arrival, refused[arrival], snapshot, quarantine))
        elif arrival.sha256 in held:
            rows.append(PlacedFile(arrival.name, "known", "The data set or the collection holds it already."))
        else:
            held.add(arrival.sha256)
            fresh.append(_merge(arrival, collected.folder))
            rows.append(PlacedFile(arrival.name, "merged"))
    _sync_folders(fresh, collected.folder)
    Collected(collected.folder, (*collected.photographs, *fresh)).write(note)
    rows += _empty(snapshot)
    merged, dropped, kept_out = (sum(row.placement == placement for row in rows) for placement in _COUNTED)
    return Placed(merged, dropped, kept_out, frozenset(photograph.person for photograph in fresh), tuple(rows))


def _merge(arrival: Arrival, folder: Path) -> Photograph:
    suffix = PurePosixPath(arrival.name).suffix.lower()
    photograph = Photograph(arrival.person, arrival.sha256, arrival.sha256[:_DIGITS] + suffix)
    sync_file(arrival.staged)
    quarantines.move(arrival.staged, folder / photograph.person / photograph.file)
    return photograph


def _refuse(arrival: Arrival, reason: str, snapshot: Snapshot, quarantine: Path) -> PlacedFile:
    before = snapshot.originals.get(arrival.staged)
    if before is None:  # a copy of ours
        sync_file(arrival.staged)
        quarantines.put(arrival.staged, arrival.name, reason, quarantine, arrival.person)
    elif stamp_of(arrival.staged) != before:
        return PlacedFile(
            arrival.name, "waiting", f"It was written to meanwhile; what was read of it is bad: {reason}"
        )
    else:
        try:
            quarantines.put(arrival.staged, arrival.name, reason, quarantine, arrival.person)
        except OutputError as error:  # a folder that we may not write to ends no run
            return PlacedFile(arrival.name, "waiting", f"{reason} It cannot be moved to quarantine: {error}")
    log.warning("%s: to quarantine. %s", arrival.name, reason)
    return PlacedFile(arrival.name, "quarantined", reason)


def _sync_folders(fresh: list[Photograph], folder: Path) -> None:
    for person in {photograph.person for photograph in fresh}:
        sync_folder(folder / person)
    if fresh:
        sync_folder(folder)


def _empty(snapshot: Snapshot) -> list[PlacedFile]:
    """Removes the originals, unless somebody has written to them since, and the staging folder."""
    rows = []
    copied = snapshot.originals.keys() - {arrival.staged for arrival in snapshot.arrivals}
    for path in sorted(copied):
        stamp, now = snapshot.originals[path], stamp_of(path)
        name = printable(path.relative_to(snapshot.incoming).as_posix())
        try:
            if now == stamp:
                path.unlink()
            elif now is not None:
                rows.append(PlacedFile(name, "waiting", "It was written to after it was read, and is read again."))
        except OSError as error:
            rows.append(PlacedFile(name, "waiting", f"It was read, but cannot be removed ({error.strerror})."))
    for text in snapshot.texts:
        if not text.with_name(text.name.removesuffix(quarantines.REASON)).exists():
            with suppress(OSError):
                text.unlink()  # the file that it speaks of was taken
    shutil.rmtree(snapshot.staging, ignore_errors=True)
    return rows
