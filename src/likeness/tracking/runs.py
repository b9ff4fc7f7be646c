"""One MLflow run for each training: its parameters, curves, data, code and results.

Tracking is a note about a training, never a condition of it. Whatever goes wrong with the store costs one
line of warning; the training goes on, what was noted so far is kept in memory and offered once more at the
end, and the stage's own files (history.csv, steps.csv, summary.json) hold everything anyway.

No photograph and no embedding is logged, but for the report (see `TrackingParams.log_report`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from likeness.artifacts.json_file import plain
from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.run_note import DVC_LOCK_TAG, RUN_NOTE, Provenance, RunNote
from likeness.errors import InterruptedTrainingError, TrackingError
from likeness.params import leaves
from likeness.project import main_repository
from likeness.tracking.headline import STEP_LOSS, cost, curve_points, interval, table
from likeness.tracking.logged_models import log_figures, log_model
from likeness.tracking.machine import stop_watching, watch_machine
from likeness.tracking.mlflow_store import Store, TrackingParams, connect, one_line
from likeness.tracking.provenance import provenance_of
from likeness.tracking.run_start import DatasetNote, describe, log_params_and_tags
from likeness.tracking.titles import RunTitle
from likeness.tracking.trainings import find_run

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

__all__ = ["DatasetNote", "RunTitle", "TrackedRun", "TrackingParams", "log_evaluation", "log_report"]

_log = logging.getLogger(__name__)
_METRICS_PER_BATCH = 1000  # MLflow's limit
_Action = Callable[[Store, str], object]


class TrackedRun:
    """A run being written. Use it as a context: an exception marks it failed, an interruption killed.

    Attributes:
        run_id: id of the MLflow run, to be kept in the checkpoint; None when there is none.
        reason: why the store holds no run, or less than all of it; None when all is well.
    """

    def __init__(self, experiment: str, provenance: Provenance) -> None:
        self.run_id: str | None = None
        self.reason: str | None = None
        self._experiment = experiment
        self._experiment_id: str | None = None
        self._provenance = provenance
        self._store: Store | None = None
        self._params = TrackingParams()
        self._opening: Callable[[], None] | None = None
        self._monitor: SystemMetricsMonitor | None = None
        self._pending: list[tuple[str, float, int, int]] = []  # key, value, timestamp in ms, step
        self._last_step: dict[str, int] = {}

    @classmethod
    def start(
        cls,
        params: TrackingParams,
        *,
        title: RunTitle,
        values: Mapping[str, Any],
        dataset: DatasetNote,
        tags: Mapping[str, str] | None = None,
        resume_run_id: str | None = None,
        folder: Path | None = None,
        provenance: Provenance | None = None,
    ) -> TrackedRun:
        """Opens a new run, or the one that an interrupted training had opened. Never fails.

        Args:
            params: section `tracking`.
            title: what its name, description and columns in MLflow's table say.
            values: every parameter of the training, nested or flat (nested keys are joined by dots).
            dataset: what is trained on.
            tags: further ones; commit, dirty flag and dvc.lock are added.
            resume_run_id: the checkpoint's run id; its curves go on where they stopped. If the store does not
                know it (any more), a new run is opened.
            folder: where the stage runs; None is the current folder.
            provenance: the code that trains; None: that of the folder.
        """
        place = folder or Path.cwd()
        run = cls(params.experiment, provenance or provenance_of(place))
        if not params.enabled:
            run.reason = "tracking.enabled is false"
            return run
        run._params = params
        code = run._provenance
        columns = title.tags(dataset.fingerprint, code.commit)
        everything = {**code.tags(), "data.fingerprint": dataset.fingerprint, **columns, **(tags or {})}
        name = title.name(code.experiment)
        started = int(time.time() * 1000)

        def opening() -> None:
            run._open(main_repository(place), name, started, resume_run_id)
            run.attempt(lambda store, run_id: describe(store, run_id, values, dataset, everything))

        run._opening = opening
        run._try_to_open()
        return run

    def __enter__(self) -> TrackedRun:
        self.attempt(self._watch)
        return self

    def _watch(self, store: Store, run_id: str) -> None:
        self._monitor = watch_machine(store.client.tracking_uri, run_id)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        interrupted = isinstance(error, InterruptedTrainingError) or not isinstance(error, Exception)
        ended = "FINISHED" if error is None else "KILLED" if interrupted else "FAILED"
        if self._monitor is not None:
            stop_watching(self._monitor)
        self.attempt(self._send)
        self._end(ended)

    def _end(self, status: str) -> None:
        """Ends the run whatever failed before; left RUNNING, it would look as if it were still trained."""
        before, self.reason = self.reason, None
        self.attempt(lambda store, run_id: store.client.set_terminated(run_id, status))
        self.reason = self.reason or before

    def epoch(self, record: Mapping[str, Any]) -> None:
        """Notes one row of history.csv: its headline figures become points at step `record["epoch"]`.

        Points that the store already holds are skipped, so a resumed training may hand its whole history over.
        """
        step = int(record["epoch"])
        for key, value in curve_points(record):
            self._note(key, value, step)
        self.attempt(self._send)

    def steps(self, losses: Iterable[tuple[int, float]]) -> None:
        """Notes (step, loss) of optimiser steps as `train/step_loss`; they are sent with the next epoch."""
        for step, loss in losses:
            self._note(STEP_LOSS, loss, step)

    def finish(self, model_folder: Path | None, summary: Mapping[str, Any]) -> RunNote:
        """Notes summary.json and logs the model.

        Args:
            model_folder: weights and card; None logs none.
            summary: what it cost becomes metrics, all numbers one table, its texts (device, machine, stop reason)
                tags; `params` is left out, as the run has them since its start.

        Returns:
            What run.json is to hold. Without a store run_id is None and the reason says why.
        """
        facts = {key: value for key, value in summary.items() if key != "params"}
        for key, value in cost(facts):
            self._note(key, value, 0)
        texts = {key: value for key, value in leaves(facts, ".") if isinstance(value, str)}
        self._second_chance()
        self.attempt(self._send)
        self.attempt(lambda store, run_id: log_params_and_tags(store, run_id, {}, texts))
        self.attempt(lambda store, run_id: store.client.log_text(run_id, table(facts), "tables/training.csv"))
        if model_folder is not None and self._params.log_model:
            _log.info("tracking: logging the model")
            self.attempt(lambda store, run_id: log_model(store, run_id, model_folder))
        uri = self._store.uri if self._store else None
        return RunNote(self.run_id, self._experiment, self._experiment_id, uri, self.reason, self._provenance)

    def _try_to_open(self) -> None:
        if self._opening is not None:
            _log.info("tracking: connecting to MLflow")
            try:
                self._opening()
            except Exception as error:
                self._give_up(error)

    def _second_chance(self) -> None:
        """A store that was locked or away at the start or on the way may be back now."""
        if self._store is None:
            self._try_to_open()
        else:
            self.reason = None

    def _open(self, root: Path, name: str, started: int, resume_run_id: str | None) -> None:
        store = connect(self._params.uri, root)
        self._experiment_id = store.experiment_id(self._experiment)
        if resume_run_id is not None and self._reopen(store, resume_run_id):
            self.run_id = resume_run_id
        else:
            created = store.client.create_run(self._experiment_id, start_time=started, run_name=name)
            self.run_id = created.info.run_id
        self._store, self.reason = store, None

    def _reopen(self, store: Store, run_id: str) -> bool:
        """Sets a run to running again and learns how far its curves go, so that no point is sent twice."""
        from mlflow.exceptions import MlflowException

        try:
            known = store.client.get_run(run_id)
            store.client.update_run(run_id, status="RUNNING")
        except MlflowException as error:
            _log.warning("tracking: the interrupted run is gone (%s); a new one is opened", one_line(error))
            return False
        for key in known.data.metrics:
            self._last_step[key] = max(point.step for point in store.client.get_metric_history(run_id, key))
        return True

    def _note(self, key: str, value: float, step: int) -> None:
        if step > self._last_step.get(key, -1):
            self._last_step[key] = step
            self._pending.append((key, value, int(time.time() * 1000), step))

    def _send(self, store: Store, run_id: str) -> None:
        from mlflow.entities import Metric

        while self._pending:
            batch = self._pending[:_METRICS_PER_BATCH]
            store.client.log_batch(run_id, metrics=[Metric(*point) for point in batch])
            del self._pending[:_METRICS_PER_BATCH]

    def attempt(self, action: _Action) -> None:
        """Does something with store and run, unless it has failed before: a wait for it at each epoch adds up."""
        if self._store is not None and self.run_id is not None and self.reason is None:
            try:
                action(self._store, self.run_id)
            except Exception as error:
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self.reason = one_line(error)
        _log.warning("tracking: %s. The training goes on; its files hold everything", self.reason)


def log_evaluation(run_json: Path, metrics: Metrics, *, folder: Path | None = None) -> bool:
    """Notes the figures of an evaluation in the run of its training, the headline as `test/…`. Never fails.

    Doing it again, as after a run-cache hit that restored an old run.json, changes nothing: figures that the run
    holds already are not sent.

    Args:
        run_json: what the training stage wrote.
        metrics: of the evaluation; a table holds all of it.
        folder: where the stage runs; None is the current folder.

    Returns:
        Whether the run holds the figures now; where not, one line of warning has said why.
    """

    send: _Action = lambda store, run_id: add_evaluation(store, run_id, metrics)  # noqa: E731
    return _add_to_run(run_json, folder or Path.cwd(), "the evaluation", send)


def add_evaluation(store: Store, run_id: str, metrics: Metrics) -> None:
    """Adds the figures of an evaluation, and metrics.json, to a run; the headline to its model too."""
    log_figures(store, run_id, metrics)
    store.client.set_tag(run_id, "test accuracy", interval(metrics))
    store.client.log_text(run_id, table(plain(metrics)), "tables/evaluation.csv")
    store.client.log_dict(run_id, METRICS.values(metrics), f"evaluation/{METRICS.name}")


def log_report(
    run_json: Path,
    page: Path,
    words: Path,
    params: TrackingParams,
    *,
    photographs: bool,
    folder: Path | None = None,
) -> bool:
    """Copies the report to the run that it is about, as far as `tracking.log_report` allows. Never fails.

    Args:
        run_json: of the train stage.
        page: the report with its pictures, the one thing logged that may hold photographs.
        words: the report without them.
        params: section `tracking`.
        photographs: whether the faces are people's, and not drawn.
        folder: inside the project; None: the working directory.

    Returns:
        Whether anything was copied.
    """
    shown = not photographs if params.log_report is None else params.log_report
    if not params.enabled or params.log_report is False:
        return False
    report = page if shown else words
    send: _Action = lambda store, run_id: store.client.log_artifact(run_id, str(report), "report")  # noqa: E731
    return _add_to_run(run_json, folder or Path.cwd(), "the report", send)


def _add_to_run(run_json: Path, folder: Path, what: str, action: _Action) -> bool:
    """Adds to a run of an earlier stage, and refreshes dvc.lock's digest: it has grown since."""
    try:
        run = RUN_NOTE.read(run_json)
        if run.run_id is None:
            _log.info("tracking: %s is not noted, because the training was not: %s", what, run.reason)
            return False
        _log.info("tracking: adding %s to the run in MLflow", what)
        store = connect(run.uri, main_repository(folder))
        run_id = find_run(store, run)
        if run_id is None:
            raise TrackingError(
                f"{store.uri} does not hold the run of the training, which was made elsewhere; `make register` "
                "makes it from the training's files"
            )
        action(store, run_id)
        if store.client.get_run(run_id).info.status == "RUNNING":  # the store was away when the training ended
            store.client.set_terminated(run_id)
        lock = provenance_of(folder).dvc_lock
        if lock:
            store.client.set_tag(run_id, DVC_LOCK_TAG, lock)
        return True
    except Exception as error:
        _log.warning("tracking: %s is not noted: %s", what, one_line(error))
        return False
