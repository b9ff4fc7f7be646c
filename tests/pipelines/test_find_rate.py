"""`likeness find-rate` over the files of the stages before the training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from likeness.cli import app
from tests.pipelines.test_train import PARAMS, places, prepared  # noqa: F401 (a fixture)


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_a_rate_is_suggested_and_nothing_is_written(prepared: Path, tmp_path: Path, flags: list[str]) -> None:  # noqa: F811
    given = places(prepared, tmp_path, PARAMS)
    before = sorted(tmp_path.rglob("*"))
    options = [text for name in ("params", "faces", "splits") for text in (f"--{name}", str(given[name]))]
    done = CliRunner().invoke(app, ["find-rate", *options, "--steps", "20", "--device", "cpu", *flags])
    assert done.exit_code == 0, done.output
    assert sorted(tmp_path.rglob("*")) == before
    if flags:
        said = json.loads(done.stdout)
        assert said["rates"][0] < said["suggestion"] <= said["rates"][-1]
    else:
        assert "suggested learning rate: " in done.stdout
        assert "(the recipe's: 3.0e-03)" in done.stdout
