"""The chapter about swept parameters, and what it says of trainings that are none of the report's own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from likeness.reporting.artefacts import Artefacts, Places
from likeness.reporting.document import Note, Prose, Table
from likeness.reporting.figures.training import swept
from likeness.reporting.sections.training import sweep_section

COLUMNS = ["parameter", "value", "split", "accuracy", "pairs", "faces", "training"]


def artefacts(folder: Path, table: pd.DataFrame) -> Artefacts:
    table.to_csv(folder / "sweep.csv", index=False)
    return Artefacts(Places(*[folder] * 7, sweep=folder / "sweep.csv"))


def test_a_sweep_tells_what_was_trained_for_it(tmp_path: Path) -> None:
    rows = [("train.batch_size", size, "holdout", 0.6, 440, "lfw-a", "recipe koch") for size in (8.0, 32.0)]
    blocks = sweep_section(artefacts(tmp_path, pd.DataFrame(rows, columns=COLUMNS))).blocks
    (told,) = [block.text for block in blocks if isinstance(block, Prose)]
    assert "recipe koch" in told
    assert "440 held-out pairs" in told
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["8", "32"]


def test_the_empty_table_of_a_project_without_a_sweep(tmp_path: Path) -> None:
    (note,) = sweep_section(artefacts(tmp_path, pd.DataFrame(columns=COLUMNS))).blocks
    assert isinstance(note, Note)
    assert "make sweep" in note.text


def test_the_axis_tells_each_value_as_it_is() -> None:
    sizes = pd.DataFrame({"value": [8.0, 32.0, 64.0], "split": "holdout", "accuracy": 0.6})
    svg = swept(sizes, "train.batch_size").svg
    assert all(f">{size}<" in svg for size in (8, 32, 64))
