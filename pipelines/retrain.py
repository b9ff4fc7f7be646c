"""The nightly flow: take in what arrived, rebuild what changed, let the gate decide, leave a note.

Prefect schedules it, DVC does the work, MLflow remembers it. Each step is a task; each way to end is an `Outcome`
with one line for whoever wakes up. Only downloads and the registry are tried again: nothing else gets better by
itself. What serves people changes nowhere but in the gate.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prefect import Flow, State, Task, flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import FlowRun, TaskRun
from prefect.runtime import flow_run
from prefect.states import Cancelled, Completed, Failed

from likeness.errors import LikenessError, failure_of
from likeness.tracking.history import Night, write_night
from pipelines._parent import follow_parent
from pipelines.nightly import notes, standing
from pipelines.nightly.at_work import at_work, find_dead, note_step
from pipelines.nightly.dvc import Dvc
from pipelines.nightly.intake import Intake, take_in
from pipelines.nightly.origin import SERVED, check_origin, project_of
from pipelines.nightly.outcome import TO_DO, HaltError, Outcome, outcome_of
from pipelines.nightly.params import STAGES, NightlyParams, Places, read_nightly
from pipelines.nightly.seed import next_seed

_log = logging.getLogger(__name__)


@dataclass
class _Diary:
    """What becomes of the night while it goes on."""

    began: float = field(default_factory=time.time)
    outcome: Outcome = Outcome.FAILED
    line: str = ""
    facts: dict[str, Any] = field(default_factory=dict)

    def end(self, outcome: Outcome, line: str) -> None:
        self.outcome, self.line = outcome, " ".join(line.split())

    def night(self) -> Night:
        started = datetime.fromtimestamp(self.began, UTC).isoformat(timespec="seconds")
        line = f"{self.line} {TO_DO[self.outcome]}"
        seconds = round(time.time() - self.began, 1)
        return Night(started, self.outcome.value, line, seconds, flow_run=flow_run.id, **self.facts)


def bury(places: Places, params: NightlyParams) -> None:
    """Writes down a night whose process was killed, and tells of it, unless that was done."""
    night = find_dead(places)
    if night is not None:
        _log.warning("%s", night.line)
        _tell(places, params, night, good=False)


def _after_crash(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # called by these names
    """Runs where the night was started, be it by `make nightly` or by a worker, when its process is gone."""
    places = Places(project_of(flow_run.parameters["project"]))
    bury(places, read_nightly(places.params))


@flow(
    name="retrain",
    flow_run_name="night of {project}",
    validate_parameters=True,
    on_crashed=[_after_crash],
    on_cancellation=[_after_crash],  # one that had to be killed because it did not heed the request
)
def retrain(
    project: str = ".", force_train: bool = False, accept_drift: bool = False, no_settle: bool = False
) -> State[Any]:
    """One night.

    Args:
        project: folder of the project.
        force_train: trains from a new seed even if nothing is new.
        accept_drift: takes in a batch however unlike the data set it is.
        no_settle: takes in files that changed just now, too.
    """
    if SERVED in os.environ:
        follow_parent(same_group=False)
    places, diary = Places(project_of(project)), _Diary()
    params = NightlyParams()
    try:
        with contextlib.chdir(places.root):
            params = read_nightly(places.params)
            bury(places, params)
            check_origin(project)
            with at_work(places, diary.began, flow_run.id):
                _spend(places, params, diary, force_train, accept_drift, no_settle)
    except HaltError as halt:
        diary.end(halt.outcome, str(halt))
    except LikenessError as error:
        diary.end(outcome_of(failure_of(error)), str(error))
    except Exception as error:
        _log.exception("the night broke off")
        diary.end(Outcome.FAILED, f"{type(error).__name__}: {error}")
    except BaseException as error:  # a signal: everything below has been stopped on the way up
        diary.end(Outcome.CANCELLED, f"stopped at its work ({type(error).__name__}).")
        write_night(places.nights, diary.night())
        raise
    return _close(places, params, diary)


def _spend(
    places: Places, params: NightlyParams, diary: _Diary, force_train: bool, accept_drift: bool, no_settle: bool
) -> None:
    """The night itself; ends by filling the diary or by raising."""
    _require_room(places, params)
    note_step(places, "the batch")
    intake = take_in_batch(places, params, accept_drift, no_settle)
    diary.facts["batch"] = intake.counts
    if intake.trouble is not None:
        raise intake.trouble
    if force_train:
        get_run_logger().info("train.seed is %d now", next_seed(places.params))
    changed = look_for_changes(places, params)
    if not changed and standing.judged(places):
        diary.facts |= standing.facts(places)
        taken = f"no new file was taken in: {intake.waiting};" if intake.waiting else "nothing new arrived and"
        diary.end(Outcome.NOTHING, f"{taken} nothing changed, so nothing was trained.")
        return
    _require_gpu(params)
    stages = diary.facts.setdefault("stages", {})
    for name in STAGES if changed else ():
        if name == "train":
            require_tracking.with_options(**_retries(params))(places)
        note_step(places, name)
        ran, seconds = _stage_task(name, params)(name, places, params)
        if ran:
            stages[name] = round(seconds, 1)
    diary.facts |= {"trained": "train" in stages, **standing.facts(places)}
    if standing.judged(places):
        ran_again = ", ".join(stages) or "no stage"
        diary.end(Outcome.NOTHING, f"{ran_again} ran; the model is the one that was judged before.")
    else:
        _decide(places, params, diary)


def _decide(places: Places, params: NightlyParams, diary: _Diary) -> None:
    note_step(places, "the gate")
    found = decide.with_options(**_retries(params))(places, diary.facts.get("run_id"))
    diary.facts |= {
        name: getattr(found, name)
        for name in ("challenger", "champion", "challenger_accuracy", "champion_accuracy")
    }
    if found.verdict is None:
        diary.end(Outcome.KEPT, "the model is one that was judged before, so the champion stays.")
    else:
        diary.end(Outcome(found.verdict.outcome), f"version {found.challenger}: {found.verdict.reason}")


@task(name="take in", cache_policy=NO_CACHE)
def take_in_batch(places: Places, params: NightlyParams, accept_drift: bool, no_settle: bool) -> Intake:
    """What arrived: into the collection, or into quarantine."""
    intake = take_in(places, params, accept_drift, no_settle)
    get_run_logger().info("batch: %s", notes.as_text(intake.counts))
    with notes.optional():
        notes.show_intake(intake)
    return intake


@task(name="look for changes", cache_policy=NO_CACHE)
def look_for_changes(places: Places, params: NightlyParams) -> bool:
    """Whether any stage would run."""
    return _dvc(places, params).changed(STAGES)


@task(name="reach the registry", cache_policy=NO_CACHE)
def require_tracking(places: Places) -> None:
    """A training that cannot be registered is not begun."""
    standing.require_tracking(places)


@task(cache_policy=NO_CACHE)
def run_stage(name: str, places: Places, params: NightlyParams) -> tuple[bool, float]:
    """One stage of dvc.yaml; returns whether it ran, and its seconds."""
    minutes = getattr(params.minutes, name)
    ran, seconds = _dvc(places, params).reproduce(name, minutes * 60)
    if ran:
        with notes.optional():
            notes.show_stage(name, places)
    return ran, seconds


@task(name="register and gate", cache_policy=NO_CACHE)
def decide(places: Places, run_id: str | None) -> standing.Standing:
    """The trained model becomes the challenger; the gate decides."""
    found = standing.judge_model(places)
    with notes.optional():
        notes.show_standing(found, run_id)
    return found


def _stage_task(name: str, params: NightlyParams) -> Task[Any, Any]:
    """The task of one stage; only ingest downloads, so only ingest is tried again."""
    again = _retries(params) if name == "ingest" else {}
    return run_stage.with_options(name=name, **again)


def _retries(params: NightlyParams) -> dict[str, Any]:
    return {
        "retries": len(params.retry_seconds),
        "retry_delay_seconds": list(params.retry_seconds),
        "retry_condition_fn": _may_pass,
    }


def _may_pass(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, HaltError) and error.transient


def _dvc(places: Places, params: NightlyParams) -> Dvc:
    return Dvc(
        places.root, params.grace_seconds, params.lock_wait_minutes * 60, get_run_logger().info, places.failure
    )


def _require_room(places: Places, params: NightlyParams) -> None:
    free = shutil.disk_usage(places.root).free / 1e9
    if free < params.free_gigabytes:
        text = f"{free:.1f} GB are free, fewer than the {params.free_gigabytes:g} of nightly.free_gigabytes."
        raise HaltError(Outcome.DISK_FULL, text)


def _require_gpu(params: NightlyParams) -> None:
    if params.device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise HaltError(Outcome.NO_GPU, "nightly.device demands a GPU, and torch finds none.")


def _close(places: Places, params: NightlyParams, diary: _Diary) -> State[Any]:
    """Writes the night down, tells who wants to know, and returns the state that Prefect shows."""
    night = diary.night()
    write_night(places.nights, night)
    with notes.optional():
        notes.show_night(night)
    _tell(places, params, night, diary.outcome.good)
    name = diary.outcome.value.replace("-", " ").capitalize()
    if diary.outcome is Outcome.OVERLAPPING:
        return Cancelled(name=name, message=night.line)
    return (Completed if diary.outcome.good else Failed)(name=name, message=night.line)


def _tell(places: Places, params: NightlyParams, night: Night, good: bool) -> None:
    """The page of the nights, and a message to whoever wants one."""
    with notes.optional():
        notes.write_page(places)
    if params.notify and (params.notify_always or not good):
        with notes.optional():
            notes.notify(params.notify, night)
