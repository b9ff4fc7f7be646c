"""The run of a training in a store: found, or made again from the training's files.

A clone of a project has the files of a training, from `dvc pull`, but not the tracking store that its run is in.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from likeness.artifacts.history import HISTORY, STEPS
from likeness.artifacts.json_file import plain
from likeness.artifacts.metrics import Metrics
from likeness.artifacts.run_note import RUN_NOTE, RunNote
from likeness.artifacts.training_summary import SUMMARY, TrainingSummary
from likeness.errors import DataError, TrackingError
from likeness.models.card import CARD, read_card
from likeness.models.towers.tower_card import tower_summary
from likeness.tracking.mlflow_store import Store, TrackingParams
from likeness.tracking.run_start import DatasetNote
from likeness.tracking.titles import RunTitle

if TYPE_CHECKING:
    from mlflow.entities import Run

RESTORED = "restored.weights.sha256"
"""Tag of a run that was made again: the weights of its training, by which it is found."""


def find_run(store: Store, run: RunNote, weights: str | None = None) -> str | None:
    """Id of a training's run in a store, None where the store does not hold it.

    Args:
        store: that answers.
        run: of the training.
        weights: sha256 of the trained weights, where run.json does not name them.
    """
    digest = run.weights_sha256 or weights
    if run.run_id is not None and (found := _run(store, run.run_id)) is not None:
        if found.info.lifecycle_stage == "deleted":
            store.client.restore_run(found.info.run_id)
        return str(found.info.run_id)
    if digest is None:
        return None
    experiments = [experiment.experiment_id for experiment in store.client.search_experiments()]
    restored = store.client.search_runs(experiments, f"tags.`{RESTORED}` = '{digest}'", max_results=1)
    return str(restored[0].info.run_id) if restored else None


def _run(store: Store, run_id: str) -> Run | None:
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_run(run_id)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise


def restore_run(run_json: Path, model: Path, metrics: Metrics, tracking: TrackingParams, folder: Path) -> str:
    """Makes the run of a training from its files, with the code that it names and the figures of its evaluation.

    Args:
        run_json: of the training; summary.json, history.csv and steps.csv lie beside it.
        model: folder with weights and card.
        metrics: of its evaluation.
        tracking: where to.
        folder: of the project.

    Returns:
        Its id.

    Raises:
        TrackingError: a file is missing, or the store refuses.
    """
    from likeness.tracking.runs import TrackedRun, add_evaluation

    run, card = RUN_NOTE.read(run_json), read_card(model / CARD)
    summary, history, steps = _files(run_json.parent)
    with TrackedRun.start(
        dataclasses.replace(tracking, enabled=True, experiment=run.experiment or tracking.experiment),
        title=RunTitle(
            *(card.recipe, card.source, card.protocol),
            outside_data=card.outside_data,
            towers=tower_summary([card.model.backbone]),
        ),
        values=summary.params,
        dataset=DatasetNote(card.source, card.fingerprint, card.source),
        tags={"restored.run_id": run.run_id} if run.run_id else {},
        folder=folder,
        provenance=run.code,  # of the training, not of the clone that registers it
    ) as tracked:
        for row in history.to_dict("records"):
            tracked.epoch({str(key): value for key, value in row.items() if value == value})
        tracked.steps(zip(steps["step"].tolist(), steps["loss"].tolist(), strict=True))
        finished = tracked.finish(None, plain(summary))  # the version holds the model
        tracked.attempt(lambda store, run_id: add_evaluation(store, run_id, metrics))
        # The last thing: a run that a kill left unfinished is not found by it.
        tracked.attempt(lambda store, run_id: store.client.set_tag(run_id, RESTORED, card.weights_sha256))
    if tracked.run_id is None or tracked.reason is not None:
        raise TrackingError(f"{finished.uri}: the run of the training cannot be made ({tracked.reason})")
    return tracked.run_id


def _files(folder: Path) -> tuple[TrainingSummary, pd.DataFrame, pd.DataFrame]:
    """summary.json, history.csv and steps.csv."""
    try:
        summary = SUMMARY.read(folder / SUMMARY.name)
        return summary, HISTORY.read(folder / HISTORY.name), STEPS.read(folder / STEPS.name)
    except DataError as error:
        raise TrackingError(
            f"this store does not hold the run of the training, and it cannot be made from the training's files "
            f"({error}). Get them with `dvc pull`, or train here: `dvc repro -f -s train` and `dvc repro`"
        ) from error
