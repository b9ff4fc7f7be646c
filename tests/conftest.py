"""What all tests rely on, wherever the suite was started."""

from __future__ import annotations

import os
import signal

import pytest

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # the workers share the cores: more threads would wait for each other, busily
    os.environ.setdefault("OMP_NUM_THREADS", "1")

_LONGEST = ("test_processes.py", "test_intake_attacks.py", "test_retrain.py", "test_distribution.py")


def pytest_configure(config: pytest.Config) -> None:
    """Lets programs that the tests start hear SIGINT: a shell deafens what it puts into the background to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begins with the files whose slow tests take minutes, so that no worker waits for one of them at the end."""
    items.sort(key=lambda item: item.path.name not in _LONGEST)
