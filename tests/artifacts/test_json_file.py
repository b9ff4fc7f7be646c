"""A JSON file of a stage: what is written is read back equal; another schema, damage and old files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from likeness.artifacts.json_file import JsonFile
from likeness.errors import DataError
from likeness.params import NULL_IS_NAN, REST


@dataclass(frozen=True)
class Inner:
    value: float = field(metadata={NULL_IS_NAN: True})
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner
    table: Mapping[str, Inner]
    note: str | None = None
    unknown: int | None = field(default=0)
    others: Mapping[str, Inner] = field(default_factory=dict, metadata=REST)


FILE = JsonFile("outer.json", Outer, stage="train", upgrade=lambda values: {"table": {}, **values})
RECORD = Outer("a", Inner(0.5, ("x",)), {"one": Inner(1.0)}, None, None, {"more": Inner(2.0), "most": Inner(3.0)})


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / FILE.name
    FILE.write(path, RECORD)
    assert FILE.read(path) == RECORD
    values = json.loads(path.read_text())
    assert values == {
        "schema_version": 1,
        "name": "a",
        "inner": {"value": 0.5, "words": ["x"]},
        "table": {"one": {"value": 1.0, "words": []}},
        "unknown": None,
        "more": {"value": 2.0, "words": []},
        "most": {"value": 3.0, "words": []},
    }


def test_what_is_undefined_is_null_in_the_file(tmp_path: Path) -> None:
    FILE.write(tmp_path / "x", Outer("a", Inner(math.nan), {}))
    assert json.loads((tmp_path / "x").read_text())["inner"]["value"] is None
    assert math.isnan(FILE.read(tmp_path / "x").inner.value)


def test_a_file_without_a_version_is_upgraded(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('{"name": "a", "inner": {"value": 1}}')
    assert FILE.read(tmp_path / "x") == Outer("a", Inner(1.0), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"schema_version": 2}', "expected schema version 1 of a Outer, found 2"),
        ('{"schema_version": true}', "found True; another release of Likeness wrote it"),
        ('{"schema_version": "1"}', "found '1'"),
        ("{", "cannot be read"),
        ("[]", "expected a Outer, a JSON object, found list"),
        (
            '{"schema_version": 1, "name": "a", "inner": {}, "table": {}}',
            "inner.value: missing, expected a number",
        ),
        (
            '{"schema_version": 1, "name": "a", "inner": {"value": 1}, "table": 3}',
            "table: expected keys, each with",
        ),
        (
            '{"schema_version": 1, "name": "a", "inner": {"value": 1}, "table": {}, "x": 3}',
            "others.x: expected a section",
        ),
        ('{"schema_version": 1, "name": "a", "inner": {"value": 1}}', "table: missing"),
    ],
)
def test_another_schema_and_damage_are_reported_with_what_helps(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "outer.json"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        FILE.read(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "`dvc repro --force train`" in str(caught.value)


def test_a_missing_file_is_reported_or_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is missing; `dvc repro train` makes it"):
        FILE.read(tmp_path / "x")
    assert FILE.find(tmp_path / "x") is None
