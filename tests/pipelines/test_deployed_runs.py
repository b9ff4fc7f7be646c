"""The deployed flow with toy stages: a cron that fires, cancelling, a killed run; run by `make test-nightly`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs, write_nightly_run
from tests.nightly.deployed import ask, begin_run, pooled, served, serving, stages_in, state_of
from tests.nightly.toy_project import (
    environment,
    free_port,
    processes_in,
    run,
    toy_project,
    wait_until,
    write_params,
)

pytestmark = pytest.mark.nightly


def records_of(project: Path) -> list[NightlyRun]:
    return read_nightly_runs(project / "reports" / "nightly")


def test_a_cron_fires_and_a_missed_run_is_replaced_once(tmp_path: Path) -> None:
    """`serve` with its embedded server: fires every minute; stopped in the middle of a stage; started again."""
    nightly = {"cron": "* * * * *", "port": free_port()}
    project = toy_project(tmp_path / "project", nightly)
    run([sys.executable, "-m", "dvc", "repro", "-q"], project)
    with serving(project, tmp_path) as log:
        wait_until(lambda: len(records_of(project)) >= 1, 400, "the cron fires")
        write_params(project, nightly, ingest="sleep")
        wait_until(lambda: stages_in(project), 400, "a stage works")
    wait_until(lambda: not processes_in(project), 60, "server, flow and stage are gone")
    assert "a nightly run was missed" not in log.read_text()

    ended = len(records_of(project))
    write_params(project, nightly | {"cron": "0 2 * * *", "timezone": "UTC"})
    last = records_of(project)[-1]
    long_ago = replace(last, started="2026-01-01T02:00:00+00:00", flow_run=None)
    shutil.rmtree(project / "reports" / "nightly")
    write_nightly_run(project / "reports" / "nightly", long_ago)
    assert ended >= 1

    def ended_by_themselves() -> int:  # a stop in the middle of a stage may be written down as killed
        return sum(record.outcome != "killed" for record in records_of(project))

    with serving(project, tmp_path) as log:
        wait_until(lambda: ended_by_themselves() == 2, 400, "the missed record is caught up")
        time.sleep(20)
        assert ended_by_themselves() == 2, "it is caught up once"
    assert "a nightly run was missed" in log.read_text()


@pytest.mark.parametrize("deployed", [served, pooled])
def test_a_run_can_be_cancelled_and_a_killed_one_is_reported_at_once(
    tmp_path: Path, hook: tuple[str, list[dict[str, Any]]], deployed: Callable[[Path, Path], Any]
) -> None:
    """The same by one process with an embedded server, and by a worker of a process pool."""
    nightly = {"port": free_port(), "notify": "custom-webhook/likeness"}
    project = toy_project(tmp_path / "project", nightly)
    run([sys.executable, "-m", "dvc", "repro", "-q"], project)
    with deployed(project, tmp_path) as url:
        save = [sys.executable, "-m", "pipelines.nightly", "webhook", hook[0]]
        subprocess.run(save, cwd=project, env=environment(PREFECT_API_URL=url), check=True)
        wait_until(lambda: ask(url, "deployments/name/retrain/nightly") is not None, 400, "the deployment")

        state = state_of(url, begin_run(url), "COMPLETED")
        assert state["name"] == "Nothing to do"

        write_params(project, nightly, ingest="sleep")
        flow_run = begin_run(url)
        wait_until(lambda: stages_in(project), 400, "the stage works")
        ask(url, f"flow_runs/{flow_run}/set_state", {"state": {"type": "CANCELLING"}})  # as the page does
        wait_until(lambda: not stages_in(project), 60, "the stage is gone")
        state_of(url, flow_run, "CANCELLED")

        flow_run = begin_run(url)
        wait_until(lambda: stages_in(project), 400, "the stage works")
        for process in processes_in(project):
            if "prefect.engine" in " ".join(process.cmdline()):
                process.kill()
        wait_until(lambda: not stages_in(project), 60, "the stage is gone")
        state_of(url, flow_run, "CRASHED")
        wait_until(lambda: hook[1], 60, "the killed run is reported")
    outcomes = [record.outcome for record in records_of(project)]
    assert outcomes == ["nothing-to-do", "cancelled", "killed"]
    assert [message["subject"] for message in hook[1]] == ["Likeness: killed"]
