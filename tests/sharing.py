"""Folders that are costly to make and that tests only read: made once a run, for all workers of pytest-xdist."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def shared_folder(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder of that name; the worker that asks first makes it, the others wait.

    Args:
        factory: of the session.
        name: of the folder, one in the whole suite.
        make: fills the empty folder that it is given.
    """
    base = factory.getbasetemp()
    top = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder, made = top / name, top / f"{name}.made"
    with FileLock(top / f"{name}.lock"):
        if not made.exists():
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
