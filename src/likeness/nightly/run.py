"""One nightly run: ingest what arrived, rebuild what changed, let the gate decide, write a record.

Prefect schedules it, DVC does the work, MLflow keeps the models. Each way to end is a `RunOutcome` with one line
for the maintainer. Only the gate changes which model serves.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from prefect import State, get_run_logger
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from likeness.artifacts.nightly_run import NightlyRun, write_nightly_run
from likeness.errors import LikenessError, failure_of
from likeness.metrics.intervals import Estimate
from likeness.nightly import prefect_artifacts, registry_state, tasks
from likeness.nightly.deployment_check import check_deployment, project_of
from likeness.nightly.outcome import NEXT_STEPS, HaltError, RunOutcome, outcome_of
from likeness.nightly.params import STAGES, NightlyParams, read_nightly
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.run_lock import note_step, run_lock, take_crashed_run
from likeness.nightly.seed import next_seed

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunOptions:
    """What the parameters of the flow ask of one run.

    Attributes:
        force_train: trains from a new seed even if nothing is new.
        accept_drift: adds a batch however unlike the data set it is.
        no_settle: adds files that changed just now, too.
    """

    force_train: bool = False
    accept_drift: bool = False
    no_settle: bool = False


class RunRecord:
    """The record of a run while the run goes on."""

    def __init__(self) -> None:
        self.began = time.time()
        self.outcome = RunOutcome.FAILED
        started = datetime.fromtimestamp(self.began, UTC).isoformat(timespec="seconds")
        self.run = NightlyRun(started, self.outcome.value, "", 0.0, flow_run=flow_run.id)

    def end(self, outcome: RunOutcome, line: str) -> None:
        """Sets the outcome and what happened, in one line."""
        self.outcome = outcome
        sentence = " ".join(line.split())
        stop = "" if sentence.endswith((".", "!", "?")) else "."
        line = f"{sentence}{stop} {NEXT_STEPS[outcome]}"
        self.run = replace(self.run, outcome=outcome.value, line=line)

    def write(self, paths: ProjectPaths) -> NightlyRun:
        """Writes the record with the seconds until now; returns it."""
        run = replace(self.run, seconds=round(time.time() - self.began, 1))
        write_nightly_run(paths.nightly_runs, run)
        return run


def record_crashed_run(paths: ProjectPaths, params: NightlyParams) -> None:
    """Records a nightly run whose process was killed, and reports it, unless that was done before."""
    run = take_crashed_run(paths)
    if run is not None:
        _log.warning("%s", run.line)
        _report(paths, params, run, good=False)


def start_nightly_run(project: str, options: RunOptions) -> State[Any]:
    """Carries out a nightly run, inside a Prefect flow, and records how it ended.

    Args:
        project: folder of the project.
        options: of this run.
    """
    paths, record = ProjectPaths(project_of(project)), RunRecord()
    params = NightlyParams()  # for the report, should the file be unreadable
    try:
        with contextlib.chdir(paths.root):
            params = read_nightly(paths.params)
            record_crashed_run(paths, params)
            check_deployment(project)
            with run_lock(paths, record.began, flow_run.id):
                run_nightly(paths, params, options, record)
    except HaltError as halt:
        record.end(halt.outcome, str(halt))
    except LikenessError as error:
        record.end(outcome_of(failure_of(error)), str(error))
    except Exception as error:
        _log.exception("the nightly run failed")
        record.end(RunOutcome.FAILED, f"{type(error).__name__}: {error}")
    except BaseException as error:  # a signal; what ran has been stopped already
        record.end(RunOutcome.CANCELLED, f"stopped while it ran ({type(error).__name__}).")
        record.write(paths)
        raise
    return finish(paths, params, record)


def run_nightly(paths: ProjectPaths, params: NightlyParams, options: RunOptions, record: RunRecord) -> None:
    """The run itself; ends by setting the record's outcome or by raising."""
    _require_disk_space(paths, params)
    note_step(paths, "the batch")
    batch = tasks.collect_batch(paths, params, options.accept_drift, options.no_settle)
    record.run = replace(record.run, batch=batch.counts)
    with prefect_artifacts.best_effort():
        prefect_artifacts.rename_run(batch.purpose + (", new seed" if options.force_train else ""))
    if batch.halt is not None:
        raise batch.halt
    if options.force_train:
        get_run_logger().info("train.seed is %d now", next_seed(paths.params))
    changed = tasks.look_for_changes(paths, params)
    if not changed and tasks.is_judged(paths, params):
        _record_model(paths, record)
        waiting = f"no new file was added: {batch.waiting}; nothing changed, so nothing was trained."
        nothing = "nothing new arrived and nothing changed, so nothing was trained."
        record.end(RunOutcome.NOTHING, waiting if batch.waiting else nothing)
        return
    _require_gpu(params)
    if changed:
        _run_stages(paths, params, record)
    _record_model(paths, record)
    if tasks.is_judged(paths, params):
        ran_again = ", ".join(record.run.stages) or "no stage"
        record.end(RunOutcome.NOTHING, f"{ran_again} ran; the model is the one that was judged before.")
    else:
        _register_and_gate(paths, params, record)


def _run_stages(paths: ProjectPaths, params: NightlyParams, record: RunRecord) -> None:
    for name in STAGES:
        if name == "train":
            tasks.require_tracking(paths, params)
        note_step(paths, name)
        ran, seconds = tasks.run_stage(name, paths, params)
        if ran:
            record.run = replace(record.run, stages=record.run.stages | {name: round(seconds, 1)})


def _record_model(paths: ProjectPaths, record: RunRecord) -> None:
    record.run = replace(
        record.run,
        trained="train" in record.run.stages,
        fingerprint=registry_state.fingerprint(paths),
        run_id=registry_state.run_id(paths),
    )


def _register_and_gate(paths: ProjectPaths, params: NightlyParams, record: RunRecord) -> None:
    note_step(paths, "the gate")
    state = tasks.register_and_gate(paths, params)
    record.run = replace(
        record.run,
        challenger=state.challenger,
        champion=state.champion,
        **_accuracy("challenger", state.challenger_accuracy),
        **_accuracy("champion", state.champion_accuracy),
    )
    if state.decision is None:
        record.end(RunOutcome.KEPT, "the model is one that was judged before, so the champion stays.")
    else:
        record.end(RunOutcome(state.decision.outcome), f"version {state.challenger}: {state.decision.reason}")


def _accuracy(of: str, found: Estimate | None) -> dict[str, Any]:
    if found is None:
        return {}
    return {f"{of}_accuracy": found.value, f"{of}_interval": (found.low, found.high)}


def _require_disk_space(paths: ProjectPaths, params: NightlyParams) -> None:
    free = shutil.disk_usage(paths.root).free / 1e9
    if free < params.free_gigabytes:
        text = f"{free:.1f} GB are free, fewer than the {params.free_gigabytes:g} of nightly.free_gigabytes."
        raise HaltError(RunOutcome.DISK_FULL, text)


def _require_gpu(params: NightlyParams) -> None:
    if params.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise HaltError(RunOutcome.NO_GPU, "nightly.device is cuda, and torch finds no GPU.")


def finish(paths: ProjectPaths, params: NightlyParams, record: RunRecord) -> State[Any]:
    """Writes and reports the record, and returns the state that Prefect shows."""
    run = record.write(paths)
    with prefect_artifacts.best_effort():
        prefect_artifacts.show_run(run)
    _report(paths, params, run, record.outcome.good)
    name = record.outcome.state_name
    if record.outcome in (RunOutcome.OVERLAPPING, RunOutcome.REFUSED):  # Prefect's colour is that of the type
        return Cancelled(name=name, message=run.line)
    return (Completed if record.outcome.good else Failed)(name=name, message=run.line)


def _report(paths: ProjectPaths, params: NightlyParams, run: NightlyRun, good: bool) -> None:
    """Writes the page of the nightly runs, and sends a message where one is asked for."""
    with prefect_artifacts.best_effort():
        prefect_artifacts.write_runs_page(paths)
    if params.notify and (params.notify_always or not good):
        with prefect_artifacts.best_effort():
            prefect_artifacts.notify(params.notify, run)
