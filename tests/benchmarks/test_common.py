"""Seconds and spreads that the benchmarks print."""

from __future__ import annotations

import subprocess
import sys

import pytest

from benchmarks.common import spread, timed


@pytest.mark.fault("B6")
def test_the_time_of_processes_that_the_work_starts_counts() -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    done, took = timed(lambda: subprocess.run([sys.executable, "-c", burn], check=True))
    assert done.returncode == 0
    assert took.processor > 0.25
    assert took.clock > 0.25


def test_a_spread_is_median_and_range() -> None:
    assert spread([3.0, 1.0, 2.0]) == "2.00 (1.00 to 3.00)"
