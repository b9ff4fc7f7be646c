"""Every record of the stages is read back as it was written, whatever it holds."""

from __future__ import annotations

import dataclasses
import tempfile
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Union

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from likeness.artifacts.digests import DIGESTS
from likeness.artifacts.gate_decision import GATE_DECISION
from likeness.artifacts.gate_figures import GATE_FIGURES
from likeness.artifacts.history import HISTORY, STEPS, EpochRecord, StepRecord
from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.metrics import METRICS, Metrics, SystemMetrics
from likeness.artifacts.predictions import PREDICTIONS, PredictionRecord
from likeness.artifacts.recipe_table import RECIPES, RecipeRecord
from likeness.artifacts.run_note import RUN_NOTE
from likeness.artifacts.shown_decisions import DECISIONS
from likeness.artifacts.source_card import SOURCE_CARD
from likeness.artifacts.source_state import SOURCE_STATE
from likeness.artifacts.split import SPLIT_CARD
from likeness.artifacts.sweep_table import SWEEP, SweepRecord
from likeness.artifacts.table_file import TableFile
from likeness.artifacts.training_summary import SUMMARY
from likeness.artifacts.trial import TRIAL
from likeness.artifacts.validation_record import VALIDATION

TEXT = st.text(st.characters(exclude_categories=["C"]), max_size=5)
PLAIN = {
    int: st.integers(0, 2**40),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: TEXT,
    bool: st.booleans(),
    type(None): st.none(),
    Any: st.none() | st.booleans() | st.integers() | TEXT,
}
FILES: list[JsonFile[Any]] = [
    DIGESTS,
    SOURCE_STATE,
    GATE_DECISION,
    GATE_FIGURES,
    METRICS,
    RUN_NOTE,
    SOURCE_CARD,
    SPLIT_CARD,
    SUMMARY,
    TRIAL,
    VALIDATION,
    DECISIONS,
]


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type that an artifact may have."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is Annotated:
        return values(arguments[0])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, arguments))
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin in (dict, Mapping):
        return st.dictionaries(TEXT.map("key {}".format), values(arguments[1]), max_size=3)
    hints = typing.get_type_hints(hint, include_extras=True)
    fields = {field.name: values(hints[field.name]) for field in dataclasses.fields(hint)}
    if hint is Metrics:
        system = values(SystemMetrics)
        fields["systems"] = st.fixed_dictionaries(
            {"model": system, "baseline": system}, optional={"untrained": system}
        )
    return st.builds(hint, **fields)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_json(file: JsonFile[Any], data: st.DataObject) -> None:
    record = data.draw(values(file.kind))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.name
        file.write(path, record)
        assert file.read(path) == record


TABLES = [
    (HISTORY, EpochRecord),
    (STEPS, StepRecord),
    (SWEEP, SweepRecord),
    (RECIPES, RecipeRecord),
    (PREDICTIONS, PredictionRecord),
]


@pytest.mark.parametrize(("file", "kind"), TABLES, ids=lambda each: getattr(each, "name", ""))
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_table(file: TableFile, kind: type[Any], data: st.DataObject) -> None:
    table = file.records(data.draw(st.lists(values(kind), max_size=5)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file.name
        file.write(path, table)
        pd.testing.assert_frame_equal(file.read(path), table.astype(dict(file.columns)))
