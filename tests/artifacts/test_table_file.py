"""A table of a stage: other columns, damage and missing files are reported; empty tables keep their types."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from likeness.artifacts.sweep_table import SWEEP
from likeness.artifacts.table_file import TableFile
from likeness.errors import DataError

COLUMNS = {"name": "str", "count": "int64", "share": "float64", "right": "bool"}
CSV, PARQUET = (TableFile(f"table.{ending}", COLUMNS, stage="evaluate") for ending in ("csv", "parquet"))
TABLE = pd.DataFrame(
    {"name": ["a", "", "NA"], "count": [1, 2, 3], "share": [0.1, None, 3e300], "right": [True, False, True]}
)


@pytest.mark.parametrize("file", [CSV, PARQUET], ids=["csv", "parquet"])
@pytest.mark.parametrize("rows", [3, 0])
def test_round_trip(tmp_path: Path, file: TableFile, rows: int) -> None:
    table = TABLE.iloc[:rows].astype(COLUMNS)
    file.write(tmp_path / file.name, table[list(reversed(COLUMNS))])
    pd.testing.assert_frame_equal(file.read(tmp_path / file.name), table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,count,share\na,1,1\n", "right is missing. Another release"),
        ("name,count,share,right,more\na,1,1,True,1\n", "more is unknown. Another release"),
        ("name,count,share,right\na,one,1,True\n", "cannot be read"),
        ("name,count,share,right\na,,1,True\n", "cannot be read"),
        ("", "cannot be read"),
    ],
)
def test_other_columns_and_damage_are_reported_with_what_helps(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / CSV.name
    path.write_text(text)
    with pytest.raises(DataError, match=f"(?s){said}.*dvc repro --force evaluate") as caught:
        CSV.read(path)
    assert str(path) in str(caught.value)


def test_a_damaged_parquet_and_a_missing_file(tmp_path: Path) -> None:
    (tmp_path / PARQUET.name).write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read"):
        PARQUET.read(tmp_path / PARQUET.name)
    with pytest.raises(DataError, match="is missing; `dvc repro evaluate` makes it"):
        CSV.read(tmp_path / CSV.name)
    assert CSV.find(tmp_path / CSV.name) is None


def test_a_table_of_other_columns_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="share is missing"):
        CSV.write(tmp_path / CSV.name, TABLE.drop(columns="share"))
    assert not list(tmp_path.iterdir())


def test_a_table_that_no_stage_makes_names_its_command(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sweep\.csv: is missing; `make sweep` makes it"):
        SWEEP.read(tmp_path / SWEEP.name)
    (tmp_path / SWEEP.name).write_text("parameter,value\ntrain.epochs,1\n")
    with pytest.raises(DataError, match=r"(?s)expected the columns parameter, .* Another release .*`make sweep`"):
        SWEEP.read(tmp_path / SWEEP.name)
