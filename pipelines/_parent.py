"""What a process does when the one that started it ends without a word, as on SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)
_POLL_SECONDS = 1.0


def follow_parent(*, same_group: bool = True) -> None:
    """Sends SIGTERM to this process, once, as soon as its parent ends, at once where it has ended already.

    On Linux the kernel sends SIGUSR1 then, and also at the end of single threads of the parent, so the handler
    looks whether it was the whole. Elsewhere, and beside the main thread, a thread looks every second.

    Args:
        same_group: the parent starts this process in its own process group, as DVC, make and shells without job
            control do. One in another group is then not that parent, which has ended.
    """
    parent = os.getppid()
    if same_group and _group_of(parent) != os.getpgrp():
        os.kill(os.getpid(), signal.SIGTERM)
    elif threading.current_thread() is threading.main_thread() and _handle_end(parent):
        os.kill(os.getpid(), signal.SIGUSR1)  # it may have ended before the kernel was asked
    else:
        threading.Thread(target=_poll, args=(parent,), daemon=True).start()


def _handle_end(parent: int) -> bool:
    def handle(*_: object) -> None:
        if os.getppid() != parent:
            signal.signal(signal.SIGUSR1, signal.SIG_IGN)
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.signal(signal.SIGUSR1, handle)
    if ask_kernel(signal.SIGUSR1):
        return True
    signal.signal(signal.SIGUSR1, before)
    return False


def ask_kernel(number: signal.Signals) -> bool:
    """Asks for `number` at the parent's end, for a program that this process becomes too; whether that works."""
    return _prctl(_PR_SET_PDEATHSIG, int(number))


def adopt_orphans() -> None:
    """Makes this process the parent of each descendant whose own parent ends, where the system can do that."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> bool:
    try:
        return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)
    except (AttributeError, OSError, TypeError):
        return False


def _poll(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _group_of(process: int) -> int:
    try:
        return os.getpgid(process)
    except OSError:  # it is gone
        return -1
