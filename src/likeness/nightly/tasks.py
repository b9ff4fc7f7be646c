"""The steps of a nightly run as Prefect tasks.

Only downloads and the registry are tried again: nothing else gets better by itself.
"""

from __future__ import annotations

import json
from typing import Any

from prefect import State, Task, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import TaskRun

from likeness.nightly import incoming_batch, prefect_artifacts, registry_state
from likeness.nightly.dvc import Dvc
from likeness.nightly.incoming_batch import CollectedBatch
from likeness.nightly.outcome import HaltError
from likeness.nightly.params import STAGES, NightlyParams
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.registry_state import RegistryState


@task(name="collect batch", cache_policy=NO_CACHE)
def collect_batch(
    paths: ProjectPaths, params: NightlyParams, accept_drift: bool, no_settle: bool
) -> CollectedBatch:
    """Moves what arrived into the collection, or into quarantine."""
    batch = incoming_batch.collect_batch(paths, params, accept_drift, no_settle)
    get_run_logger().info("batch: %s", json.dumps(batch.counts, sort_keys=True))
    with prefect_artifacts.best_effort():
        prefect_artifacts.show_batch(batch)
    return batch


@task(name="look for changes", cache_policy=NO_CACHE)
def look_for_changes(paths: ProjectPaths, params: NightlyParams) -> bool:
    """Whether any stage would run."""
    return _dvc(paths, params).changed(STAGES)


def run_stage(name: str, paths: ProjectPaths, params: NightlyParams) -> tuple[bool, float]:
    """One stage of dvc.yaml; returns whether it ran, and its seconds. Only ingest downloads and is tried again."""
    retries = _retries(params) if name == "ingest" else {}
    ran: tuple[bool, float] = _run_stage.with_options(name=name, **retries)(name, paths, params)
    return ran


@task(cache_policy=NO_CACHE)
def _run_stage(name: str, paths: ProjectPaths, params: NightlyParams) -> tuple[bool, float]:
    minutes = getattr(params.minutes, name)
    ran, seconds = _dvc(paths, params).reproduce(name, minutes * 60)
    if ran:
        with prefect_artifacts.best_effort():
            prefect_artifacts.show_stage(name, paths)
    return ran, seconds


def require_tracking(paths: ProjectPaths, params: NightlyParams) -> None:
    """A training that cannot be registered is not started."""
    _require_tracking.with_options(**_retries(params))(paths)


@task(name="reach the registry", cache_policy=NO_CACHE)
def _require_tracking(paths: ProjectPaths) -> None:
    registry_state.require_tracking(paths)


def is_judged(paths: ProjectPaths, params: NightlyParams) -> bool:
    """Whether the gate has decided on the present model."""
    judged: bool = _is_judged.with_options(**_retries(params))(paths)
    return judged


@task(name="look for the model", cache_policy=NO_CACHE)
def _is_judged(paths: ProjectPaths) -> bool:
    return registry_state.is_judged(paths)


def register_and_gate(paths: ProjectPaths, params: NightlyParams) -> RegistryState:
    """The trained model becomes the challenger; the gate decides."""
    state: RegistryState = _register_and_gate.with_options(**_retries(params))(paths)
    return state


@task(name="register and gate", cache_policy=NO_CACHE)
def _register_and_gate(paths: ProjectPaths) -> RegistryState:
    state = registry_state.judge_model(paths)
    with prefect_artifacts.best_effort():
        prefect_artifacts.show_registry_state(state, registry_state.run_id(paths))
    return state


def _retries(params: NightlyParams) -> dict[str, Any]:
    return {
        "retries": len(params.retry_seconds),
        "retry_delay_seconds": list(params.retry_seconds),
        "retry_condition_fn": _is_transient,
    }


def _is_transient(task: Task[Any, Any], run: TaskRun, state: State[Any]) -> bool:
    error = state.result(raise_on_failure=False)
    return isinstance(error, HaltError) and error.transient


def _dvc(paths: ProjectPaths, params: NightlyParams) -> Dvc:
    return Dvc(
        paths.root, params.grace_seconds, params.lock_wait_minutes * 60, get_run_logger().info, paths.failure
    )
