"""Deploys prefect.yaml with the schedule of operations.yaml, so that the schedule is defined once."""

from __future__ import annotations

import os
import subprocess
import sys

from likeness.errors import UnreachableError
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths


def deploy(paths: ProjectPaths, params: NightlyParams) -> None:
    """Sends the deployment to the server that PREFECT_API_URL names; an older one of its name is replaced.

    LIKENESS_PROJECT, the project's folder as the workers see it, is this one unless it is set.

    Raises:
        UnreachableError: PREFECT_API_URL is not set, or the server does not take the deployment.
    """
    if not os.environ.get("PREFECT_API_URL"):
        raise UnreachableError(
            "set PREFECT_API_URL to the server that the workers ask, such as http://server:4200/api"
        )
    schedule = {"LIKENESS_CRON": params.cron, "LIKENESS_TIMEZONE": params.zone}
    environ = {"LIKENESS_PROJECT": str(paths.root)} | os.environ | schedule
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    if subprocess.run(command, cwd=paths.root, env=environ).returncode != 0:
        raise UnreachableError(f"{os.environ['PREFECT_API_URL']}: the deployment failed; the lines above say why")
