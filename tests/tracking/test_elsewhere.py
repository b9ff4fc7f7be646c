"""A registry that is asked for from a folder that is no project."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "import sys; from likeness.cli import main; sys.argv[0] = 'likeness'; main()"


@pytest.mark.fault("A12", "D19")
@pytest.mark.parametrize(
    "command",
    [
        ["verify", "--model", "models:/likeness@champion", "a.png", "b.png"],
        ["serve", "--model", "models:/likeness@champion"],
        ["rollback", "--because", "a test"],
    ],
    ids=lambda command: command[0],
)
def test_nothing_is_made_and_the_message_says_where_it_looked(tmp_path: Path, command: list[str]) -> None:
    hidden = ("MLFLOW_TRACKING_URI", "LIKENESS_MODEL", "LIKENESS_GALLERY")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *command],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key not in hidden},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert str(tmp_path / "mlflow.db") in done.stderr
    assert "run from the project's folder" in done.stderr
    assert list(tmp_path.iterdir()) == []
