"""Runs a command so that it can be stopped as a whole: its own session, a guard process, a time limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from likeness.nightly import process_guard

KEPT_LINES = 400
_POLL = 0.2
_SLACK = 5.0  # seconds that the guard gets beyond the grace time


@dataclass(frozen=True)
class CommandResult:
    """Exit code of a command, last lines of its output, its seconds, and whether it exceeded its time limit."""

    exit_code: int
    lines: tuple[str, ...]
    seconds: float
    timed_out: bool = False


def run_group(
    command: Sequence[str],
    *,
    folder: Path,
    seconds: float,
    grace: float,
    report: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
) -> CommandResult:
    """Runs a command to its end, or to its time limit.

    When this raises, as on a signal that is an exception here, no process of the command runs any more; when
    this process is killed, the guard ends them.

    Args:
        command: program and arguments.
        folder: to run it in.
        seconds: time limit.
        grace: seconds between SIGINT and SIGKILL.
        report: gets each line of its output as it comes.
        environ: None for this process's own.
    """
    started = time.monotonic()
    process = start_guarded(command, folder=folder, grace=grace, environ=environ)
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, lines, report), daemon=True)
    reader.start()
    timed_out = False
    try:
        while process.poll() is None:
            timed_out = time.monotonic() - started > seconds
            if timed_out:
                break
            time.sleep(_POLL)
    finally:
        stop_guarded(process, grace)
        reader.join(_SLACK)
    return CommandResult(process.returncode, tuple(lines), time.monotonic() - started, timed_out)


def start_guarded(
    command: Sequence[str], *, folder: Path, grace: float, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts a command under a guard, in a session of its own; its output is a pipe of text."""
    return subprocess.Popen(
        [sys.executable, "-I", process_guard.__file__, str(grace), *command],
        cwd=folder,
        env=None if environ is None else dict(environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def stop_guarded(process: subprocess.Popen[str], grace: float) -> None:
    """Ends every process of the command's group: SIGINT first, SIGKILL after the grace time."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(grace + _SLACK)
    except BaseException:  # the grace time is over, or a second signal: kill now
        _kill(process)
        process.wait()
        raise
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """Kills what is left of the group, which has the guard's number, although the guard itself may be gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _read(stream: IO[str], lines: deque[str], report: Callable[[str], None]) -> None:
    for line in stream:
        text = line.rstrip()
        if text:
            lines.append(text)
            report(text)
