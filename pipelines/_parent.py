"""What a process does when the one that started it ends without a word, as on SIGKILL."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
import time
from pathlib import Path

import psutil

_SHELLS = {"sh", "dash", "bash", "zsh", "ksh", "fish", "csh", "tcsh", "busybox"}
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # prctl(2)
_POLL_SECONDS = 1.0


def follow_parent(*, same_group: bool = True) -> None:
    """Sends SIGTERM to this process, once, as soon as its caller ends, at once where it has ended already.

    The caller is the parent, or what started the shell that is the parent: a shell such as dash waits beside
    its command and outlives its own parent. On Linux the kernel sends SIGUSR1 at the end of the parent, and also
    at the end of single threads of it, so the handler looks whether it was the whole. Elsewhere, beside the main
    thread and behind a shell, a thread looks every second.

    Args:
        same_group: the caller starts this process in its own process group, as DVC, make and shells without job
            control do. One in another group is then not that caller, which has ended.
    """
    callers = _callers()
    if same_group and (_is_shell(callers[-1]) or any(_group_of(one) != os.getpgrp() for one in callers)):
        os.kill(os.getpid(), signal.SIGTERM)
    elif len(callers) == 1 and threading.current_thread() is threading.main_thread() and _handle_end(callers[0]):
        os.kill(os.getpid(), signal.SIGUSR1)  # it may have ended before the kernel was asked
    else:
        threading.Thread(target=_poll, args=(callers,), daemon=True).start()


def _callers() -> list[int]:
    """Process ids from the parent up through shells to the first that is no shell, or to the system's first."""
    callers = [os.getppid()]
    while _is_shell(callers[-1]) and (above := _parent_of(callers[-1])):
        callers.append(above)
    return callers


def _is_shell(process: int) -> bool:
    try:
        return psutil.Process(process).name().lstrip("-") in _SHELLS | {Path(os.environ.get("SHELL", "sh")).name}
    except psutil.Error:
        return False


def _parent_of(process: int) -> int:
    try:
        return int(psutil.Process(process).ppid())
    except psutil.Error:
        return 0


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


def _poll(callers: list[int]) -> None:
    while [os.getppid(), *map(_parent_of, callers[:-1])] == callers:
        time.sleep(_POLL_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _group_of(process: int) -> int:
    try:
        return os.getpgid(process)
    except OSError:  # it is gone
        return -1
