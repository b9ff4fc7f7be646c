"""A kind of table, as CSV or Parquet: its columns are its schema, with one reader and one writer.

A change of what a column means gives it another name, so that a reader refuses the table of another release.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from likeness.deprecated import current_name
from likeness.errors import DataError
from likeness.files import atomic_path, write_text

_DTYPES = {int: "int64", float: "float64", float | None: "float64", str: "str", bool: "bool"}


@dataclass(frozen=True)
class TableFile:
    """One kind of table.

    Attributes:
        name: of the file, in the folder of its stage; .csv or .parquet.
        columns: their dtypes by name, in the order in which they are written.
        stage: of dvc.yaml that writes it; None where no stage does.
        defaults: of the columns that tables of earlier releases lack.
        command: that makes it where no stage does.
        former: columns of tables of earlier releases, which are left out.
    """

    name: str
    columns: Mapping[str, str]
    stage: str | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)
    command: str | None = None
    former: tuple[str, ...] = ()

    def write(self, path: Path, table: pd.DataFrame) -> None:
        """Writes a table atomically; what is not known (None, NaN) is an empty cell of a CSV.

        Raises:
            OutputError: the file cannot be written.
            DataError: the table has other columns.
        """
        self._check(table, str(path))
        typed = table[list(self.columns)].astype(dict(self.columns))
        if path.suffix == ".csv":
            write_text(path, typed.to_csv(index=False, lineterminator="\n"))
            return
        with atomic_path(path) as temporary:
            typed.to_parquet(temporary, index=False)

    def read(self, path: Path) -> pd.DataFrame:
        """The table with its columns and dtypes.

        Raises:
            DataError: it is missing, damaged, or has other columns.
        """
        try:
            table = self._csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
            table = table.rename(columns=current_name).drop(columns=list(self.former), errors="ignore")
            table = table.assign(**{name: value for name, value in self.defaults.items() if name not in table})
            self._check(table, str(path))
            return table[list(self.columns)].astype(dict(self.columns))
        except DataError:
            raise
        except FileNotFoundError as error:
            raise DataError(
                f"{path}: is missing; `{self.command or f'dvc repro {self.stage}'}` makes it"
            ) from error
        except Exception as error:  # whatever a damaged file makes pandas and pyarrow raise
            raise DataError(f"{path}: cannot be read ({error}); {self._remedy}") from error

    def find(self, path: Path) -> pd.DataFrame | None:
        """As `read`; None where there is no such file."""
        return self.read(path) if path.exists() else None

    def records(self, values: Iterable[Any]) -> pd.DataFrame:
        """A table of dataclasses whose fields are the columns, one row each."""
        return pd.DataFrame([dataclasses.astuple(value) for value in values], columns=list(self.columns))

    def _csv(self, path: Path) -> pd.DataFrame:
        texts = {name: kind for name, kind in self.columns.items() if kind == "str"}
        empty = {name: [""] for name in self.columns if name not in texts}
        return pd.read_csv(path, dtype=texts, keep_default_na=False, na_values=empty)

    def _check(self, table: pd.DataFrame, origin: str) -> None:
        missing = [name for name in self.columns if name not in table]
        unknown = [str(name) for name in table if name not in self.columns]
        if missing or unknown:
            wrong = [f"{name} is missing" for name in missing] + [f"{name} is unknown" for name in unknown]
            raise DataError(
                f"{origin}: expected the columns {', '.join(self.columns)}; {', '.join(wrong)}. Another "
                f"release of Likeness writes it so: use that release, or make the file again; {self._remedy}"
            )

    @property
    def _remedy(self) -> str:
        if self.command:
            return f"`{self.command}` makes it again"
        return f"`dvc checkout` restores what DVC knows, `dvc repro --force {self.stage}` makes it again"


def columns_of(kind: type[Any]) -> dict[str, str]:
    """The columns of a table with a row for each dataclass of a kind."""
    hints = typing.get_type_hints(kind)
    return {field.name: _DTYPES[hints[field.name]] for field in dataclasses.fields(kind)}
