"""A worker process: whatever a call does to it costs that call, and the next one works."""

from __future__ import annotations

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from likeness.data.archive import open_reader
from likeness.errors import SourceError, WorkerError
from likeness.isolation import Limits, Worker


@pytest.fixture
def worker() -> Iterator[Worker]:
    with Worker(Limits(seconds=1, memory=200 << 20)) as worker:
        assert worker.call(len, "abc") == 3
        yield worker
        assert worker.call(len, "abcd") == 4


@pytest.mark.attack("4")
@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        (time.sleep, (60,), "takes longer than 1 s"),
        (hashlib.pbkdf2_hmac, ("sha1", b"", b"", 1 << 30), "takes longer than 1 s"),  # C code that does not return
        (bytearray, (1 << 30,), "needs more than 200 MB of memory"),
        (signal.raise_signal, (signal.SIGSEGV,), "SIGSEGV"),
        (signal.raise_signal, (signal.SIGKILL,), "SIGKILL"),
        (os._exit, (7,), "exit code 7"),
        (int, ("nine",), "ValueError: invalid literal"),
    ],
)
def test_a_call_that_goes_wrong_is_an_error_and_the_next_one_works(
    worker: Worker, function: Callable[..., Any], arguments: tuple[Any, ...], reason: str
) -> None:
    with pytest.raises(WorkerError, match=reason):
        worker.call(function, *arguments)


def test_an_error_that_the_function_means_is_raised_as_it_is(worker: Worker, tmp_path: os.PathLike[str]) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        worker.call(open_reader, tmp_path / "absent", bool)  # type: ignore[operator]


def test_one_call_may_get_more_time(worker: Worker) -> None:
    assert worker.call(time.sleep, 1.5, seconds=5) is None


def test_nothing_is_left_of_a_worker() -> None:
    with Worker() as worker:
        number = worker.call(os.getpid)
        assert psutil.pid_exists(number)
    assert not psutil.pid_exists(number)
