"""Runs one command for a parent that may die at any moment, and ends the whole process group with it.

Started in a session of its own, with a pipe from the parent as standard input. When the pipe ends, because the
parent closed it or is gone, be it by SIGKILL, the group gets SIGINT, on which DVC and a training end cleanly, and
after the grace time SIGKILL. So no stage outlives the flow that started it.

    python process_guard.py GRACE_SECONDS COMMAND...
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time

_POLL = 0.2  # seconds


def main(grace: float, command: list[str]) -> int:
    """Runs the command; returns its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A handler, not SIG_IGN: the command would inherit that, and never receive it.
        signal.signal(number, lambda *_: None)
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    while child.poll() is None:
        ready, _, _ = select.select([sys.stdin], [], [], _POLL)
        if ready and not os.read(sys.stdin.fileno(), 1):
            return _stop(child, grace)
    return child.returncode


def _stop(child: subprocess.Popen[bytes], grace: float) -> int:
    os.killpg(0, signal.SIGINT)
    until = time.monotonic() + grace
    while child.poll() is None and time.monotonic() < until:
        time.sleep(_POLL)
    os.killpg(0, signal.SIGKILL)  # whatever is left, this process included
    return 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
