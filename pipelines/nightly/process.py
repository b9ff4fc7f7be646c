"""Runs a command so that it can be stopped as a whole: its own session, a guard, a time limit."""

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

from pipelines.nightly import guard

KEPT_LINES = 400
_LOOK = 0.2
_SLACK = 5.0  # seconds that the guard gets beyond the grace time


@dataclass(frozen=True)
class Finished:
    """What a command came to: exit code, last lines of its output, seconds, and whether it was out of time."""

    code: int
    lines: tuple[str, ...]
    seconds: float
    late: bool = False


def run_group(
    command: Sequence[str],
    *,
    folder: Path,
    seconds: float,
    grace: float,
    tell: Callable[[str], None],
    environ: Mapping[str, str] | None = None,
) -> Finished:
    """Runs a command to its end, or to its time limit.

    When this raises, as on a signal that is an exception here, nothing of the command runs any more; when this
    process is killed, the guard sees to it.

    Args:
        command: program and arguments.
        folder: to run it in.
        seconds: time limit.
        grace: seconds between SIGINT and SIGKILL.
        tell: gets each line of its output as it comes.
        environ: None for this process's own.
    """
    started = time.monotonic()
    process = start_guarded(command, folder=folder, grace=grace, environ=environ)
    lines: deque[str] = deque(maxlen=KEPT_LINES)
    assert process.stdout is not None
    reader = threading.Thread(target=_read, args=(process.stdout, lines, tell), daemon=True)
    reader.start()
    late = False
    try:
        while process.poll() is None:
            late = time.monotonic() - started > seconds
            if late:
                break
            time.sleep(_LOOK)
    finally:
        stop_guarded(process, grace)
        reader.join(_SLACK)
    return Finished(process.returncode, tuple(lines), time.monotonic() - started, late)


def start_guarded(
    command: Sequence[str], *, folder: Path, grace: float, environ: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Starts a command under a guard, in a session of its own; its output is a pipe of text."""
    return subprocess.Popen(
        [sys.executable, "-I", guard.__file__, str(grace), *command],
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
    """Sees to it that nothing of the command's group runs any more, gently at first."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    try:
        process.wait(grace + _SLACK)
    except BaseException:  # out of patience, or a second signal: either way now
        _kill(process)
        process.wait()
        raise
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    """Kills what is left of the group, which has the guard's number, although the guard itself may be gone."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _read(stream: IO[str], lines: deque[str], tell: Callable[[str], None]) -> None:
    for line in stream:
        text = line.rstrip()
        if text:
            lines.append(text)
            tell(text)
