"""What the benchmarks share: seconds by the clock and of the processor, and how figures are printed.

Processor seconds do not depend on who else uses the machine. Standard library only, as `distribution` needs it.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Timing:
    """Seconds by the clock, and of the processor: of this process and of those that it started and that ended."""

    clock: float
    processor: float


def timed(work: Callable[[], T]) -> tuple[T, Timing]:
    """What some work returns, and the seconds that it took."""
    clock, processor = time.perf_counter(), processor_seconds()
    result = work()
    return result, Timing(time.perf_counter() - clock, processor_seconds() - processor)


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def spread(figures: Sequence[float]) -> str:
    """Median, and the range in parentheses."""
    return f"{statistics.median(figures):.2f} ({min(figures):.2f} to {max(figures):.2f})"


def machine_load() -> str:
    """Without it no speed means anything."""
    return f"{os.cpu_count()} cores at load {os.getloadavg()[0]:.1f}"
