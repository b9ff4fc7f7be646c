"""Runs against a real store: what is noted, what a resumed training continues, what a broken store costs."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient

from likeness.artifacts.run_note import RUN_NOTE
from likeness.errors import InterruptedTrainingError
from likeness.files import write_json
from likeness.tracking.runs import DatasetNote, RunTitle, TrackedRun, TrackingParams, log_evaluation, log_report
from tests.artifacts.samples import sample_metrics

FINGERPRINT = "ab" * 32
TITLE = RunTitle("koch", "lfw-a", "restricted", "Koch's network", {"train.learning_rate": (1e-4, 5e-5)}, "none")
DATA = DatasetNote("lfw-a", FINGERPRINT, "lfwa.tar.gz", {"images": 13233, "people": 5749})


def start(params: TrackingParams | None = None, **options: Any) -> TrackedRun:
    values = options.pop("values", {"train": {"epochs": 3, "learning_rate": 5e-5}})
    return TrackedRun.start(params or TrackingParams(), title=TITLE, values=values, dataset=DATA, **options)


def row(epoch: int) -> Mapping[str, Any]:
    return {"epoch": epoch, "train_loss": 1.0 / epoch, "train_accuracy": None, "holdout_auc": 0.5 + epoch / 100}


def client(project: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{project}/mlflow.db")


def curve(project: Path, run_id: str, key: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client(project).get_metric_history(run_id, key)]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "card.json").write_text("{}")
    return folder


def test_a_training_is_noted_whole(project: Path, model: Path) -> None:
    with start() as run:
        for epoch in (1, 2, 3):
            run.steps([(2 * epoch, 0.5), (2 * epoch + 1, 0.25)])
            run.epoch(row(epoch))
        summary = {"best_epoch": 2, "seconds": 12.5, "parameters": 42, "device": "cpu", "params": {"seed": 1}}
        said = run.finish(model, summary)

    assert said.reason is None
    assert said.uri == "sqlite:///mlflow.db"
    noted = client(project).get_run(said.run_id)
    assert noted.info.status == "FINISHED"
    assert noted.data.params == {"train.epochs": "3", "train.learning_rate": "5e-05"}
    assert curve(project, said.run_id, "train/loss") == [(1, 1.0), (2, 0.5), (3, 1 / 3)]
    assert len(curve(project, said.run_id, "train/step_loss")) == 6
    assert set(noted.data.metrics) == {
        "train/loss", "train/step_loss", "holdout/auc", "train/seconds", "model/parameters",
    }  # fmt: skip
    assert noted.data.metrics["train/seconds"] == 12.5
    artifacts = project / "mlartifacts" / "likeness" / said.run_id / "artifacts"
    assert (artifacts / "tables" / "training.csv").read_text().splitlines()[:2] == [
        "figure,value",
        "best_epoch,2.0",
    ]
    tags = noted.data.tags
    assert (tags["git.dirty"], tags["data.fingerprint"], tags["recipe"]) == ("false", FINGERPRINT, "koch")
    assert tags["device"] == "cpu"
    assert tags["mlflow.source.git.commit"] == said.code.commit
    (data,) = noted.inputs.dataset_inputs
    assert (data.dataset.name, data.dataset.digest) == ("lfw-a", FINGERPRINT[:36])
    (output,) = noted.outputs.model_outputs
    logged = client(project).get_logged_model(output.model_id)
    assert (logged.source_run_id, logged.name, logged.status) == (said.run_id, "koch", "READY")
    assert logged.params["train.epochs"] == "3"
    assert noted.info.run_name == "koch · lfw-a · lr 5e-5"
    assert tags["changes"] == "lr 5e-5"
    assert "- `train.learning_rate`: 5e-5 instead of 1e-4" in tags["mlflow.note.content"]
    experiment = client(project).get_experiment(noted.info.experiment_id)
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"


def test_the_machines_use_is_noted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    with start() as run:
        time.sleep(1)
        said = run.finish(None, {})
    assert said.reason is None
    names = client(project).get_run(said.run_id).data.metrics
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= set(names)


def test_more_values_than_one_batch_takes(project: Path) -> None:
    with start(values={f"p{i}": i for i in range(250)}) as run:
        run.steps((step, 0.5) for step in range(2500))
        said = run.finish(None, {})
    assert said.reason is None
    assert len(client(project).get_run(said.run_id).data.params) == 250
    assert len(curve(project, said.run_id, "train/step_loss")) == 2500


def test_a_resumed_training_continues_its_run(project: Path) -> None:
    first = start()
    first.epoch(row(1))
    first.epoch(row(2))
    with pytest.raises(InterruptedTrainingError), first:
        raise InterruptedTrainingError("the state is saved")
    assert first.run_id is not None
    assert client(project).get_run(first.run_id).info.status == "KILLED"

    with start(resume_run_id=first.run_id) as second:
        assert client(project).get_run(first.run_id).info.status == "RUNNING"
        for epoch in (1, 2, 3):  # the whole history again: what is there is not doubled
            second.epoch(row(epoch))
        said = second.finish(None, {})
    assert said.run_id == first.run_id
    assert [step for step, _ in curve(project, first.run_id, "train/loss")] == [1, 2, 3]
    assert client(project).get_run(first.run_id).info.status == "FINISHED"


def test_a_run_that_the_store_does_not_know_is_opened_again(project: Path) -> None:
    run = start(resume_run_id="0" * 32)
    assert run.run_id not in (None, "0" * 32)
    assert run.reason is None


def test_an_error_in_the_training_marks_the_run_failed(project: Path) -> None:
    with pytest.raises(RuntimeError), start() as run:
        raise RuntimeError
    assert run.run_id is not None
    assert client(project).get_run(run.run_id).info.status == "FAILED"


def test_switched_off_it_notes_nothing(project: Path) -> None:
    before = (project / "mlflow.db").read_bytes()
    with start(TrackingParams(enabled=False)) as run:
        run.epoch(row(1))
        said = run.finish(None, {})
    assert (said.run_id, said.reason) == (None, "tracking.enabled is false")
    assert said.code.commit
    assert (project / "mlflow.db").read_bytes() == before


def test_a_broken_store_costs_one_warning_a_try(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    (project / "mlflow.db").write_bytes(b"no database at all" * 100)
    with start() as run:
        for epoch in (1, 2, 3):
            run.epoch(row(epoch))
        warned = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(warned) == 1
        assert "The training goes on" in warned[0].message
        said = run.finish(None, {})
    assert said.run_id is None
    assert "not a database" in said.reason


def test_what_a_lock_held_up_arrives_at_the_end(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("likeness.tracking.mlflow_store._PROBE_SECONDS", 0.1)
    other = sqlite3.connect(project / "mlflow.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with start() as run:
        run.epoch(row(1))
        assert run.run_id is None
        other.execute("ROLLBACK")
        run.epoch(row(2))
        said = run.finish(None, {})
    assert said.reason is None
    assert [step for step, _ in curve(project, said.run_id, "train/loss")] == [1, 2]
    assert client(project).get_run(said.run_id).info.status == "FINISHED"


def test_a_store_that_breaks_on_the_way_is_offered_everything_at_the_end(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with start() as run:
        run.epoch(row(1))
        (project / "mlflow.db").rename(project / "away.db")
        run.epoch(row(2))
        assert run.reason is not None
        (project / "away.db").replace(project / "mlflow.db")
        run.epoch(row(3))
        said = run.finish(None, {})
    assert said.reason is None
    assert sum("The training goes on" in record.message for record in caplog.records) == 1
    assert [step for step, _ in curve(project, said.run_id, "train/loss")] == [1, 2, 3]


@pytest.mark.parametrize(("error", "status"), [(None, "FINISHED"), (ValueError("diverged"), "FAILED")])
def test_a_model_that_cannot_be_logged_leaves_no_run_that_seems_to_be_trained(
    project: Path, model: Path, caplog: pytest.LogCaptureFixture, error: Exception | None, status: str
) -> None:
    (project / "mlartifacts").write_text("a file where the store's artifacts belong")
    with contextlib.suppress(ValueError), start() as run:
        said = run.finish(model, {})
        if error is not None:
            raise error
    assert said.reason is not None
    assert run.reason == said.reason
    assert "The training goes on" in caplog.text
    assert client(project).get_run(said.run_id).info.status == status


def test_a_run_whose_store_was_away_at_its_end_is_ended_by_the_evaluation(project: Path) -> None:
    with start() as run:
        said = run.finish(None, {})
        (project / "mlflow.db").rename(project / "away.db")
    (project / "away.db").replace(project / "mlflow.db")
    assert run.reason is not None
    assert client(project).get_run(said.run_id).info.status == "RUNNING"
    RUN_NOTE.write(project / "outputs" / "run.json", said)
    assert log_evaluation(project / "outputs" / "run.json", sample_metrics())
    assert client(project).get_run(said.run_id).info.status == "FINISHED"


def finished(folder: Path) -> tuple[Path, str]:
    with start() as run:
        said = run.finish(None, {})
    RUN_NOTE.write(folder / "outputs" / "run.json", said)
    return folder / "outputs" / "run.json", said.run_id


def test_an_evaluation_joins_the_run_once(project: Path) -> None:
    path, run_id = finished(project)
    figures = sample_metrics(0.73, 0.6, half_width=0.03)
    assert log_evaluation(path, figures)
    assert log_evaluation(path, figures)
    assert curve(project, run_id, "test/accuracy") == [(0, 0.73)]
    assert curve(project, run_id, "test/accuracy_high") == [(0, 0.76)]
    noted = set(client(project).get_run(run_id).data.metrics)
    assert {"test/accuracy", "test/auc", "test/accuracy_of_baseline"} < noted
    assert "test/accuracy_of_untrained" not in noted
    assert client(project).get_run(run_id).data.tags["test accuracy"] == "0.7300 (0.7000 to 0.7600)"
    table = project / "mlartifacts" / "likeness" / run_id / "artifacts" / "tables" / "evaluation.csv"
    assert "protocol/pairs/test/all,200.0" in table.read_text().splitlines()
    assert log_evaluation(path, sample_metrics(0.75, 0.6))
    assert client(project).get_run(run_id).data.metrics["test/accuracy"] == 0.75


def test_the_lock_of_a_run_is_the_newest(project: Path) -> None:
    path, run_id = finished(project)
    before = client(project).get_run(run_id).data.tags["dvc.lock.sha256"]
    (project / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n")
    log_evaluation(path, sample_metrics())
    assert client(project).get_run(run_id).data.tags["dvc.lock.sha256"] != before


@pytest.mark.parametrize(
    ("asked", "photographs", "copied"),
    [
        (None, False, ["report.html"]),
        (None, True, ["report.md"]),
        (True, True, ["report.html"]),
        (False, False, []),
    ],
)
def test_photographs_of_people_are_logged_only_when_asked_for(
    project: Path, asked: bool | None, photographs: bool, copied: list[str]
) -> None:
    path, run_id = finished(project)
    page, words = (project / "outputs" / name for name in ("report.html", "report.md"))
    page.write_text("<p>faces")
    words.write_text("no faces")
    params = TrackingParams(log_report=asked)
    assert log_report(path, page, words, params, photographs=photographs) is bool(copied)
    folder = project / "mlartifacts" / "likeness" / run_id / "artifacts" / "report"
    assert sorted(file.name for file in folder.glob("*")) == copied


def test_an_evaluation_without_its_run_is_a_warning(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = project / "outputs" / "run.json"
    write_json(path, {"run_id": "f" * 32, "uri": "sqlite:///mlflow.db", "reason": None})
    assert not log_evaluation(path, sample_metrics())
    assert "the evaluation is not noted" in caplog.text
    write_json(path, {"run_id": None, "uri": None, "reason": "tracking.enabled is false"})
    assert not log_evaluation(path, sample_metrics())
