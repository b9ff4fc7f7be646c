"""Where a project holds something of a person."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from likeness.artifacts.manifest import MANIFEST
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.data.collected import Collected
from likeness.data.faceset import COLLECTED
from likeness.data.incoming_folder import folded
from likeness.data.quarantine import Quarantined, listed
from likeness.errors import DataError
from likeness.maintenance.cache import (
    DataSet,
    cache_folder,
    cached_folders,
    data_set,
    made_from,
    read_data_set,
)
from likeness.maintenance.tracked import TrackedTraces, tracked_traces
from likeness.serving.gallery_file import load_gallery


@dataclass(frozen=True)
class Project:
    """A project's folder, and a gallery, which may lie elsewhere."""

    root: Path
    gallery: Path

    @property
    def data(self) -> Path:
        """Folder of the data."""
        return self.root / "data"


@dataclass(frozen=True)
class Traces:
    """What holds something of a person.

    Attributes:
        folders: of the person below data/collected and data/incoming, to be removed.
        photographs: how many collected photographs the index lists of the person.
        quarantined: photographs in quarantine, to be removed.
        notes: files of the nightly intake that name the person, to be removed.
        enrolled: names in the gallery, to be removed.
        in_source: photographs in the present data set that the source itself holds.
        present: whether the present data set holds the person.
        cached: folders in DVC's cache that hold the person, or were made from such a data set: kind and listing.
        tracked: runs and registered versions.
        archives: in data/incoming; what they hold is not looked at.
    """

    folders: tuple[Path, ...] = ()
    photographs: int = 0
    quarantined: tuple[Quarantined, ...] = ()
    notes: tuple[Path, ...] = ()
    enrolled: tuple[str, ...] = ()
    in_source: int = 0
    present: bool = False
    cached: tuple[tuple[str, Path], ...] = ()
    tracked: TrackedTraces = field(default_factory=TrackedTraces)
    archives: tuple[Path, ...] = ()

    @property
    def removable(self) -> bool:
        """Whether there is anything that is removed here."""
        return bool(self.folders or self.photographs or self.quarantined or self.notes or self.enrolled)

    @property
    def remaining(self) -> bool:
        """Whether anything holds the person that is removed by other commands."""
        return bool(self.present or self.cached or self.tracked.runs or self.tracked.versions)


def find_traces(project: Project, name: str) -> Traces:
    """Everything of a person, whatever the spelling of the name: "ann lee" is Ann_Lee.

    Args:
        project: where to look.
        name: of the person.

    Raises:
        LikenessError: the index of the collection, the gallery or the tracking store cannot be read.
    """
    wanted = folded(name)
    present, in_source = _present(project, wanted)
    sets, cached = _cached(project, wanted)
    known = [*sets, *([present] if present else [])]
    holding = {one.fingerprint for one in known if _holds(one, wanted)}
    collected = Collected.listed(project.data / "collected").photographs
    incoming = project.data / "incoming"
    return Traces(
        folders=tuple(_folders(project.data / "collected", wanted)) + tuple(_folders(incoming, wanted)),
        photographs=sum(folded(photograph.person) == wanted for photograph in collected),
        quarantined=tuple(_quarantined(project.data / "quarantine", wanted)),
        notes=tuple(_notes(project, wanted)),
        enrolled=_enrolled(project.gallery, wanted),
        in_source=in_source,
        present=present is not None and _holds(present, wanted),
        cached=cached,
        tracked=tracked_traces(project.root, holding, {one.fingerprint for one in known}),
        archives=tuple(_archives(incoming)),
    )


def _holds(one: DataSet, wanted: str) -> bool:
    return any(folded(person) == wanted for person in one.people)


def _present(project: Project, wanted: str) -> tuple[DataSet | None, int]:
    """The present data set, and how many photographs of the person come from its source itself."""
    faces = project.data / "faces"
    found = read_data_set(faces, faces / MANIFEST.name, faces / SOURCE_CARD.name)
    if found is None:
        return None, 0
    try:
        table = pd.read_parquet(faces / MANIFEST.name, columns=["person", "path"])
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{faces}: cannot be read ({error}); run `dvc checkout`, or `dvc repro`") from error
    own = table[~table["path"].str.startswith(COLLECTED)]
    return found, int(own["person"].map(folded).eq(wanted).sum())


def _cached(project: Project, wanted: str) -> tuple[list[DataSet], tuple[tuple[str, Path], ...]]:
    """Every cached data set, and the cached folders that hold the person or were made from such a data set."""
    cache = cache_folder(project.root)
    folders = list(cached_folders(cache)) if cache is not None and cache.is_dir() else []
    sets = [found for folder in folders if (found := data_set(folder)) is not None]
    holding = {found.fingerprint: found for found in sets if _holds(found, wanted)}
    held = [("data set", found.place) for found in sets if _holds(found, wanted)]
    made = [(made_from(folder), folder.path) for folder in folders]
    return sets, (*held, *((kind[0], path) for kind, path in made if kind is not None and kind[1] in holding))


def _folders(parent: Path, wanted: str) -> Iterator[Path]:
    if parent.is_dir():
        yield from (path for path in sorted(parent.iterdir()) if path.is_dir() and folded(path.name) == wanted)


def _archives(incoming: Path) -> Iterator[Path]:
    from likeness.data.unpacking import ARCHIVES

    if incoming.is_dir():
        yield from (path for path in sorted(incoming.rglob("*")) if path.name.lower().endswith(ARCHIVES))


def _quarantined(quarantine: Path, wanted: str) -> Iterator[Quarantined]:
    """Photographs in quarantine that the text beside them, or a folder on their path, gives to the person."""
    for file in listed(quarantine) if quarantine.is_dir() else ():
        if wanted in {folded(part) for part in (file.person, *Path(file.name).parts[:-1]) if part}:
            yield file


def _notes(project: Project, wanted: str) -> Iterator[Path]:
    """What the intake wrote of its last batch, and damaged indexes of the collection, that name the person."""
    batch = project.root / ".likeness" / "nightly" / "batch.json"
    for path in (batch, *sorted((project.data / "collected").glob("index.damaged-*.json"))):
        if path.is_file() and wanted in folded(path.read_text(encoding="utf-8", errors="replace")):
            yield path


def _enrolled(gallery: Path, wanted: str) -> tuple[str, ...]:
    if not gallery.is_file():
        return ()
    return tuple(name for name in load_gallery(gallery).names if folded(name) == wanted)


def remove_tree(folder: Path) -> None:
    """Removes a folder of a person.

    Raises:
        DataError: it cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be removed ({error.strerror}); make it writable, and run again"
        ) from error
