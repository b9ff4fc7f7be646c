"""The schedule: one run at a time, and missed runs are replaced by a single one."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import prefect.runner.runner
from prefect import Flow, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy, StateType
from prefect.flows import EntrypointType
from prefect.runner import Runner
from prefect.schedules import Cron
from prefect.server.schemas.schedules import CronSchedule
from prefect.states import Cancelled, Crashed

from likeness.artifacts.nightly_run import read_nightly_runs
from likeness.nightly.deployment_check import ENTRYPOINT, SERVED
from likeness.nightly.outcome import RunOutcome
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.run import record_crashed_run
from likeness.nightly.run_lock import is_unlocked

_log = logging.getLogger(__name__)
_NAME = "nightly"
_ACTIVE = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
# A second run while one is active is cancelled, and the server says why.
_ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def serve_nightly(retrain: Flow[Any, Any], paths: ProjectPaths, params: NightlyParams) -> None:
    """Serves the flow until SIGINT or SIGTERM.

    Args:
        retrain: the flow, importable as `ENTRYPOINT`.
        paths: of the project.
        params: section `nightly` of its operations.yaml.
    """
    record_crashed_run(paths, params)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(retrain, paths, params))


class _Runner(Runner):  # type: ignore[misc]  # prefect is untyped here
    """Ends on SIGTERM as on SIGINT: runs are stopped and the schedule is paused before the loop closes."""

    def handle_sigterm(self, *_: object) -> None:
        """Prefect's own leaves a coroutine that nobody awaits, and exits in the middle of the loop."""
        signal.raise_signal(signal.SIGINT)


async def _serve(retrain: Flow[Any, Any], paths: ProjectPaths, params: NightlyParams) -> None:
    deployment = await retrain.ato_deployment(
        name=_NAME,
        schedule=Cron(params.cron, timezone=params.zone),
        concurrency_limit=_ONE_AT_A_TIME,
        parameters={"project": str(paths.root)},
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    _pin_flow(retrain, paths)
    runner = _Runner(name=_NAME, query_seconds=5)
    found = await runner.aadd_deployment(deployment)
    await _catch_up(found, paths, params)
    _log.info("nightly runs at %s (%s); stop with Ctrl-C", params.cron, params.zone)
    await runner.start()


def _pin_flow(retrain: Flow[Any, Any], paths: ProjectPaths) -> None:
    """Makes the runner and its children run this checkout's flow, whatever steps and entry point are stored.

    The children read their flow's entry point from the environment before they ask the server; the runner itself
    loads a flow only to find its hooks.
    """

    async def loaded(*_: object, **__: object) -> Flow[Any, Any]:
        return retrain

    os.environ |= {SERVED: str(paths.root), "PREFECT__FLOW_ENTRYPOINT": ENTRYPOINT}
    prefect.runner.runner.load_flow_from_flow_run = loaded


async def _catch_up(deployment: UUID, paths: ProjectPaths, params: NightlyParams) -> None:
    """Replaces all runs that were due while nothing was served by a single one, if one was missed.

    Before that, ends runs whose process is gone, for they occupy the slot of the next.
    """
    async with get_client() as client:
        if is_unlocked(paths):
            for run in await client.read_flow_runs(flow_run_filter=_runs(deployment, *_ACTIVE)):
                await client.set_flow_run_state(run.id, Crashed(message="Its process is gone."))
        for run in await client.read_flow_runs(flow_run_filter=_runs(deployment, StateType.SCHEDULED)):
            await client.set_flow_run_state(run.id, Cancelled(message="Missed; replaced by one run."), force=True)
        if await is_run_missed(paths, params, datetime.now(UTC)):
            made = await client.create_flow_run_from_deployment(deployment, name="missed run")
            _log.info("a nightly run was missed; run %s replaces it", made.name)


def _runs(deployment: UUID, *states: StateType) -> FlowRunFilter:
    """Runs in one of these states that should have begun by now."""
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=datetime.now(UTC)),
    )


async def is_run_missed(paths: ProjectPaths, params: NightlyParams, now: datetime) -> bool:
    """Whether the cron has fired since the last run started, or that one was killed; False before the first.

    Two that were killed in a row are not followed by a third at once: what kills them may be the run itself.
    """
    runs = read_nightly_runs(paths.nightly_runs)
    if not runs:
        return False
    killed = [run.outcome == RunOutcome.KILLED for run in runs[-2:]]
    if killed[-1] and sum(killed) == 1:
        return True
    after = runs[-1].start + timedelta(seconds=1)  # else a run at the very second counts
    due = await CronSchedule(cron=params.cron, timezone=params.zone).get_dates(n=1, start=after)
    return bool(due and due[0] <= now)
