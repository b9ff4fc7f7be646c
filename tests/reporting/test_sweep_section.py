"""The chapter about swept parameters, and what it says of trainings that are none of the report's own."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from likeness.artifacts.sweep_table import SWEEP
from likeness.reporting.artefacts import Artefacts, Places
from likeness.reporting.document import Note, Prose, Table
from likeness.reporting.figures.training import swept
from likeness.reporting.sections.training import sweep_section
from tests.artifacts.samples import sweep_table


def artefacts(folder: Path, table: pd.DataFrame) -> Artefacts:
    SWEEP.write(folder / "sweep.csv", table)
    return Artefacts(Places(*[folder] * 7, sweep=folder / "sweep.csv"))


def test_a_sweep_says_what_was_trained_for_it(tmp_path: Path) -> None:
    blocks = sweep_section(artefacts(tmp_path, sweep_table("train.batch_size", [8, 32]))).blocks
    (said,) = [block.text for block in blocks if isinstance(block, Prose)]
    assert "recipe koch" in said
    assert "440 held-out pairs" in said
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert [row[0] for row in table.rows] == ["8", "32"]


def test_the_empty_table_of_a_project_without_a_sweep() -> None:
    shipped = Path(__file__).parents[2] / "reports" / "sweep.csv"
    (note,) = sweep_section(Artefacts(Places(*[shipped.parent] * 7, sweep=shipped))).blocks
    assert isinstance(note, Note)
    assert "make sweep" in note.text


def test_the_axis_says_each_value_as_it_is() -> None:
    svg = swept(sweep_table("train.batch_size", [8, 32, 64]), "train.batch_size").svg
    assert all(f">{size}<" in svg for size in (8, 32, 64))


def test_a_number_of_people_is_named_in_words(tmp_path: Path) -> None:
    blocks = sweep_section(artefacts(tmp_path, sweep_table("training people", [80, 160, 320]))).blocks
    (table,) = [block for block in blocks if isinstance(block, Table)]
    assert table.columns[0].name == "number of training people"
    figure = swept(sweep_table("training people", [80, 160, 320]), "training people")
    assert figure.name == "sweep-training-people"
    assert figure.caption == "Accuracy against number of training people."
