"""One night at a time, and a note while it works: what finds the note later knows of a night that was killed."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from filelock import FileLock, Timeout

from likeness.files import read_json, write_json
from likeness.tracking.history import Night, write_night
from pipelines.nightly.outcome import TO_DO, HaltError, Outcome
from pipelines.nightly.params import Places

_log = logging.getLogger(__name__)
_LOCK, _NOTE = "lock", "at-work.json"


@contextmanager
def at_work(places: Places, began: float, flow_run: str | None) -> Iterator[None]:
    """Keeps other nights away while the block runs, also those that no server knows of.

    The system frees the lock of a process that was killed; its note stays.

    Raises:
        HaltError: another night is at work.
    """
    places.state.mkdir(parents=True, exist_ok=True)
    lock = FileLock(places.state / _LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise HaltError(Outcome.OVERLAPPING, "another night is at work in this project.") from None
    try:
        write_json(places.state / _NOTE, {"began": began, "flow_run": flow_run, "step": "the start"})
        yield
    finally:
        with suppress(OSError):
            (places.state / _NOTE).unlink(missing_ok=True)
        lock.release()


def note_step(places: Places, step: str) -> None:
    """What the night begins now, for the line about it should it die there."""
    note = places.state / _NOTE
    try:
        known = dict(read_json(note))
    except (OSError, ValueError, TypeError):  # damaged: the step is worth noting all the same
        known = {}
    write_json(note, known | {"step": step})


def idle(places: Places) -> bool:
    """Whether no night is at work, whatever the server believes.

    A run whose process was killed stays Running there, and holds the one place that new runs need.
    """
    places.state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(places.state / _LOCK, timeout=0):
            return True
    except Timeout:
        return False


def find_dead(places: Places) -> Night | None:
    """Writes down the night that was killed at its work, if there is one that nobody has written down yet."""
    note = places.state / _NOTE
    if not note.is_file() or not idle(places):
        return None
    try:
        last_sign = note.stat().st_mtime
        found = read_json(note)
        night = _dead(float(found["began"]), found["flow_run"], str(found["step"]), last_sign)
    except (OSError, json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        _log.warning("%s: not understood (%s)", note, error)
        night = _dead(time.time(), None, "something", time.time())
    note.unlink(missing_ok=True)
    if (places.nights / night.file).exists():  # it was written down, and killed only after that
        return None
    write_night(places.nights, night)
    return night


def _dead(began: float, flow_run: str | None, step: str, last_sign: float) -> Night:
    started = datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds")
    line = f"the process was killed at {step}; nobody heard from it again. {TO_DO[Outcome.KILLED]}"
    seconds = round(max(last_sign - began, 0.0), 1)
    return Night(started, Outcome.KILLED.value, line, seconds, flow_run=flow_run)
