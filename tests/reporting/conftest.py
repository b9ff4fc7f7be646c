"""The small run is made once; a test that changes files gets a copy."""

from __future__ import annotations

import shutil
from dataclasses import fields, replace
from pathlib import Path

import pytest

from likeness.reporting.artefacts import Artefacts, Places
from likeness.reporting.document import Page
from likeness.reporting.page import build_page
from likeness.reporting.params import ReportParams
from tests.reporting.small_run import small_run

PARAMS = ReportParams(title="A small run", decisions=1, sample=10, rows=2)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return small_run(tmp_path_factory)


@pytest.fixture(scope="session")
def page(run: Places) -> Page:
    return build_page(Artefacts(run), PARAMS)


@pytest.fixture
def copied(run: Places, tmp_path: Path) -> Places:
    root = tmp_path / "copied"
    shutil.copytree(run.params.parent, root)
    moved = {field.name: getattr(run, field.name) for field in fields(run)}
    return replace(run, **{name: root / path.name for name, path in moved.items() if path is not None})
