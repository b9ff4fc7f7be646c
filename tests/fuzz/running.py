"""Runs altered seeds in a worker process until the time is over, and keeps each distinct failure."""

from __future__ import annotations

import hashlib
import resource
import tempfile
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from likeness.errors import LikenessError, WorkerError
from likeness.isolation import Limits, Worker
from tests.fuzz.mutations import altered
from tests.fuzz.targets import TARGETS, LossError, Outcome

LIMITS = Limits(seconds=30, memory=1 << 30)
WARMING = Limits(seconds=300, memory=32 << 30)
_KILOBYTE = 1024
_ROOT = Path(__file__).parents[2]


class _TimeOver(BaseException):
    """Ends a round of hypothesis, which lets nothing but an Exception be a finding."""


@dataclass
class Tally:
    """What became of the inputs of one target."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    longest: float = 0.0
    slowest: bytes = b""
    memory: int = 0

    @property
    def inputs(self) -> int:
        """How many were tried."""
        return self.counts.total()


def execute(name: str, data: bytes) -> Outcome:
    """Runs one input of a target here; whatever the code raises is in the outcome."""
    begun = time.perf_counter()
    kind, place, detail = "read", "", ""
    with tempfile.TemporaryDirectory() as folder:
        try:
            TARGETS[name].run(data, Path(folder))
        except LikenessError:
            kind = "refused"
        except MemoryError:
            raise
        except Exception as error:
            kind = "lost" if isinstance(error, LossError) else "failed"
            place, detail = _place(error), "".join(traceback.format_exception(error))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KILOBYTE
    return Outcome(kind, place, detail, time.perf_counter() - begun, peak)


def _place(error: BaseException) -> str:
    """Class of an error and the last line of the project that it passed through."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/src/likeness/" in frame.filename] or frames
    return f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def explore(name: str, seconds: float, number: int, tally: Tally, worker: Worker, kept: Path) -> None:
    """Tries altered seeds of a target until the time is over.

    Args:
        name: of the target.
        seconds: by the clock.
        number: seeds the random choices.
        tally: is added to.
        worker: runs the inputs.
        kept: folder for inputs that fail, one for each distinct failure.
    """
    until = time.monotonic() + seconds

    @seed(number)
    @settings(
        max_examples=1_000_000,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(altered(TARGETS[name].seeds()))
    def try_one(data: bytes) -> None:
        if time.monotonic() > until:
            raise _TimeOver
        _note(name, data, _outcome(name, data, worker), tally, kept)

    try:
        try_one()
    except _TimeOver:
        return


def _outcome(name: str, data: bytes, worker: Worker) -> Outcome:
    begun = time.perf_counter()
    try:
        return worker.call(execute, name, data)
    except WorkerError as error:
        return Outcome("killed", str(error), str(error), time.perf_counter() - begun)


def _note(name: str, data: bytes, outcome: Outcome, tally: Tally, kept: Path) -> None:
    tally.counts[outcome.kind] += 1
    if outcome.seconds > tally.longest:
        tally.longest, tally.slowest = outcome.seconds, data
    tally.memory = max(tally.memory, outcome.memory)
    if outcome.kind in ("read", "refused") or outcome.place in tally.failures:
        return
    kept.mkdir(parents=True, exist_ok=True)
    path = kept / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    tally.failures[outcome.place] = f"{path}\n{outcome.detail}"
