"""The schedule: one run at a time, and a night that was missed is caught up once."""

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

from likeness.tracking.history import read_nights
from pipelines.nightly.at_work import idle
from pipelines.nightly.origin import ENTRYPOINT, SERVED
from pipelines.nightly.outcome import Outcome
from pipelines.nightly.params import NightlyParams, Places
from pipelines.retrain import bury, retrain

_log = logging.getLogger(__name__)
NAME = "nightly"
_AT_WORK = (StateType.PENDING, StateType.RUNNING, StateType.CANCELLING)
# A second run while one works is cancelled, and the server says why.
ONE_AT_A_TIME = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)


def serve_nights(places: Places, params: NightlyParams) -> None:
    """Serves the flow until SIGINT or SIGTERM."""
    bury(places, params)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(places, params))


class _Runner(Runner):  # type: ignore[misc]  # prefect is untyped here
    """Ends on SIGTERM as on SIGINT: runs are stopped and the schedule is paused before the loop closes."""

    def handle_sigterm(self, *_: object) -> None:
        """Prefect's own leaves a coroutine that nobody awaits, and exits in the midst of the loop."""
        signal.raise_signal(signal.SIGINT)


async def _serve(places: Places, params: NightlyParams) -> None:
    deployment = await retrain.ato_deployment(
        name=NAME,
        schedule=Cron(params.cron, timezone=params.zone),
        concurrency_limit=ONE_AT_A_TIME,
        parameters={"project": str(places.root)},
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    _pin_flow(places)
    runner = _Runner(name=NAME, query_seconds=5)
    found = await runner.aadd_deployment(deployment)
    await _catch_up(found, places, params)
    _log.info("nights at %s (%s); stop with Ctrl-C", params.cron, params.zone)
    await runner.start()


def _pin_flow(places: Places) -> None:
    """Makes the runner and its children run this checkout's flow, whatever steps and entry point are stored.

    The children read their flow's entry point from the environment before they ask the server; the runner itself
    loads a flow only to find its hooks.
    """

    async def loaded(*_: object, **__: object) -> Flow[Any, Any]:
        return retrain

    os.environ |= {SERVED: str(places.root), "PREFECT__FLOW_ENTRYPOINT": ENTRYPOINT}
    prefect.runner.runner.load_flow_from_flow_run = loaded


async def _catch_up(deployment: UUID, places: Places, params: NightlyParams) -> None:
    """Replaces all the runs that nobody was there for by a single one, if a night was missed.

    Before that, buries runs that died without a word, for they hold the place of the next.
    """
    async with get_client() as client:
        if idle(places):
            for run in await client.read_flow_runs(flow_run_filter=_runs(deployment, *_AT_WORK)):
                await client.set_flow_run_state(run.id, Crashed(message="Its process is gone."))
        for run in await client.read_flow_runs(flow_run_filter=_runs(deployment, StateType.SCHEDULED)):
            await client.set_flow_run_state(run.id, Cancelled(message="Missed; caught up by one run."), force=True)
        if await missed(places, params, datetime.now(UTC)):
            made = await client.create_flow_run_from_deployment(deployment, name="missed night")
            _log.info("a night was missed; run %s catches up", made.name)


def _runs(deployment: UUID, *states: StateType) -> FlowRunFilter:
    """Runs in one of these states that should have begun by now."""
    return FlowRunFilter(
        deployment_id=FlowRunFilterDeploymentId(any_=[deployment]),
        state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(states))),
        expected_start_time=FlowRunFilterExpectedStartTime(before_=datetime.now(UTC)),
    )


async def missed(places: Places, params: NightlyParams, now: datetime) -> bool:
    """Whether the cron has struck since the last night began, or that one was killed; False before the first.

    Two that were killed in a row are not followed by a third at once: what kills them may be the night itself.
    """
    nights = read_nights(places.nights)
    if not nights:
        return False
    killed = [night.outcome == Outcome.KILLED for night in nights[-2:]]
    if killed[-1] and sum(killed) == 1:
        return True
    after = datetime.fromisoformat(nights[-1].started) + timedelta(seconds=1)  # else a night on the stroke counts
    due = await CronSchedule(cron=params.cron, timezone=params.zone).get_dates(n=1, start=after)
    return bool(due and due[0] <= now)
