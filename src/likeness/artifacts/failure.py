"""The failure of a stage, which it leaves as a small JSON file for the program that started it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from likeness.errors import Failure, OutputError, ParamsError
from likeness.files import read_json, write_json
from likeness.params import from_mapping

FAILURE_FILE = "LIKENESS_FAILURE"
"""Environment variable that names the file."""


def write_failure(failure: Failure) -> None:
    """Writes a failure to the file that `FAILURE_FILE` names, where it names one."""
    if target := os.environ.get(FAILURE_FILE):
        with suppress(OutputError):  # the disk is full: the exit code has to do
            write_json(Path(target), asdict(failure))


def read_failure(path: Path) -> Failure | None:
    """The failure of a stage; None where it left none, as when it was killed or DVC itself failed."""
    try:
        return from_mapping(Failure, read_json(path), str(path))
    except (OSError, ValueError, ParamsError):
        return None
