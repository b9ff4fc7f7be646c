"""Whether the gate has decided on the present model is stored in the registry alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from likeness.nightly.outcome import HaltError, RunOutcome
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.registry_state import is_judged
from tests.nightly.toy_project import judged_model


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProjectPaths:
    """A project whose model the gate has decided on, as `make register` does it: outside any nightly run."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    root = tmp_path / "project"
    shutil.copytree(judged_model(), root)
    monkeypatch.chdir(root)
    return ProjectPaths(root)


def test_the_registry_knows_what_the_gate_decided_on(paths: ProjectPaths) -> None:
    assert is_judged(paths)
    assert not paths.state.exists(), "nothing is stored a second time"


def test_another_model_or_evaluation_or_none_is_not_judged(paths: ProjectPaths) -> None:
    weights = paths.model / "weights.safetensors"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + b"x")
    assert not is_judged(paths)
    weights.unlink()
    assert not is_judged(paths)


def test_a_memory_of_the_version_before_decides_nothing(paths: ProjectPaths) -> None:
    paths.state.mkdir(parents=True)
    (paths.state / "judged.json").write_text("{}")
    assert is_judged(paths)


def test_a_new_store_knows_nothing(paths: ProjectPaths) -> None:
    (paths.root / "mlflow.db").unlink()
    assert not is_judged(paths)


def test_a_store_that_does_not_answer_ends_the_run(paths: ProjectPaths) -> None:
    (paths.root / "operations.yaml").write_text("tracking: {uri: 'http://127.0.0.1:9'}\n")
    with pytest.raises(HaltError) as caught:
        is_judged(paths)
    assert (caught.value.outcome, caught.value.transient) == (RunOutcome.TRACKING_AWAY, True)
