"""A packed version carries its code and pins what that needs; no requirement can be somebody else's package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from likeness.tracking.packing import packed, requirements
from tests.tracking.samples import trained

LOAD = """
import sys, mlflow.pyfunc
model = mlflow.pyfunc.load_model(sys.argv[1])
import likeness
print(likeness.__file__)
"""


@pytest.fixture
def version(project: Path) -> Path:
    """A version's folder, kept for the test."""
    import shutil

    folder = trained(project / "outputs" / "one", 0, 0.8)
    with packed(folder / "model", folder / "predictions.parquet", {"threshold": 0.0}) as made:
        return Path(shutil.copytree(made, project / "version"))


@pytest.mark.fault("C1")
@pytest.mark.parametrize("file", ["requirements.txt", "conda.yaml", "python_env.yaml"])
def test_every_requirement_is_pinned_and_none_is_ours(version: Path, file: str) -> None:
    text = (version / file).read_text()
    named = re.findall(r"^\s*-?\s*([A-Za-z][\w.-]*)\s*((?:==|<=|>=|<|>|~=)\S+)?\s*$", text, re.MULTILINE)
    assert "likeness" not in {name.lower() for name, _ in named}
    if file == "requirements.txt":
        assert len(named) == len(text.splitlines())
        assert all(re.fullmatch(r"==[\w.]+", pin) for _, pin in named), named


@pytest.mark.fault("C1")
def test_the_pins_are_what_the_lock_file_holds() -> None:
    lock = (Path(__file__).parents[2] / "requirements.lock").read_text()
    locked = {name.lower().replace("_", "-"): pin for name, pin in re.findall(r"^([\w.-]+)==([\w.]+)", lock, re.M)}
    for requirement in requirements():
        name, _, pin = requirement.partition("==")
        assert locked[name] == pin, requirement


@pytest.mark.fault("C1")
def test_the_version_is_loaded_with_the_code_that_it_carries(version: Path, tmp_path: Path) -> None:
    """As on a machine on which this project is not installed."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(version)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip().splitlines()[-1]).is_relative_to(version)
