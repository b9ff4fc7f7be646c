"""The model of a run as MLflow 3 logs it: with signature, parameters and figures, which its page compares.

A registered version is such a model too: the predictions that the gate compares are added to it, so that the
weights are not copied again.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from likeness.artifacts.metrics import Metrics
from likeness.files import file_sha256
from likeness.models.card import WEIGHTS
from likeness.tracking.headline import final_figures
from likeness.tracking.mlflow_store import Store
from likeness.tracking.model_packing import packed

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import LoggedModel, Run

KIND = "face verification"
_WEIGHTS = "weights.sha256"
_CARRIED = ("data", "data.short", "protocol", "outside_data", "towers", "changes", "git.short", "dvc.experiment")
"""Tags of the run that are columns of the page of models too."""


def log_model(store: Store, run_id: str, model: Path) -> LoggedModel:
    """Logs a trained model as an output of its run.

    Args:
        store: that answers.
        run_id: of its training.
        model: folder with weights and card.

    Returns:
        The logged model, ready; one that a kill left half-written stays pending, and is not an output of the run.
    """
    from mlflow.entities import LoggedModelOutput

    client = store.client
    run = client.get_run(run_id)
    tags = {key: run.data.tags[key] for key in _CARRIED if key in run.data.tags}
    logged = client.create_logged_model(
        run.info.experiment_id,
        name=_name(run),
        source_run_id=run_id,
        tags={**tags, _WEIGHTS: file_sha256(model / WEIGHTS)},
        params=dict(run.data.params),
        model_type=KIND,
    )
    with packed(model) as folder:
        client.log_model_artifacts(logged.model_id, str(folder))
    ready = client.finalize_logged_model(logged.model_id, "READY")
    client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
    return ready


def models_of(client: MlflowClient, run: Run) -> Iterator[LoggedModel]:
    """The models that are outputs of a run, but for those that were deleted."""
    from mlflow.exceptions import MlflowException

    for output in run.outputs.model_outputs if run.outputs else ():
        try:
            yield client.get_logged_model(output.model_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise


def log_figures(store: Store, run_id: str, metrics: Metrics) -> None:
    """Adds the headline of an evaluation to a run and, with the data set, to its models; again changes nothing.

    Args:
        store: that answers.
        run_id: of the training.
        metrics: of the evaluation.
    """
    from mlflow.entities import Metric

    figures = dict(final_figures(metrics))
    run = store.client.get_run(run_id)
    now = int(time.time() * 1000)
    known = run.data.metrics
    fresh = {key: value for key, value in figures.items() if known.get(key) != value}
    store.client.log_batch(run_id, metrics=[Metric(key, value, now, 0) for key, value in fresh.items()])
    name, digest = _dataset(run)
    for model in models_of(store.client, run):
        held = {metric.key: metric.value for metric in model.metrics or ()}
        points = [
            # The time is that of the run's own point: another would be a second point of its curve.
            Metric(key, value, _time_of(store, run_id, key), 0, model.model_id, name, digest, run_id)
            for key, value in figures.items()
            if held.get(key) != value
        ]
        store.client.log_batch(run_id, metrics=points)


def _time_of(store: Store, run_id: str, key: str) -> int:
    """Of the last point of a metric."""
    return int(store.client.get_metric_history(run_id, key)[-1].timestamp)


def _dataset(run: Run) -> tuple[str | None, str | None]:
    """Name and digest of the data that a run was trained and tested on."""
    for one in run.inputs.dataset_inputs if run.inputs else ():
        return one.dataset.name, one.dataset.digest
    return None, None


def _name(run: Run) -> str:
    """The recipe; MLflow refuses some marks in the name of a model."""
    return "".join("-" if mark in "/:.%\"'" else mark for mark in run.data.tags.get("recipe", "model"))
