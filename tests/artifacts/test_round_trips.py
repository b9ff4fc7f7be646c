"""Every record of the stages is read back as it was written, whatever it holds."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.source_card import SOURCE_CARD

FILES: list[JsonFile[Any]] = [RUN_NOTE, SOURCE_CARD]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_round_trip(file: JsonFile[Any], data: st.DataObject) -> None:
    record = data.draw(st.builds(file.kind))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.name
        file.write(path, record)
        assert file.read(path) == record
