"""A training whose run the store does not hold, as in a clone after `dvc pull`."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from likeness.artifacts.run_note import RUN_NOTE
from likeness.errors import TrackingError
from likeness.files import read_json, write_json
from likeness.models.card import CARD, read_card
from likeness.tracking.registry import Registry
from likeness.tracking.runs import log_evaluation
from likeness.tracking.trainings import RESTORED, find_run
from tests.tracking.samples import METRICS, register, trained, training_reports


@pytest.fixture
def pulled(project: Path) -> Path:
    """The files of a training that was tracked in another store."""
    folder = trained(project / "outputs", 0, 0.8)
    training_reports(folder)
    run = read_json(folder / "run.json")
    code = run["code"] | {"commit": "c" * 40, "dirty": False}
    write_json(folder / "run.json", run | {"run_id": "f" * 32, "experiment": "elsewhere", "code": code})
    return folder


@pytest.mark.fault("A6")
def test_the_run_is_made_from_the_files_of_the_training(pulled: Path) -> None:
    registry = Registry.open()
    version = registry.versions.of(register(registry, pulled))
    client = registry._store.client
    run = client.get_run(version.run_id)
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "elsewhere"
    assert run.data.params == {"train.epochs": "2", "train.seed": "7"}
    assert [point.value for point in client.get_metric_history(version.run_id, "train/loss")] == [0.5, 0.25]
    assert len(client.get_metric_history(version.run_id, "train/step_loss")) == 3
    assert run.data.metrics["test/accuracy"] == 0.9
    weights = read_card(pulled / "model" / CARD).weights_sha256
    expected = {"git.commit": "c" * 40, "git.dirty": "false", "restored.run_id": "f" * 32, RESTORED: weights}
    assert expected.items() <= run.data.tags.items()


@pytest.mark.fault("A6")
def test_it_is_made_once(pulled: Path) -> None:
    registry = Registry.open()
    first = registry.versions.of(register(registry, pulled))
    other = pulled / "predictions.parquet"
    other.write_bytes(other.read_bytes() + b" ")  # the same training, evaluated again
    second = registry.versions.of(register(registry, pulled))
    assert second.version != first.version
    assert second.run_id == first.run_id


@pytest.mark.fault("A6")
def test_a_training_that_was_not_tracked_can_be_registered(pulled: Path) -> None:
    write_json(pulled / "run.json", {"run_id": None, "reason": "the store was away"})
    registry = Registry.open()
    assert registry.versions.of(register(registry, pulled)).run_id


@pytest.mark.fault("A6")
@pytest.mark.parametrize("name", ["summary.json", "history.csv", "steps.csv"])
def test_a_missing_file_is_named_with_what_helps(pulled: Path, name: str) -> None:
    (pulled / name).unlink()
    registry = Registry.open()
    with pytest.raises(TrackingError, match=rf"{name}.*`dvc pull`.*`dvc repro -f -s train`"):
        register(registry, pulled)
    assert registry.challenger() is None


def test_a_run_that_was_deleted_is_restored(project: Path) -> None:
    folder = trained(project / "outputs", 0, 0.8)
    registry, run = Registry.open(), RUN_NOTE.read(folder / "run.json")
    registry._store.client.delete_run(run.run_id)
    assert find_run(registry._store, run) == run.run_id
    assert registry._store.client.get_run(run.run_id).info.lifecycle_stage == "active"


def test_an_evaluation_is_noted_in_the_run_that_was_made(pulled: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights = read_card(pulled / "model" / CARD).weights_sha256
    write_json(pulled / "run.json", read_json(pulled / "run.json") | {"weights_sha256": weights})
    with caplog.at_level(logging.WARNING):
        assert not log_evaluation(pulled / "run.json", METRICS)
    assert "`make register` makes it" in caplog.text
    register(Registry.open(), pulled)
    assert log_evaluation(pulled / "run.json", METRICS)
