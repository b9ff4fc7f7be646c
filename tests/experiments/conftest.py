"""Faces that are drawn once for all tests of trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.experiments.runner import prepare
from tests.experiments.tiny import plan_tiny, trials_of


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny faces, drawn and validated."""
    top = tmp_path_factory.mktemp("results")
    prepare(plan_tiny(top, trials_of()))
    return top / "faces"
