"""Settings of operation: from operations.yaml, or params.yaml where an older project has them; never reset."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import yaml

from likeness.errors import ParamsError
from likeness.operations import read_operations
from tests.nightly.toy_project import initialise, run


@dataclass(frozen=True)
class Inner:
    size: float = 0.5
    sharpness: float = 0.5


@dataclass(frozen=True)
class Nightly:
    SECTION: ClassVar[str] = "nightly"

    cron: str = "0 2 * * *"
    port: int = 4200
    drift: Inner = Inner()


@dataclass(frozen=True)
class Gate:
    SECTION: ClassVar[str] = "gate"

    seed: int = 0


def written(folder: Path, operations: str | None = None, params: str | None = None) -> Path:
    for name, text in (("operations.yaml", operations), ("params.yaml", params)):
        if text is not None:
            (folder / name).write_text(text)
    return folder / "params.yaml"


@pytest.mark.parametrize("text", [None, "", "# nothing\n", "nightly:\n", "nightly: {}\n", "gate:\n  seed: 3\n"])
def test_what_is_not_set_has_its_default(tmp_path: Path, text: str | None) -> None:
    assert read_operations(written(tmp_path, text), Nightly) == Nightly()


def test_several_sections_come_in_the_order_asked_for(tmp_path: Path) -> None:
    params = written(tmp_path, "gate: {seed: 3}\nnightly: {port: 4201}\n")
    assert read_operations(params, Gate, Nightly) == (Gate(3), Nightly(port=4201))


@pytest.mark.fault("A2")
def test_sections_of_params_yaml_are_still_read_and_come_second(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    params = written(tmp_path, None, "nightly: {cron: 0 3 * * *, port: 1, drift: {size: 1.0, sharpness: 1.0}}\n")
    assert read_operations(params, Nightly).cron == "0 3 * * *"
    assert "section nightly belongs in operations.yaml" in caplog.text
    written(tmp_path, "nightly:\n  port: 2\n  drift:\n    size: 2.0\n")
    assert read_operations(params, Nightly) == Nightly("0 3 * * *", 2, Inner(2.0, 1.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nightly: {crn: x}\n", "nightly.crn: unknown key, did you mean cron"),
        ("nightly: 3\n", "nightly: expected a section with keys, found int"),
        ("nightlyy: {}\n", "unknown section nightlyy; known are tracking, gate, nightly"),
        ("- 1\n", "expected sections with keys"),
        ("nightly: [", "is not valid YAML"),
    ],
)
def test_mistakes_name_the_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ParamsError, match=message) as caught:
        read_operations(written(tmp_path, text), Nightly)
    assert "operations.yaml" in str(caught.value)


@pytest.mark.fault("A2")
def test_an_experiment_resets_no_setting_of_operation(tmp_path: Path) -> None:
    """A real `dvc exp run -S`, which composes params.yaml again."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text("train: {seed: 0}\n")
    stage = {"cmd": "python -c pass", "params": ["train"]}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": stage}}))
    params = written(tmp_path, "nightly: {cron: 30 4 * * *, port: 4299}\n", "train: {seed: 0}\n")
    initialise(tmp_path)
    dvc = [sys.executable, "-m", "dvc"]
    run([*dvc, "config", "hydra.enabled", "true"], tmp_path)
    run(["git", "add", "-A"], tmp_path)
    run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all"], tmp_path)
    run([*dvc, "exp", "run", "-S", "train.seed=7"], tmp_path)
    assert yaml.safe_load(params.read_text())["train"]["seed"] == 7
    assert read_operations(params, Nightly) == Nightly("30 4 * * *", 4299)
