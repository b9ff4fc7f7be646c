"""Photographs that arrived after the data set was published: a folder that only grows, listed in its index.

`data/collected/PERSON/<digest>.jpg` are the photographs, named by their content. `index.json` beside them lists
those that count, in the order of their arrival, and `data/collected.json`, the note, holds the index's digest.
The ingest stage depends on the note: DVC sees a change without reading thousands of files, git records which
photographs a model saw without a name of anybody in it, and a checkout without the photographs says so instead
of quietly training on fewer. A file that the index does not list, as after a kill, is not there.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from likeness.artifacts.collected_index import (
    COLLECTED_INDEX,
    COLLECTED_NOTE,
    CollectedIndex,
    CollectedNote,
    Photograph,
)
from likeness.data.archive_members import Member
from likeness.data.faceset import COLLECTED
from likeness.errors import DataError
from likeness.files import file_sha256, write_text

log = logging.getLogger(__name__)

INDEX = COLLECTED_INDEX.name
_FILE = re.compile(r"[0-9a-f]{20}\.\w+")


@dataclass(frozen=True)
class Collected:
    """The collected photographs in the order of their arrival, and the folder that they lie in."""

    folder: Path
    photographs: tuple[Photograph, ...] = ()

    @classmethod
    def read(cls, note: Path) -> Collected:
        """What the note is about.

        Raises:
            DataError: the note is missing, or the index beside it is not the one that it is about.
        """
        folder = note.with_suffix("")
        try:
            recorded = COLLECTED_NOTE.read(note)
        except DataError as error:
            raise DataError(
                f"{note}: is no note of collected photographs ({error}); take it from git, "
                "or run the nightly flow once, which writes it"
            ) from error
        if recorded.photographs == 0:
            return cls(folder)
        index = folder / INDEX
        if not index.is_file() or file_sha256(index) != recorded.index_sha256:
            raise DataError(
                f"{index}: {note} counts {recorded.photographs} photographs, but this index is missing "
                "or another. Restore the folder from its backup, or run the nightly flow, which brings the "
                "note up to date"
            )
        return cls.listed(folder)

    @classmethod
    def listed(cls, folder: Path) -> Collected:
        """What the folder's index lists, whatever the note says; nothing where there is no index.

        Raises:
            DataError: the index is damaged; `recovered` makes a new one.
        """
        index = folder / INDEX
        if not index.is_file():
            return cls(folder)
        try:
            values = json.loads(index.read_bytes())  # as long as it is: there is a line a photograph
            return cls(folder, COLLECTED_INDEX.parse(values, str(index)).photographs)
        except (OSError, ValueError, RecursionError, DataError) as error:
            raise DataError(
                f"{index}: is damaged ({error}); restore it from its backup, or run the nightly flow, "
                "which makes it again from the photographs"
            ) from error

    @classmethod
    def recovered(cls, folder: Path) -> Collected:
        """What the folder holds, where its index is damaged: the photographs themselves, by time of arrival.

        The damaged index is kept under another name. A file whose content is not what its name says is left out.
        """
        index = folder / INDEX
        files = (path for path in folder.glob("*/*") if path.is_file() and _FILE.fullmatch(path.name))
        photographs = []
        for path in sorted(files, key=lambda path: (path.stat().st_mtime_ns, path)):
            digest = file_sha256(path)
            if digest.startswith(path.stem):
                photographs.append(Photograph(path.parent.name, digest, path.name))
            else:
                log.warning("%s: is not the photograph that its name says, and is left out", path)
        kept = folder / f"{Path(INDEX).stem}.damaged-{int(index.stat().st_mtime)}.json"
        index.replace(kept)
        log.warning(
            "%s was damaged, and is made again from %d photographs; the damaged one is kept as %s",
            index,
            len(photographs),
            kept.name,
        )
        return cls(folder, tuple(photographs))

    def write(self, note: Path) -> None:
        """Replaces the index, which is the moment from which the photographs count, and then the note."""
        index = self.folder / INDEX
        text = (
            json.dumps(COLLECTED_INDEX.values(CollectedIndex(self.photographs)), indent=1, ensure_ascii=False)
            + "\n"
        )
        if not self.photographs:
            index.unlink(missing_ok=True)
        elif not index.is_file() or index.read_bytes() != text.encode():
            write_text(index, text)
        digest = file_sha256(index) if self.photographs else None
        recorded = CollectedNote(len(self.photographs), len(self.people), digest)
        if not _holds(note, recorded):
            COLLECTED_NOTE.write(note, recorded)

    @property
    def people(self) -> set[str]:
        """Everybody of whom a photograph was collected."""
        return {photograph.person for photograph in self.photographs}

    def __iter__(self) -> Iterator[Member]:
        """The files in the order of their arrival, each below `COLLECTED`.

        Raises:
            DataError: a photograph is gone.
        """
        for photograph in self.photographs:
            path = self.folder / photograph.person / photograph.file
            try:
                content = path.read_bytes()
            except OSError as error:
                raise DataError(
                    f"{path}: a collected photograph cannot be read ({error.strerror}); restore it from its backup"
                ) from error
            yield Member(f"{COLLECTED}{photograph.person}/{photograph.file}", content)


def _holds(note: Path, recorded: CollectedNote) -> bool:
    try:
        return COLLECTED_NOTE.find(note) == recorded
    except DataError:
        return False
