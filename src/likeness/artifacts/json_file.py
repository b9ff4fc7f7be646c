"""A kind of JSON file: one frozen dataclass, a schema version, one reader and one writer."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from likeness.errors import DataError, ParamsError
from likeness.files import read_json, write_json
from likeness.params import REST, from_mapping

T = TypeVar("T")
SCHEMA = "schema_version"
"""Key of the version of a file's schema; files that were written before 0.2 have none."""


@dataclass(frozen=True)
class JsonFile(Generic[T]):
    """One kind of JSON file.

    Attributes:
        name: of the file, in the folder of its stage.
        kind: the dataclass that it holds.
        stage: of dvc.yaml that writes it; None where no stage does.
        version: of its schema.
        upgrade: makes the content of a file without a schema version that of version 1, where they differ.
    """

    name: str
    kind: type[T]
    stage: str | None = None
    version: int = 1
    upgrade: Callable[[dict[str, Any]], dict[str, Any]] | None = None

    def write(self, path: Path, record: T) -> None:
        """Writes a record with the schema version, atomically.

        Raises:
            OutputError: the file cannot be written.
        """
        write_json(path, self.values(record))

    def values(self, record: T) -> dict[str, Any]:
        """What the file of a record holds."""
        return {SCHEMA: self.version, **plain(record)}

    def read(self, path: Path) -> T:
        """The record that a file holds.

        Raises:
            DataError: it is missing, damaged, of another schema, or holds other keys or types than expected.
        """
        try:
            return self.parse(read_json(path), str(path))
        except FileNotFoundError as error:
            made = f"`dvc repro {self.stage}` makes it" if self.stage else f"expected a {self.kind.__name__}"
            raise DataError(f"{path}: is missing; {made}") from error
        except (OSError, ValueError) as error:
            expected = f"expected a {self.kind.__name__}, but it cannot be read ({error})"
            raise DataError(f"{path}: {expected}; {self._remedy}") from error

    def find(self, path: Path) -> T | None:
        """As `read`; None where there is no such file."""
        return self.read(path) if path.exists() else None

    def parse(self, values: object, origin: str) -> T:
        """The record of a JSON value that was read already; `origin` names it in a message.

        Raises:
            DataError: as for `read`.
        """
        if not isinstance(values, Mapping):
            expected = f"expected a {self.kind.__name__}, a JSON object, found {type(values).__name__}"
            raise DataError(f"{origin}: {expected}; {self._remedy}")
        found = values.get(SCHEMA)
        if found not in (None, self.version) or isinstance(found, bool):
            raise DataError(
                f"{origin}: expected schema version {self.version} of a {self.kind.__name__}, found {found!r}; "
                f"another release of Likeness wrote it: use that release, or make the file again; {self._remedy}"
            )
        content = {key: value for key, value in values.items() if key != SCHEMA}
        if found is None and self.upgrade:
            content = self.upgrade(content)
        try:
            return from_mapping(self.kind, content, origin)
        except ParamsError as error:
            raise DataError(f"{error}\n{self._remedy}") from error

    @property
    def _remedy(self) -> str:
        if self.stage is None:
            return "if it is damaged, remove it"
        return f"`dvc checkout` restores what DVC knows, `dvc repro --force {self.stage}` makes it again"


def plain(record: Any) -> dict[str, Any]:
    """A dataclass as plain nested values: NaN becomes None, and a default that is None or empty is left out."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if field.metadata == REST:
            values |= _plain(value)
        elif not ((value is None and field.default is None) or (value == {} and field.default_factory is dict)):
            values[field.name] = _plain(value)
    return values


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return plain(value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return None if isinstance(value, float) and value != value else value
