"""Runs one command in a process group of its own, for a caller that may be asked to stop or be killed.

    python -m pipelines.group COMMAND...

SIGINT, SIGTERM and SIGHUP, and the end of the caller, become SIGINT to the whole group, on which DVC and the
stages end cleanly and a training saves its state. What still runs after half of the grace time is asked again,
and killed after the whole.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from likeness.errors import MemoryLimitError
from likeness.memory_limit import TRAINING, check_memory_limit
from pipelines._parent import adopt_orphans, ask_kernel, follow_parent

GRACE_SECONDS = 60.0
_LOOK = 0.1  # seconds between looks at a command that was asked to stop
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Asked(BaseException):
    """A signal that asks to stop."""

    def __init__(self, number: int) -> None:
        self.number = number


def run_in_group(command: Sequence[str], grace: float = GRACE_SECONDS) -> int:
    """Runs a command to its end, or until this process is asked to stop; nothing of it runs afterwards.

    Args:
        command: program and arguments; its standard input is empty.
        grace: seconds between the first request to stop and SIGKILL.

    Returns:
        The command's exit code, 128 + number where a signal ended it or asked this process to stop.
    """
    before = {number: signal.getsignal(number) for number in _HANDED_ON}
    child: subprocess.Popen[bytes] | None = None
    adopt_orphans()
    try:
        for number in _HANDED_ON:
            if number is not signal.SIGHUP or before[number] is not signal.SIG_IGN:  # nohup stays what it is
                signal.signal(number, _ask)
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=lambda: ask_kernel(signal.SIGTERM),
        )
        code = child.wait()
        return code if code >= 0 else 128 - code
    except _Asked as asked:
        return 128 + asked.number
    finally:
        for number in _HANDED_ON:  # a second signal changes nothing: the grace time ends in any case
            signal.signal(number, _hear)
        if child is not None:
            _stop(child, grace)
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask(number: int, _: object) -> None:
    raise _Asked(number)


def _hear(*_: object) -> None:
    """A handler and not SIG_IGN, which a command would inherit."""


def _stop(child: subprocess.Popen[bytes], grace: float) -> None:
    """Ends what still runs of the group: SIGINT, once more after half of the grace time, SIGKILL after the whole.

    Python loses a KeyboardInterrupt that is raised while it runs a callback of its own, as it does at imports: a
    program that was just starting then goes on, and starts what was never asked to stop.
    """
    for _ in range(2):
        _signal(child, signal.SIGINT)
        until = time.monotonic() + grace / 2
        while time.monotonic() < until and _runs(child):
            time.sleep(_LOOK)
    _signal(child, signal.SIGKILL)
    child.wait()


def _runs(child: subprocess.Popen[bytes]) -> bool:
    """Whether anything of the group still runs; takes note of what has ended."""
    if child.poll() is not None:
        with suppress(ChildProcessError):
            while os.waitpid(-child.pid, os.WNOHANG)[0]:
                pass
    try:
        os.killpg(child.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _signal(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def main() -> None:
    """The command line; the exit code is the command's."""
    try:
        check_memory_limit(TRAINING)
    except MemoryLimitError as error:
        print(error, file=sys.stderr)
        raise SystemExit(error.exit_code) from None
    try:
        for number in _HANDED_ON[:2]:
            signal.signal(number, _ask)
        follow_parent()
    except _Asked as asked:
        raise SystemExit(128 + asked.number) from None
    raise SystemExit(run_in_group(sys.argv[1:]))


if __name__ == "__main__":
    main()
