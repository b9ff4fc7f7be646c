"""What all tests rely on, wherever the suite was started."""

from __future__ import annotations

import os
import signal

import pytest

if (
    "PYTEST_XDIST_WORKER" in os.environ
):  # the workers share the cores: more threads would wait for each other, busily
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure(config: pytest.Config) -> None:
    """Lets programs that the tests start hear SIGINT: a shell deafens what it puts into the background to it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
