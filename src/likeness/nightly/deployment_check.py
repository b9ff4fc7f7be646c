"""Refuses a scheduled run whose stored deployment or parameters are not those that `make nightly` made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect.client.orchestration import get_client
from prefect.runtime import deployment

from likeness.nightly.outcome import HaltError, RunOutcome

SERVED = "LIKENESS_SERVED_PROJECT"
"""Set by `make nightly` for the processes of its runs: the folder that they are for."""

ENTRYPOINT = "pipelines.retrain.retrain"


def project_of(asked: str) -> Path:
    """The folder that a run works in: that of `make nightly` where this started it, whatever the run asks for."""
    return Path(os.environ.get(SERVED) or asked).resolve()


def check_deployment(asked: str) -> None:
    """Refuses a run whose deployment or parameters are not those that `make nightly` made.

    Args:
        asked: the parameter `project` of the run.

    Raises:
        HaltError: they were changed; the line names what.
    """
    served = os.environ.get(SERVED)
    if served is None:
        return
    changes = [] if Path(asked).resolve() == Path(served).resolve() else [f"parameter project is {asked!r}"]
    if deployment.id is not None:
        changes += _changes(served)
    if changes:
        raise HaltError(RunOutcome.ALTERED, f"the run was refused, because it was changed: {'; '.join(changes)}.")


def _changes(served: str) -> list[str]:
    """Each attribute of the stored deployment that is not as it was made."""
    with get_client(sync_client=True) as client:
        stored = client.read_deployment(deployment.id)
    expected: dict[str, tuple[Any, ...]] = {
        "pull_steps": (None, []),
        "entrypoint": (ENTRYPOINT,),
        "path": (None, "."),
        "parameters": ({"project": served},),
        "work_pool_name": (None,),
        "job_variables": (None, {}),
    }
    found = {name: getattr(stored, name, None) for name in expected}
    return [f"{name} is {value!r}" for name, value in found.items() if value not in expected[name]]
