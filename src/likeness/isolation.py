"""Runs functions on untrusted files in a process of its own, with limits of time and memory for each call.

Decoders and archive readers are C code that can be made to take hours and gigabytes, or to crash. In a worker
process that costs one call: the process is ended, the caller gets an error, and the next call starts a new one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar

from likeness.errors import LikenessError, WorkerError

T = TypeVar("T")
_SLACK = 10.0  # seconds beyond its limit that a worker gets to end itself
_PROGRAM = "import sys; from likeness.isolation import serve; serve(int(sys.argv[1]))"


@dataclass(frozen=True)
class Limits:
    """What one call may take.

    Attributes:
        seconds: by the clock.
        memory: bytes beyond what the worker process holds when the call begins.
    """

    seconds: float = 60.0
    memory: int = 1 << 30


LIMITS = Limits()


class Worker:
    """A worker process, started at the first call; a context manager that ends it.

    A call may fail because of what an earlier one left behind. So where one crashes or runs out of memory in a
    process that worked before, it is tried once more in a new one.
    """

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def call(self, function: Callable[..., T], *arguments: Any, seconds: float | None = None) -> T:
        """Calls a function of a module; it and its arguments are pickled.

        Args:
            function: at the top level of a module that the worker can import; it may be called a second time.
            arguments: of the function.
            seconds: another time limit than that of `limits`, for this call.

        Raises:
            LikenessError: what the function itself raises.
            WorkerError: it raised anything else, took too long, needed too much memory, or crashed.
        """
        limits = Limits(self.limits.seconds if seconds is None else seconds, self.limits.memory)
        fresh = self._process is None
        error = self._try(function, arguments, limits)
        if isinstance(error, _RetryError) and not fresh:
            error = self._try(function, arguments, limits)
        if isinstance(error, _RetryError):
            raise WorkerError(str(error)) from None
        if isinstance(error, BaseException):
            raise error
        return error

    def _try(self, function: Callable[..., T], arguments: tuple[Any, ...], limits: Limits) -> T | Exception:
        """The function's value, or what was raised."""
        connection = self._connection or self._start()
        try:
            connection.send((function, arguments, limits.seconds, limits.memory))
            if not connection.poll(limits.seconds + _SLACK):
                self._end()
                return _late(limits)
            kind, value = connection.recv()
        except (EOFError, OSError):
            return self._ended(limits)
        if kind == "memory":
            self._end()
            return _RetryError(f"needs more than {limits.memory >> 20} MB of memory")
        if kind == "unexpected":
            return WorkerError(value)
        return value  # type: ignore[no-any-return]

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        search = os.pathsep.join(path for path in sys.path if path)
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        with contextlib.closing(theirs):
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | one_thread | {"PYTHONPATH": search},
                pass_fds=[theirs.fileno()],
            )
        self._connection = ours
        return ours

    def _ended(self, limits: Limits) -> Exception:
        """Why the worker is gone."""
        assert self._process is not None
        code = self._process.wait(_SLACK)
        self._end()
        if code == -signal.SIGALRM:
            return _late(limits)
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _RetryError(f"ended the process that read it ({name})")

    def _end(self) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._connection = self._process = None


class _RetryError(Exception):
    """A failure that may be the fault of an earlier call."""


def _late(limits: Limits) -> WorkerError:
    return WorkerError(f"takes longer than {limits.seconds:g} s")


def serve(handle: int) -> None:
    """The worker's side: answers calls until the other side closes the connection."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our end comes by the connection
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process, in the middle of C code too
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = Connection(handle)
    while True:
        try:
            function, arguments, seconds, memory = connection.recv()
        except EOFError:
            return
        connection.send(_limited(function, arguments, seconds, memory))


def _limited(function: Callable[..., Any], arguments: Any, seconds: float, memory: int) -> tuple[str, Any]:
    before = resource.getrlimit(resource.RLIMIT_AS)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        _limit_memory(memory, before[1])
        return "value", function(*arguments)
    except MemoryError:
        return "memory", None
    except LikenessError as error:
        return "value", error
    except Exception as error:  # whatever a hostile file makes a library raise concerns this file
        return "unexpected", f"{type(error).__name__}: {error}"
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.setitimer(signal.ITIMER_REAL, 0)


def _limit_memory(memory: int, hard: int) -> None:
    """Limits the address space to what is in use and `memory`; without effect where the system does not say."""
    with contextlib.suppress(OSError, ValueError):  # ValueError: above the hard limit, which then holds
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + memory, hard))
