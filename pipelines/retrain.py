"""The nightly flow: the entry point of its deployments, `pipelines.retrain.retrain`."""

from __future__ import annotations

import os
from typing import Any

from prefect import Flow, State, flow
from prefect.client.schemas.objects import FlowRun

from likeness.nightly.deployment_check import SERVED, project_of
from likeness.nightly.params import read_nightly
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.prefect_artifacts import run_name
from likeness.nightly.run import RunOptions, record_crashed_run, start_nightly_run
from pipelines._parent import follow_parent


def _after_crash(flow: Flow[Any, Any], flow_run: FlowRun, state: State[Any]) -> None:  # Prefect passes these names
    """Runs where the run was started, be it by `make nightly` or by a worker, when its process is gone."""
    paths = ProjectPaths(project_of(flow_run.parameters["project"]))
    record_crashed_run(paths, read_nightly(paths.params))


@flow(
    name="retrain",
    flow_run_name=run_name,
    validate_parameters=True,
    on_crashed=[_after_crash],
    on_cancellation=[_after_crash],  # one that had to be killed because it did not follow the request
)
def retrain(
    project: str = ".", force_train: bool = False, accept_drift: bool = False, no_settle: bool = False
) -> State[Any]:
    """One nightly run.

    Args:
        project: folder of the project.
        force_train: trains from a new seed even if nothing is new.
        accept_drift: adds a batch however unlike the data set it is.
        no_settle: adds files that changed just now, too.
    """
    if SERVED in os.environ:
        follow_parent(same_group=False)
    return start_nightly_run(project, RunOptions(force_train, accept_drift, no_settle))
