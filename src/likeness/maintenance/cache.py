"""What DVC's cache holds of earlier outputs: data sets, and what was made from them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from likeness.artifacts.manifest import MANIFEST
from likeness.artifacts.metrics import METRICS
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.artifacts.validation_record import VALIDATION
from likeness.files import read_json
from likeness.models.card import CARD

_DERIVED = {CARD: "model", METRICS.name: "evaluation", VALIDATION.name: "validation"}
"""A file that a folder of such outputs holds; it names the data set by its fingerprint."""


@dataclass(frozen=True)
class CachedFolder:
    """One folder in the cache.

    Attributes:
        path: of its listing, `<two digits>/<rest>.dir`.
        files: paths of its files in the cache, by their names in the folder.
    """

    path: Path
    files: dict[str, Path]


@dataclass(frozen=True)
class DataSet:
    """A data set in the cache or in the project.

    Attributes:
        place: where.
        fingerprint: of it.
        people: everybody in it.
    """

    place: Path
    fingerprint: str
    people: frozenset[str]


def cache_folder(project: Path) -> Path | None:
    """Folder of the cached files by their digests; None where the project has no DVC."""
    if not (project / ".dvc").is_dir():
        return None
    from dvc.repo import Repo

    with Repo(str(project)) as repo:
        return Path(repo.cache.local.path)


def cached_folders(cache: Path) -> Iterator[CachedFolder]:
    """Every folder in the cache; a listing that cannot be read is passed over."""
    for path in sorted(cache.glob("*/*.dir")):
        try:
            items = json.loads(path.read_bytes())
            files = {str(item["relpath"]): _place(cache, str(item["md5"])) for item in items}
        except (OSError, ValueError, KeyError, TypeError):
            continue
        yield CachedFolder(path, files)


def _place(cache: Path, digest: str) -> Path:
    return cache / digest[:2] / digest[2:]


def data_set(folder: CachedFolder) -> DataSet | None:
    """The data set that a cached folder is; None for other folders, and where its files are gone."""
    if MANIFEST.name not in folder.files or SOURCE_CARD.name not in folder.files:
        return None
    return read_data_set(folder.path, folder.files[MANIFEST.name], folder.files[SOURCE_CARD.name])


def read_data_set(place: Path, manifest: Path, source: Path) -> DataSet | None:
    """People and fingerprint of a data set; None where it cannot be read."""
    try:
        people = pd.read_parquet(manifest, columns=["person"])["person"]
        return DataSet(place, str(read_json(source)["fingerprint"]), frozenset(map(str, people.unique())))
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None


def made_from(folder: CachedFolder) -> tuple[str, str] | None:
    """What a cached folder is, and the fingerprint of the data set that it was made from; None where unknown."""
    for name, kind in _DERIVED.items():
        if name in folder.files:
            try:
                found = _fingerprint(read_json(folder.files[name]))
            except (OSError, ValueError):
                return None
            return None if found is None else (kind, found)
    return None


def _fingerprint(value: Any) -> str | None:
    """In a card, in metrics.json (`data`) or in validation.json (`source`)."""
    if not isinstance(value, dict):
        return None
    for part in (value, value.get("data"), value.get("source")):
        if isinstance(part, dict) and isinstance(part.get("fingerprint"), str):
            return str(part["fingerprint"])
    return None
