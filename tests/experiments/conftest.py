"""Faces that are drawn once for all tests of trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from likeness.experiments.runner import prepare
from tests.experiments.tiny import plan_tiny, trials_of
from tests.sharing import shared_folder


@pytest.fixture(scope="session")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny faces, drawn and validated."""
    made = shared_folder(tmp_path_factory, "tiny-faces", lambda top: prepare(plan_tiny(top, trials_of())))
    return made / "faces"
