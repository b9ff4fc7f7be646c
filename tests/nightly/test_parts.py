"""The parts of a night that need no server: seed, outcomes, process groups, and when a nightly run was missed."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from likeness.artifacts.failure import FAILURE_FILE, read_failure
from likeness.artifacts.nightly_run import NightlyRun, write_nightly_run
from likeness.data.collected import Collected
from likeness.errors import (
    CollapseError,
    DivergedError,
    DownloadError,
    Failure,
    OutputError,
    ParamsError,
    SourceError,
    TrackingError,
    UnreachableError,
    ValidationFailedError,
    failure_of,
)
from likeness.files import read_json
from likeness.nightly.ingest_batch import ingest_batch
from likeness.nightly.outcome import NEXT_STEPS, HaltError, Outcome, stage_halt
from likeness.nightly.params import NightlyParams, read_nightly
from likeness.nightly.paths import ProjectPaths
from likeness.nightly.prefect_server import configure_prefect
from likeness.nightly.process import run_group
from likeness.nightly.run_lock import find_crashed_run, record_step, run_lock
from likeness.nightly.seed import next_seed
from likeness.params import read_params
from pipelines._stage import run as run_stage_program
from tests.data.pictures import jpeg, write_folder
from tests.nightly.toy_project import ROOT, processes_in, wait_until

FORMER = ROOT / "tests" / "artifacts" / "former"
PARENT = """
import pathlib, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell deafens what it puts into the background
from likeness.nightly.process import run_group
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(99)'])"
folder = pathlib.Path(sys.argv[1])
run_group([sys.executable, "-c", child], folder=folder, seconds=99, grace=1, report=print)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(99)"
)


def test_a_command_gives_its_output_and_exit_code(tmp_path: Path) -> None:
    told: list[str] = []
    program = "import os, sys; print(os.getcwd()); print('to stderr', file=sys.stderr); sys.exit(3)"
    done = run_group([sys.executable, "-c", program], folder=tmp_path, seconds=60, grace=1, report=told.append)
    assert (done.exit_code, done.timed_out) == (3, False)
    assert set(done.lines) == set(told) == {str(tmp_path), "to stderr"}


def test_a_command_out_of_time_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    done = run_group([sys.executable, "-c", STUBBORN], folder=tmp_path, seconds=3, grace=1, report=lambda _: None)
    assert done.timed_out
    assert done.exit_code != 0
    assert not processes_in(tmp_path)


def test_a_polite_command_may_finish_its_work(tmp_path: Path) -> None:
    program = (
        "import time\ntry:\n  print('up', flush=True); time.sleep(99)\nexcept KeyboardInterrupt:\n  print('saved')"
    )
    done = run_group([sys.executable, "-c", program], folder=tmp_path, seconds=5, grace=20, report=lambda _: None)
    assert done.lines == ("up", "saved")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_the_parent(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, tmp_path], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(processes_in(tmp_path)) == 3, 60, "guard, command and its child run")
    parent.send_signal(number)
    parent.wait(30)
    wait_until(lambda: not processes_in(tmp_path), 30, "all of them are gone")


@pytest.mark.parametrize(
    ("error", "outcome", "transient"),
    [
        (ValidationFailedError("2 of 9 fail"), Outcome.INVALID, False),
        (DivergedError("the loss is nan"), Outcome.DIVERGED, False),
        (CollapseError("one point"), Outcome.DIVERGED, False),
        (TrackingError("the store is away"), Outcome.TRACKING_AWAY, False),
        (OSError(errno.ENOSPC, "in any language"), Outcome.DISK_FULL, False),
        (UnreachableError("http://a: no answer, in any words"), Outcome.FAILED, True),
        (DownloadError("http://a: is not the published file"), Outcome.FAILED, False),
        (DownloadError("http://a: cut short", transient=True), Outcome.FAILED, True),
        (SourceError("/a: a folder whose name is 'the server does not answer'"), Outcome.FAILED, False),
        (KeyError("a defect"), Outcome.FAILED, False),
    ],
)
def test_a_failure_is_data_and_decides_the_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, outcome: Outcome, transient: bool
) -> None:
    """A stage program that fails leaves a small JSON; what it prints is for people."""
    left = tmp_path / "failure.json"
    monkeypatch.setenv(FAILURE_FILE, str(left))
    monkeypatch.setattr(sys, "argv", ["stage"])

    def main() -> None:
        raise error

    with pytest.raises((SystemExit, type(error))):
        run_stage_program(main)
    halt = stage_halt("train", read_failure(left), ["ValidationFailedError: printed by something else"])
    assert (halt.outcome, halt.transient) == (outcome, transient)
    assert str(halt).startswith("train: ")


def test_a_full_disk_below_another_error_is_a_full_disk() -> None:
    error = OutputError("data/faces: cannot be written")
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert failure_of(error) == Failure("disk-full", False, "data/faces: cannot be written")


@pytest.mark.parametrize(
    ("lines", "outcome", "line"),
    [
        (["ERROR: failed to reproduce 'train': exited with 1"], Outcome.FAILED, "failed to reproduce 'train'"),
        (["ERROR: unexpected error - [Errno 28] No space left on device"], Outcome.DISK_FULL, "unexpected error"),
        (["ValidationFailedError: printed, but not left"], Outcome.FAILED, "printed, but not left"),
        ([], Outcome.FAILED, "without any output"),
    ],
)
def test_a_stage_that_leaves_nothing_failed_as_its_output_ends(
    tmp_path: Path, lines: list[str], outcome: Outcome, line: str
) -> None:
    halt = stage_halt("train", read_failure(tmp_path / "none.json"), lines)
    assert (halt.outcome, halt.transient) == (outcome, False)
    assert line in str(halt)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"kind": 3}', b"\xff"])
def test_a_torn_failure_is_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "failure.json").write_bytes(content)
    assert read_failure(tmp_path / "failure.json") is None


def test_every_outcome_says_what_to_do() -> None:
    assert set(NEXT_STEPS) == set(Outcome)


def test_the_seed_is_raised_and_nothing_else_changes(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(
        "split:\n  seed: 7\ntrain:\n  # a comment\n  epochs: 2\n\n  seed: 41  # drawn\n  l2:\n    conv: 0.0\n"
    )
    before = params.read_text()
    assert next_seed(params) == 42
    assert params.read_text() == before.replace("seed: 41", "seed: 42")


@pytest.mark.parametrize(
    "text", ["train:\n  epochs: 2\n", "train:\n  loss:\n    seed: 1\n", "split:\n  seed: 3\n"]
)
def test_a_seed_that_is_not_there_is_told(tmp_path: Path, text: str) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(text)
    with pytest.raises(ParamsError, match="right below `train:`"):
        next_seed(params)
    assert params.read_text() == text


def test_a_project_without_the_section_has_its_defaults(tmp_path: Path) -> None:
    params = tmp_path / "params.yaml"
    params.write_text("train: {}\n")
    assert read_nightly(params) == NightlyParams()
    params.write_text(yaml.safe_dump({"nightly": {"timezone": "Mars/Base", "grace_seconds": 99}}))
    with pytest.raises(ParamsError, match="grace_seconds"):
        read_params(params, NightlyParams)
    params.write_text(yaml.safe_dump({"nightly": {"timezone": "Mars/Base"}}))
    with pytest.raises(ParamsError, match="no name of the tz database"):
        read_nightly(params)


def test_a_run_is_missed_once_the_cron_has_fired(tmp_path: Path) -> None:
    from likeness.nightly.schedule import is_run_missed

    paths, params = ProjectPaths(tmp_path), NightlyParams(cron="0 2 * * *", timezone="Europe/Berlin")

    def at(day: int, hour: int) -> bool:
        return asyncio.run(is_run_missed(paths, params, datetime(2026, 1, day, hour, 30, tzinfo=UTC)))

    assert not at(1, 5)
    write_nightly_run(
        paths.nightly_runs, NightlyRun("2026-01-01T01:00:00+00:00", "kept", "", 1.0)
    )  # two o'clock in Berlin
    assert not at(1, 5)
    assert not at(2, 0)
    assert at(2, 1)
    assert at(9, 1)


def test_a_killed_run_is_replaced_unless_the_one_before_was_killed_too(tmp_path: Path) -> None:
    from likeness.nightly.schedule import is_run_missed

    paths, params = ProjectPaths(tmp_path), NightlyParams(cron="0 2 * * *", timezone="UTC")

    def soon_after(day: int) -> bool:
        return asyncio.run(is_run_missed(paths, params, datetime(2026, 1, day, 2, 5, tzinfo=UTC)))

    for day, outcome, expected in [(1, "kept", False), (2, "killed", True), (3, "killed", False)]:
        write_nightly_run(paths.nightly_runs, NightlyRun(f"2026-01-0{day}T02:00:00+00:00", outcome, "", 1.0))
        assert soon_after(day) == expected


def test_only_a_crashed_run_is_found_and_only_once(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    with run_lock(paths, 1_767_225_600.0, "0123456789"):
        record_step(paths, "train")
        assert find_crashed_run(paths) is None
        left = (paths.state / "running.json").read_bytes()
        with pytest.raises(HaltError, match="another nightly run"), run_lock(paths, 0.0, None):
            pass
    assert find_crashed_run(paths) is None
    (paths.state / "running.json").write_bytes(left)
    record = find_crashed_run(paths)
    assert record is not None
    assert (record.started, record.outcome) == ("2026-01-01T00:00:00+00:00", "killed")
    assert "killed at train" in record.line
    assert find_crashed_run(paths) is None
    (paths.state / "running.json").write_bytes(left)
    assert find_crashed_run(paths) is None, "it is recorded already"


def test_a_state_file_cut_short_by_the_kill_is_a_crashed_run_too(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(parents=True)
    (paths.state / "running.json").write_text("{")
    record = find_crashed_run(paths)
    assert record is not None
    assert record.outcome == "killed"


def test_a_run_that_the_version_before_left_killed_is_recorded(tmp_path: Path) -> None:
    paths = ProjectPaths(tmp_path)
    paths.state.mkdir(parents=True)
    shutil.copy(FORMER / "state" / "at-work.json", paths.state)
    record = find_crashed_run(paths)
    assert record is not None
    assert (record.started, record.flow_run) == ("2026-01-03T02:00:00+00:00", "fedcba9876543210")
    assert "killed at evaluate" in record.line
    assert not list(paths.state.glob("*.json"))


def project_with_a_batch(root: Path) -> ProjectPaths:
    sections = {
        "data": {"source": "folder", "mirror": None, "crop": None, "size": [16, 12]},
        "validate": {"sharpness": [0, 60000]},
    }
    (root / "params.yaml").write_text(yaml.safe_dump(sections))
    for at, person in enumerate(["Ann", "Bob", "Bob"]):
        write_folder(root / "data" / "incoming" / person, {f"{at}.jpg": jpeg(at)})
    return ProjectPaths(root)


@pytest.mark.attack("4")
def test_an_intake_says_of_each_file_what_became_of_it(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    write_folder(paths.incoming, {"Eve/bad.jpg": b"no picture", "Eve/late.jpg.part": b"half"})
    (paths.incoming / "pipe").symlink_to("nowhere")
    batch = ingest_batch(paths, NightlyParams(settle_seconds=0))
    assert batch.halt is None
    assert batch.counts == {
        "arrived": 4,
        "merged": 3,
        "known": 0,
        "quarantined": 1,
        "waiting": 1,
        "aside": 1,
    }
    rows = {row["name"]: (row["fate"], row["reason"]) for row in read_json(paths.batch)}
    assert rows["Ann/0.jpg"] == ("merged", "")
    assert rows["Eve/bad.jpg"][0] == "quarantined"
    assert "no image of a kind that is read" in rows["Eve/bad.jpg"][1]
    assert rows["Eve/late.jpg.part"] == ("waiting", "Its name is that of an unfinished download.")
    assert rows["pipe"][0] == "aside"


@pytest.mark.attack("4")
def test_a_torn_index_ends_no_run(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    ingest_batch(paths, NightlyParams(settle_seconds=0))
    index = tmp_path / "data" / "collected" / "index.json"
    index.write_bytes(index.read_bytes()[:50])
    write_folder(paths.incoming / "Ann", {"late.jpg": jpeg(7)})
    assert ingest_batch(paths, NightlyParams(settle_seconds=0)).counts["merged"] == 1
    assert len(Collected.read(paths.collected).photographs) == 4


def test_a_fresh_clone_gets_a_home_for_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {})
    configure_prefect(ProjectPaths(tmp_path))
    assert Path(os.environ["PREFECT_HOME"]).is_dir()
    assert Path(os.environ["PREFECT_HOME"]).is_relative_to(tmp_path)


@pytest.mark.fault("A4")
def test_an_intake_says_how_many_files_wait_and_until_when(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    params = NightlyParams(settle_seconds=3600)
    waiting = ingest_batch(paths, params)
    assert (waiting.counts["arrived"], waiting.counts["waiting"]) == (0, 3)
    newest = max(path.stat().st_ctime for path in paths.incoming.rglob("*.jpg"))
    assert waiting.settled == pytest.approx(newest + 3600, abs=0.01)
    assert waiting.waiting.startswith("3 files wait to settle until ")
    rows = read_json(paths.batch)
    assert [row["fate"] for row in rows] == ["waiting"] * 3
    assert all("counts as arrived at" in row["reason"] for row in rows)
    taken = ingest_batch(paths, params, no_settle=True)
    assert (taken.counts["merged"], taken.waiting) == (3, "")


@pytest.mark.fault("A4")
def test_unfinished_downloads_wait_without_an_end(tmp_path: Path) -> None:
    paths = project_with_a_batch(tmp_path)
    write_folder(paths.incoming, {"Eve/late.jpg.part": b"half"})
    batch = ingest_batch(paths, NightlyParams(), no_settle=True)
    assert batch.waiting == "1 file waits, .likeness/nightly/batch.json says for what"
