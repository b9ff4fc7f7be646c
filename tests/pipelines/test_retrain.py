"""How a nightly run ends: real Prefect, real DVC with stages that do next to nothing, real signals."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from filelock import FileLock
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import StateType
from prefect.context import refresh_global_settings_context
from prefect.states import State

from likeness.artifacts.nightly_run import NightlyRun, read_nightly_runs
from likeness.data.collected import Collected
from likeness.nightly.outcome import RunOutcome
from likeness.nightly.params import NightlyParams
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.prefect_artifacts import save_webhook
from likeness.nightly.run import RunRecord, finish
from pipelines.nightly import exit_code
from pipelines.retrain import retrain
from tests.data.pictures import jpeg, write_folder
from tests.nightly.toy_project import (
    ROOT,
    environment,
    prefect_server,
    processes_in,
    run,
    start_run,
    toy_project,
    wait_until,
    write_params,
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prefect")


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[str]:
    with prefect_server(home) as url, pytest.MonkeyPatch.context() as patch:
        for key, value in {"PREFECT_API_URL": url, "PREFECT_HOME": str(home)}.items():
            patch.setenv(key, value)
        patch.setenv("PREFECT_SERVER_ALLOW_EPHEMERAL_MODE", "false")  # a mistake must not start another one
        refresh_global_settings_context()
        yield url
    refresh_global_settings_context()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose stages are up to date."""
    folder = toy_project(tmp_path_factory.mktemp("toy") / "project")
    run([sys.executable, "-m", "dvc", "repro", "-q"], folder)
    return folder


@pytest.fixture
def project(built: Path) -> Iterator[Path]:
    yield built
    write_params(built)


def run_flow(project: Path) -> tuple[State[Any], NightlyRun]:
    """Runs the flow here; its state, and what it wrote down."""
    state = retrain(str(project), return_state=True)
    return state, records_of(project)[-1]


def records_of(project: Path) -> list[NightlyRun]:
    return read_nightly_runs(project / "reports" / "nightly")


def name_of(record: NightlyRun) -> str:
    with get_client(sync_client=True) as client:
        return str(client.read_flow_run(UUID(record.flow_run)).name)


def tries(record: NightlyRun) -> dict[str, int]:
    """How often Prefect began each task of a run; the server hears of them by events, a moment later."""
    assert record.flow_run is not None
    wanted = FlowRunFilter(id=FlowRunFilterId(any_=[record.flow_run]))
    found: dict[str, int] = {}

    def all_over() -> bool:
        with get_client(sync_client=True) as client:
            runs = client.read_task_runs(flow_run_filter=wanted)
        found.update({run.name.rpartition("-")[0]: run.run_count for run in runs})
        return bool(runs) and all(run.state is not None and run.state.is_final() for run in runs)

    wait_until(all_over, 30, "the server knows the tasks")
    return found


def test_nothing_new_ends_at_once_and_trains_nothing(server: str, project: Path) -> None:
    state, record = run_flow(project)
    assert (state.name, state.is_completed()) == ("Nothing to do", True)
    assert (record.outcome, record.trained, record.stages) == ("nothing-to-do", False, {})
    assert re.fullmatch(r"retrain \d{4}-\d\d-\d\d: nothing new", name_of(record))
    assert "nothing-to-do" in (project / "reports" / "nightly-runs.html").read_text()


def test_a_refused_challenger_has_a_colour_of_its_own_in_prefect(server: str, tmp_path: Path) -> None:
    kinds = {}
    for outcome in (RunOutcome.PROMOTED, RunOutcome.REFUSED, RunOutcome.FAILED):
        record = RunRecord()
        record.end(outcome, "version 2: a slice fell.")
        state = finish(ProjectPaths(tmp_path), NightlyParams(), record)
        kinds[state.name] = state.type
    assert len(set(kinds.values())) == 3
    assert kinds["Refused"] is StateType.CANCELLED


@pytest.mark.parametrize("outcome", RunOutcome)
def test_the_exit_code_is_1_where_somebody_should_look(server: str, tmp_path: Path, outcome: RunOutcome) -> None:
    record = RunRecord()
    record.end(outcome, "it ended.")
    code = exit_code(finish(ProjectPaths(tmp_path), NightlyParams(), record).name)
    assert code == (0 if outcome in ("promoted", "kept", "refused", "nothing-to-do") else 1)


@pytest.mark.fault("A4")
def test_files_that_wait_are_reported_and_taken_in_on_demand(server: str, project: Path) -> None:
    write_params(project, {"settle_seconds": 3600})
    write_folder(project / "data" / "incoming", {"Ann/1.jpg": jpeg(1)})
    try:
        _, record = run_flow(project)
        assert record.outcome == "nothing-to-do"
        assert "1 file waits to settle until" in record.line
        retrain(str(project), no_settle=True, return_state=True)
        assert records_of(project)[-1].batch["merged"] == 1
        assert name_of(records_of(project)[-1]).endswith(": 1 new photograph")
    finally:
        for name in ("incoming", "collected"):
            shutil.rmtree(project / "data" / name, ignore_errors=True)
        Collected(project / "data" / "collected").write(project / "data" / "collected.json")


def test_a_failed_validation_stops_everything_and_is_reported(
    server: str, project: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    url, messages = hook
    slug = save_webhook("likeness", url)
    write_params(project, {"notify": slug}, validate="ValidationFailedError: 2 of 9 expectations do not hold")
    state, record = run_flow(project)
    assert (state.name, state.is_failed()) == ("Validation failed", True)
    assert "2 of 9 expectations do not hold" in record.line
    assert (tries(record)["validate"], "split" in tries(record)) == (1, False)
    assert messages == [{"subject": "Likeness: validation-failed", "text": record.line}]


def test_a_download_that_breaks_off_is_tried_again_and_a_wrong_folder_is_not(server: str, project: Path) -> None:
    write_params(project, ingest="UnreachableError: http://mirror: the server does not answer")
    _, record = run_flow(project)
    assert (record.outcome, tries(record)["ingest"]) == ("failed", 2)
    write_params(project, ingest="SourceError: /faces: there is no such folder")
    _, record = run_flow(project)
    assert (record.outcome, tries(record)["ingest"]) == ("failed", 1)
    assert "there is no such folder" in record.line
    write_params(project, ingest="full")
    _, record = run_flow(project)
    assert (record.outcome, tries(record)["ingest"]) == ("disk-full", 1)


def test_a_second_run_in_the_same_project_is_cancelled(server: str, project: Path) -> None:
    with FileLock(project / ".likeness" / "nightly" / "lock"):
        state, record = run_flow(project)
    assert (state.is_cancelled(), record.outcome) == (True, "overlapping")


def test_a_person_who_works_with_dvc_is_waited_for_and_not_disturbed(server: str, project: Path) -> None:
    write_params(project, ingest="sleep")
    command = [sys.executable, "-m", "dvc", "repro", "ingest"]
    person = subprocess.Popen(command, cwd=project, env=environment(), start_new_session=True)
    try:
        wait_until(lambda: len(processes_in(project)) >= 3, 60, "the person's stage works")
        _, record = run_flow(project)
        assert record.outcome == "lock-busy"
        assert str(person.pid) in record.line
        assert person.poll() is None
    finally:
        person.send_signal(signal.SIGINT)
        for process in processes_in(project):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        person.wait(30)


@pytest.mark.slow
def test_a_stage_out_of_time_is_stopped_with_all_its_children(server: str, project: Path) -> None:
    write_params(project, {"minutes": {"ingest": 0.15}}, ingest="sleep")
    _, record = run_flow(project)
    assert record.outcome == "failed"
    assert "0.15 minutes" in record.line
    assert not processes_in(project)


def active_run(project: Path, server: str, home: Path) -> subprocess.Popen[str]:
    """A nightly run that is in the middle of a stage."""
    write_params(project, ingest="sleep")
    flow = start_run(project, server, home)
    # flow, guard, dvc, stage, its child
    wait_until(lambda: len(processes_in(project)) >= 5, 120, "the stage works")
    return flow


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_run_that_is_reported_to_stop_stops_its_stage(
    server: str, home: Path, project: Path, number: signal.Signals
) -> None:
    before = len(records_of(project))
    flow = active_run(project, server, home)
    flow.send_signal(number)
    flow.communicate(timeout=180)
    assert not processes_in(project)
    assert [record.outcome for record in records_of(project)[before:]] == ["cancelled"]


@pytest.mark.slow
def test_a_killed_run_leaves_no_orphan_and_the_next_one_records_it(
    server: str, home: Path, project: Path, hook: tuple[str, list[dict[str, Any]]]
) -> None:
    before = len(records_of(project))
    flow = active_run(project, server, home)
    flow.kill()
    flow.communicate(timeout=180)
    wait_until(lambda: not processes_in(project), 90, "all of them are gone")
    url, messages = hook
    write_params(project, {"notify": save_webhook("likeness", url)})
    run_flow(project)
    killed, following = records_of(project)[before:]
    assert (killed.outcome, following.outcome) == ("killed", "nothing-to-do")
    assert "killed at ingest" in killed.line
    assert messages == [{"subject": "Likeness: killed", "text": killed.line}]


def test_an_unknown_parameter_is_reported_in_a_line(server: str, project: Path) -> None:
    write_params(project, {"cronn": "0 3 * * *"})
    _, record = run_flow(project)
    assert record.outcome == "failed"
    assert "nightly.cronn: unknown key, did you mean cron?" in record.line


def test_a_full_disk_is_reported_before_anything_begins(server: str, project: Path) -> None:
    write_params(project, {"free_gigabytes": 1e9})
    _, record = run_flow(project)
    assert record.outcome == "disk-full"


@pytest.mark.slow
@pytest.mark.fault("A2")
def test_a_deployment_has_the_schedule_of_operations_yaml(server: str, home: Path, project: Path) -> None:
    write_params(project, {"cron": "30 4 * * *", "timezone": "America/Argentina/Buenos_Aires"})
    shutil.copy(ROOT / "prefect.yaml", project)
    prefect = [sys.executable, "-m", "prefect", "work-pool", "create", "likeness", "--type", "process"]
    for command in (prefect, [sys.executable, "-m", "pipelines.nightly", "deploy"]):
        environ = environment(PREFECT_API_URL=server, PREFECT_HOME=str(home))
        subprocess.run(command, cwd=project, env=environ, capture_output=True, check=True)
    with get_client(sync_client=True) as client:
        deployment = client.read_deployment_by_name("retrain/nightly")
    (schedule,) = (one.schedule for one in deployment.schedules)
    assert (schedule.cron, schedule.timezone) == ("30 4 * * *", "America/Argentina/Buenos_Aires")
    assert deployment.parameters["project"] == str(project)
