"""One nightly run at a time, and a state file while it runs, from which a crashed run is found later."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from likeness.artifacts.json_file import JsonFile
from likeness.artifacts.nightly_run import NightlyRun, write_nightly_run
from likeness.errors import DataError
from likeness.nightly.outcome import NEXT_STEPS, HaltError, RunOutcome
from likeness.nightly.paths import ProjectPaths

_log = logging.getLogger(__name__)
_LOCK = "lock"
_FORMER_STATE = "at-work.json"  # before 0.2


@dataclass(frozen=True)
class RunState:
    """What a nightly run leaves while it runs.

    Attributes:
        began: seconds since 1970.
        flow_run: id of the run in Prefect.
        step: what it does now.
    """

    began: float
    flow_run: str | None
    step: str


_STATE = JsonFile("running.json", RunState)


@contextmanager
def run_lock(paths: ProjectPaths, began: float, flow_run: str | None) -> Iterator[None]:
    """Keeps other nightly runs away while the block runs, also those that no server knows of.

    The system frees the lock of a process that was killed; its state file remains.

    Raises:
        HaltError: another run is active.
    """
    lock = _lock(paths)
    try:
        lock.acquire()
    except Timeout:
        raise HaltError(RunOutcome.OVERLAPPING, "another nightly run is active in this project.") from None
    state = paths.state / _STATE.name
    try:
        _STATE.write(state, RunState(began, flow_run, "the start"))
        yield
    finally:
        with suppress(OSError):
            state.unlink(missing_ok=True)
        lock.release()


def note_step(paths: ProjectPaths, step: str) -> None:
    """Writes the step that starts now to the state file, for the record of a crash."""
    path = paths.state / _STATE.name
    try:
        state = _STATE.read(path)
    except DataError:  # damaged: the step is worth recording all the same
        state = RunState(path.stat().st_mtime if path.exists() else time.time(), None, step)
    _STATE.write(path, replace(state, step=step))


def is_unlocked(paths: ProjectPaths) -> bool:
    """Whether no nightly run is active, whatever the server says.

    A run whose process was killed stays Running there, and occupies the one slot that new runs need.
    """
    try:
        with _lock(paths):
            return True
    except Timeout:
        return False


def take_crashed_run(paths: ProjectPaths) -> NightlyRun | None:
    """Records the nightly run whose process was killed, if there is one without a record, and returns it."""
    path = next((path for name in (_STATE.name, _FORMER_STATE) if (path := paths.state / name).is_file()), None)
    if path is None or not is_unlocked(paths):
        return None
    run = _crashed(path)
    path.unlink(missing_ok=True)
    if (paths.nightly_runs / run.file).exists():  # it was recorded, and killed only after that
        return None
    write_nightly_run(paths.nightly_runs, run)
    return run


def _lock(paths: ProjectPaths) -> FileLock:
    paths.state.mkdir(parents=True, exist_ok=True)
    return FileLock(paths.state / _LOCK, timeout=0)


def _crashed(path: Path) -> NightlyRun:
    """The record of a run that left this state file."""
    last_sign = path.stat().st_mtime
    try:
        state = _STATE.read(path)
        started = datetime.fromtimestamp(state.began, UTC).isoformat(timespec="seconds")
    except (DataError, ValueError, OverflowError, OSError) as error:
        _log.warning("%s; the run is recorded without its start and step", error)
        state = RunState(last_sign, None, "an unknown step")
        started = datetime.fromtimestamp(last_sign, UTC).isoformat(timespec="seconds")
    line = f"the process was killed at {state.step}. {NEXT_STEPS[RunOutcome.KILLED]}"
    seconds = round(max(last_sign - state.began, 0.0), 1)
    return NightlyRun(started, RunOutcome.KILLED.value, line, seconds, flow_run=state.flow_run)
