"""How a night can end: a word, a line that says what happened, and what to do."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from likeness.errors import Failure, ParamsError
from likeness.files import read_json
from likeness.params import from_mapping

LINE = 300  # characters of a message that are kept


class Outcome(StrEnum):
    """Every way in which a night can end."""

    PROMOTED = "promoted"
    KEPT = "kept"
    REFUSED = "refused"
    NOTHING = "nothing-to-do"
    BAD_BATCH = "bad-batch"
    DRIFT = "drift"
    INVALID = "validation-failed"
    DIVERGED = "diverged"
    LOCK_BUSY = "lock-busy"
    OVERLAPPING = "overlapping"
    DISK_FULL = "disk-full"
    TRACKING_AWAY = "tracking-away"
    CANCELLED = "cancelled"
    KILLED = "killed"
    FAILED = "failed"
    NO_GPU = "no-gpu"
    ALTERED = "deployment-altered"

    @property
    def good(self) -> bool:
        """Whether nobody needs to look."""
        return self in (Outcome.PROMOTED, Outcome.KEPT, Outcome.REFUSED, Outcome.NOTHING)


TO_DO = {
    Outcome.PROMOTED: "Nothing to do; `likeness rollback --because …` undoes it.",
    Outcome.KEPT: "Nothing to do.",
    Outcome.REFUSED: "Nothing to do; reports/gate/gate.md says what fell.",
    Outcome.NOTHING: "Nothing to do.",
    Outcome.BAD_BATCH: "`likeness quarantine list` says why; mend the files, or put those that are good back with "
    "`likeness quarantine release`.",
    Outcome.DRIFT: "If the photographs are right, run `likeness quarantine release --reason drifted`, then "
    "`make nightly-now ARGS='--accept-drift --no-settle'`.",
    Outcome.INVALID: "See reports/validation/docs/index.html; correct the data or the bound in params.yaml.",
    Outcome.DIVERGED: "Lower train.learning_rate or set train.clip_norm in params.yaml.",
    Outcome.LOCK_BUSY: "Let that process end, or end it; the next night tries again.",
    Outcome.OVERLAPPING: "Nothing to do; the other run goes on.",
    Outcome.DISK_FULL: "Free some space (`likeness prune` lists what can go); the next night goes on.",
    Outcome.TRACKING_AWAY: "Bring the MLflow store back; the next night goes on where this one stopped.",
    Outcome.CANCELLED: "Nothing to do; the next run goes on from the last checkpoint.",
    Outcome.KILLED: "The next run goes on from the last checkpoint. If nobody killed it, look for a lack of "
    "memory (`dmesg`) or of power.",
    Outcome.FAILED: "Read the log of the stage in Prefect; `dvc repro` by hand shows the same.",
    Outcome.ALTERED: "Find out who can write to the scheduler's database or knows its login; remove "
    ".likeness/prefect-login, and start `make nightly` again, which makes a new login and a new deployment.",
    Outcome.NO_GPU: "Set nightly.device to auto, or see `likeness doctor` for the driver.",
}

_BY_KIND = {
    "validation-failed": Outcome.INVALID,
    "diverged": Outcome.DIVERGED,
    "collapse": Outcome.DIVERGED,
    "tracking": Outcome.TRACKING_AWAY,
    "disk-full": Outcome.DISK_FULL,
}
_DISK_FULL = f"[Errno {errno.ENOSPC}]"  # as Python shows it, in DVC's output too


class HaltError(Exception):
    """Ends a night: with an outcome and a line that says what happened.

    Attributes:
        outcome: how the night ends.
        transient: whether trying again may help.
    """

    def __init__(self, outcome: Outcome, line: str, transient: bool = False) -> None:
        super().__init__(line)
        self.outcome = outcome
        self.transient = transient


def outcome_of(failure: Failure) -> Outcome:
    """How a night ends that failed so."""
    return _BY_KIND.get(failure.kind, Outcome.FAILED)


def read_failure(path: Path) -> Failure | None:
    """What a stage left; None where it left nothing, as when it was killed or DVC itself failed."""
    try:
        return from_mapping(Failure, read_json(path), str(path))
    except (OSError, ValueError, AttributeError, TypeError, ParamsError):
        return None


def stage_halt(stage: str, failure: Failure | None, lines: Sequence[str]) -> HaltError:
    """What a stage left when it failed, else the last error of its output, as an outcome."""
    if failure is not None:
        return HaltError(outcome_of(failure), f"{stage}: {failure.message[:LINE]}", failure.transient)
    full = any(_DISK_FULL in line for line in lines)
    return HaltError(Outcome.DISK_FULL if full else Outcome.FAILED, f"{stage}: {_last_error(lines)[:LINE]}")


def _last_error(lines: Sequence[str]) -> str:
    errors = [line for line in lines if line.startswith("ERROR: ")]
    return (errors or list(lines) or ["it failed without a word"])[-1].removeprefix("ERROR: ")
