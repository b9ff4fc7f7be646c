"""JSON files that hold one dataclass and its schema version."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, TypeVar

from likeness.errors import DataError, ParamsError
from likeness.files import read_json, write_json
from likeness.params import from_mapping

SCHEMA_VERSION = "schema_version"
T = TypeVar("T")


def as_versioned(version: int, value: Any) -> dict[str, Any]:
    """Plain values of a dataclass, with its schema version."""
    return {SCHEMA_VERSION: version, **dataclasses.asdict(value)}


def write_versioned(path: Path, version: int, value: Any) -> None:
    """Writes a dataclass and its schema version as one JSON object.

    Raises:
        OutputError: the file cannot be written.
    """
    write_json(path, as_versioned(version, value))


def read_versioned(path: Path, kind: type[T], version: int, *, unversioned: bool = False) -> T:
    """The dataclass that a JSON file of one schema version holds.

    Args:
        path: of the file.
        kind: the dataclass.
        version: that is understood.
        unversioned: a file without a version, as releases before 0.2 wrote it, is understood as well.

    Raises:
        DataError: the file cannot be read, holds something else, or has another version.
    """
    try:
        values = read_json(path)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected a {kind.__name__}, but it cannot be read ({error})") from error
    if not isinstance(values, dict):
        raise DataError(f"{path}: expected a {kind.__name__}, a JSON object, found {type(values).__name__}")
    found = values.pop(SCHEMA_VERSION, None)
    if found != version and not (found is None and unversioned):
        raise DataError(
            f"{path}: expected schema version {version} of a {kind.__name__}, found {found!r}; another release "
            "of Likeness wrote it: use that release, or remove the file and make it anew"
        )
    try:
        return from_mapping(kind, values, str(path))
    except ParamsError as error:
        raise DataError(str(error)) from error
